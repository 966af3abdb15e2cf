"""The voice of an agent: a file of JSON lines that survives it (X15)."""
