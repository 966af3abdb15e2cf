"""A digest of what an agent is made of, so that work done by an older version of it is told apart (F8). Pure."""
