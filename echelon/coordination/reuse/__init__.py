"""What earlier runs did of the same, from the same: found, kept, and compared with."""
