"""What a run cost and how its measures stand, as tables and as a picture (M). Pure."""
