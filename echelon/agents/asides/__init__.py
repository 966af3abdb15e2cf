"""What agents can be asked beside their work (O5)."""
