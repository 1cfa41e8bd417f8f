"""A variant on one pod beside the others: what is compared, what it comes to, and the way back to speculation."""
