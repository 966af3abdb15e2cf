"""Contradictions between outputs: found, and whose they are to decide (X9). Pure."""
