"""Doubles that are shipped, so that jobs can be tested without a network, without waiting and without patching."""
