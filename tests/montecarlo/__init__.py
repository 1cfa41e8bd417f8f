"""How often the rules for a breach and for a trial are wrong, and how late: the product's own, over simulations."""
