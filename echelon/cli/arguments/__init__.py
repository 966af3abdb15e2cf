"""What was typed or set in the environment, read into values; what cannot be used is refused in one line."""
