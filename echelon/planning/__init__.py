"""Pure decisions: how many, how deep, in which order, owned by whom. No I/O, no clock, no randomness, no Prefect."""
