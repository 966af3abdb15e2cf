"""Whether a result proceeds, is looked at by another agent, or is decided by whoever has the authority. Pure (X6)."""
