"""Tasks divided into groups of limited size with few handoffs between them, and packed under coordinators."""
