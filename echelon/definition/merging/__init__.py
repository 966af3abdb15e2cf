"""Phases that one agent goes through with its item: which, and what speaks against it (D1)."""
