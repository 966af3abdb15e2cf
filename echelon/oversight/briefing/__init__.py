"""What is new in a run, for those who begin to work in it (X2, X8). Pure."""
