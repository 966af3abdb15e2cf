"""What is told to those who work in a phase of what happened before (X2, X8)."""
