"""Runs that have one of the 21 failure modes, and twins of them that do not: what a diagnosis is judged with.

`cases.py` has `Case`, `CASES` and `play`; `README.md` says for each mode what is done to a run, and what bears it.
"""
