"""Throughput against the number of agents: the law, curves, and rounds played event by event to check them. Pure."""
