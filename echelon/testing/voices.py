"""Hear what an agent says in a test, where no run is at work.

with hear() as said:
    inspect(module, brief)
assert said[0].concern.message == "two files claim the same lock"
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from echelon.model.voice.said import Said
from echelon.model.voice.speaking import VOICE


class _Listener:
    """Keeps what is said in a list."""

    path: Path | None = None

    def __init__(self) -> None:
        self.said: list[Said] = []

    def say(self, said: Said) -> None:
        """Keep it."""
        self.said.append(said)


@contextmanager
def hear() -> Generator[list[Said]]:
    """Give what agents say in the block, in the order they say it."""
    listener = _Listener()
    token = VOICE.set(listener)
    try:
        yield listener.said
    finally:
        VOICE.reset(token)
