"""Results are decided about: who looks at them, and who is asked, below people and beside the work (X6, X7, X11)."""
