"""Limits that reset at a known time: recognised, kept for all callers, waited out (F10)."""
