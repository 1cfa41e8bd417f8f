"""Whether target, draft and method fit each other: checks of what is known of the models, before a pod is made.

Rules of vLLM are cited where they are checked. What is advice and not a rule says so in its message and is a warning.
"""

from specdecode_operator.sizing.pairing.checks import pairing

__all__ = ["pairing"]
