"""Critical work that is done by several at the same time, or has a standby (F9). Values only."""
