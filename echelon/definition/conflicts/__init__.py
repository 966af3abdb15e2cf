"""What a user states of conflicts."""
