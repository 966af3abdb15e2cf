"""What people decide, on the command line (O8)."""
