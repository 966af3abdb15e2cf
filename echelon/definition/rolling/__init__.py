"""What makes a job grow while it runs: items found on the way, conditions, repeats and loops (X12)."""
