"""Audits at the sync point: what is sampled is read, judged and put on record (O4)."""
