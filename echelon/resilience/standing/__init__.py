"""Standing budgets on the way of a call: reserved in the journal before it, whichever process makes it (F10)."""
