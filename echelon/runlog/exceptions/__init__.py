"""What of a run people are shown without asking: rolled up by level, and within their attention. Pure."""
