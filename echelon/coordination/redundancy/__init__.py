"""Tasks that several do at the same time, or that have a standby (F9)."""
