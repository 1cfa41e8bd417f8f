"""What Prometheus said of the pods, and one verdict for every signal of the policy."""
