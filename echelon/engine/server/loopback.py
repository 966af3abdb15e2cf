"""What a machine calls itself: an address with one of these names leads nowhere else."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
