"""What agents return: its version, whether it fits, reading and repairing it. Knows outputs, and nothing of agents."""
