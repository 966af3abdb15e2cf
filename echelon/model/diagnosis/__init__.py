"""What was wrong with a run, and what it was bound by."""
