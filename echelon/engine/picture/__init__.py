"""Prefect's picture of a run: drawn from its log by a process of its own, so that the work pays nothing for it."""
