"""What a log says about what was wrong with a run (G). Pure."""
