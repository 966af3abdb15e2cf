"""A run at work is watched: what goes wrong without failing is put on record as it is found."""
