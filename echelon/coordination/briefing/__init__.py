"""What those are told who work behind a sync point (X2, X8, O6)."""
