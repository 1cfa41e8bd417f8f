"""Stands for the package that vLLM looks for before it takes the method `suffix`; it is not called."""
