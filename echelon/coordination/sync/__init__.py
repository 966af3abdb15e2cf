"""What happens at a sync point: what has ended is collected, judged as a whole, and only then handed on (X2)."""
