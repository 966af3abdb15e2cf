"""Steps that wait for people: what is asked, and what is done with the answer (O5)."""
