"""The typed handoffs between the agents of this project."""
