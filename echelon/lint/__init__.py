"""What is known to fail, found in a plan before anything is spent: one table of rules, one file a subject. Pure."""
