"""Mending what a linter finds: what `flows/mend.py` is made of."""
