"""How often a phase synchronises, and what its sync points reveal (X3). Pure."""
