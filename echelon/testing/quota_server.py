"""A small model provider with a quota: used up after so many requests, it refuses all until it resets.

with QuotaServer(says({"path": "a.py"}), requests=12, seconds=3) as server:
    ...
    assert len(server.refused) <= 4  # no more than were under way when it closed
"""

import time
from datetime import UTC, datetime, timedelta

from echelon.model.adapter import JsonObject
from echelon.testing.llm_server import Answer, LlmServer, refuses

#: A refusal takes so long, so that what is under way at that moment arrives before anybody can know of it.
REFUSED_AFTER_SECONDS = 0.2


class QuotaServer(LlmServer):
    """The provider. `refused` says when each refused request came, in seconds of `time.monotonic`."""

    def __init__(self, answer: Answer, *, requests: int, seconds: float) -> None:
        super().__init__(answer)
        self.refused: list[float] = []
        self._answer_of_all = answer
        self._left = requests
        self._seconds = seconds
        self._opens_at: float | None = None

    def answer_to(self, request: JsonObject) -> Answer | None:
        """Answer a request, or refuse it while the quota is used up."""
        now = time.monotonic()
        with self._lock:
            self.requests.append(request)
            self.arrived.append(now)
            if self._left == 0 and self._opens_at is None:
                self._opens_at = now + self._seconds
            closed = self._opens_at is not None and now < self._opens_at
            if closed:
                self.refused.append(now)
            elif self._left:
                self._left -= 1
        if not closed:
            return None if self.wait(self._answer_of_all.delay_seconds) else self._answer_of_all
        assert self._opens_at is not None, "what is closed opens at a time"
        until = datetime.now(UTC) + timedelta(seconds=self._opens_at - now)
        headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{until.timestamp():.3f}"}
        refusal = refuses(429, message="Rate limit reached for requests", headers=headers)
        return None if self.wait(REFUSED_AFTER_SECONDS) else refusal
