"""Scanning modules: whatever can be said of each by itself is found here, once for as long as it does not change."""
