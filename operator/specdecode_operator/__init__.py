"""Run vLLM with speculative decoding on Kubernetes, and roll it off when it stops paying."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("specdecode-operator")
