"""What is said about the quotas of dependencies (F10). Values only."""
