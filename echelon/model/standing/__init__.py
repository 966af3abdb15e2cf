"""Budgets that span runs: what was spent of a day or a month, and what is reserved for calls under way (F10)."""
