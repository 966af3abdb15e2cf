"""Tasks in time: their order, the slots they stand in, and how long all of it takes. Knows nothing of structure."""
