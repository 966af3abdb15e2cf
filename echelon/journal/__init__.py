"""Durable memory: what was run, handed on, raised and decided; and the outputs, kept by reference (F8, C6, O1)."""
