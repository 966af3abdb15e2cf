"""When agents synchronise, and how far they have drifted apart by then (X3, X4)."""
