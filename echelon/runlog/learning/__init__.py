"""What a run teaches, from its log: what it measured, what to change, when it will end (X10, V6). Pure."""
