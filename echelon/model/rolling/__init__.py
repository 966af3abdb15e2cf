"""What makes a job grow or repeat itself, as values: conditions of phases, rounds, where they stand (X12)."""
