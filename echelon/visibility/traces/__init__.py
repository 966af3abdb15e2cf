"""What can be read of each agent: its log, and what its model was asked and answered."""
