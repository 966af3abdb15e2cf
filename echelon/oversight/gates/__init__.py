"""Gates: who may answer what, what holds a step back, and how an answer is put on record (O5, O8)."""
