"""Outputs that contradict each other, and who decided which of them counts (X9)."""
