"""What all runs of a job spent and reserve, in the database of the journal (F10)."""
