"""Outputs that contradict each other are found and settled before anybody gets them (X9)."""
