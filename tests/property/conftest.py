"""Hypothesis without deadlines, since the machine may be busy, and with the same examples on every run."""

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, max_examples=60, print_blob=True)
settings.load_profile("house")
