"""What an agent says while it works: a concern, how sure it is, that it is blocked, a task to be done (X15)."""
