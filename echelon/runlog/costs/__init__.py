"""What a run cost, what it was for, and how that is measured: folded from its log (M). Pure."""
