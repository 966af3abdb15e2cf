"""How far agents have drifted apart, from the versions on record (X4)."""
