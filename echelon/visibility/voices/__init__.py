"""What agents said while they worked, and what became of it, in words: for wherever it is shown (X15, D10)."""
