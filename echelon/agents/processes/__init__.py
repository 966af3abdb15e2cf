"""Child processes: commands, and functions that need a processor of their own."""
