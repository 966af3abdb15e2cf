"""Where the seconds, tokens and money of a run went, and how its measures stand. Values only."""
