"""What a channel names by environment variable, looked up when it is needed and never shown."""

import os

from echelon.model.errors import NotDelivered
from echelon.redaction import register_secret


def secret_of(name: str) -> str:
    """Return what a variable holds; `NotDelivered` where it is not set. It is taken out of every text from now on."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise NotDelivered(
            f"the environment variable {name} is not set where the message is sent from; set it there",
            passing=False,
        )
    register_secret(value)
    return value
