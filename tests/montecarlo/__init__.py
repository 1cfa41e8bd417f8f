"""How often the rule for a breach is wrong, and how late: simulated services, judged by the product's own functions."""
