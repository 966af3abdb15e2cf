"""A clock that moves only when it is told to."""


class FakeClock:
    """Stands in for `time.monotonic` and `asyncio.sleep`: time passes by `advance` and by sleeping, never by itself."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        #: Every sleep that was asked for, in seconds.
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, and note for how long it would have taken."""
        self.slept.append(seconds)
        self.advance(seconds)
