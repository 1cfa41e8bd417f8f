"""A real Kubernetes cluster on one Linux machine, for the tests and the demo, without Docker."""
