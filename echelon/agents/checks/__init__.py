"""Checks of work by somebody who did not do it (X12, D11): what they say, and who can make them."""
