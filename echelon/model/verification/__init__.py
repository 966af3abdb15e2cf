"""What was checked of a result, by whom, and what they said (D11, O3)."""
