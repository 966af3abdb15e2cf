"""A run against the one before, and against a commit: what changed, what was looked at, what stands."""
