"""Mending the hotspots of an audit: what the linter can mend safely, checked by the tools, applied once approved."""
