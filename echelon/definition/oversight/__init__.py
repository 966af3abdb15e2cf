"""What a job states of how it judges its own work."""
