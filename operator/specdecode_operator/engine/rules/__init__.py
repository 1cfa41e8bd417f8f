"""Checks of one variant against one release of vLLM: small, pure, one subject a module. See `engine.examine`."""
