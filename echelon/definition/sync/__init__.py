"""When phases synchronise, as it is stated (X3)."""
