"""A run of a few tasks of each wide phase: what it left out, and what the rest is expected to take."""
