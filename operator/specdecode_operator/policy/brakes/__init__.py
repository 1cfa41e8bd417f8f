"""What keeps the operator from acting: the ordered checks, and the budgets, times and people behind them."""
