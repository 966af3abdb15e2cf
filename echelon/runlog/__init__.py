"""What happened in a run: events, the fold over them, and the view that everybody is shown. Pure."""
