"""The breakers that processes share through Redis, as a person sees and handles them from outside (F1)."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from pybreaker import STATE_CLOSED, STATE_OPEN

from echelon.model.errors import DependencyFailed, InvalidInput
from echelon.model.phrasing import one_line
from echelon.resilience.breaker.lua import SCRIPT
from echelon.resilience.breaker.machine import isolation
from echelon.resilience.breaker.redis_client import address_of, away_errors, client_of
from echelon.resilience.breaker.store import BreakerRecord
from echelon.resilience.breaker.wire import EVERY_KEY, keys_of, name_of, record_of

#: A person waits longer for an answer than a call does, in seconds.
PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class ServerReply:
    """What a Redis server says of itself."""

    address: str
    """Where it is, without user and password."""
    version: str
    """Its version."""
    milliseconds: float
    """How long it took for one question."""


class BreakerBoard:
    """What is on record of all shared breakers; `DependencyFailed` from each method when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url, answer_seconds=PATIENCE_SECONDS)
        self._script = self._client.register_script(SCRIPT)
        self.address = address_of(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def answer(self) -> ServerReply:
        """Ask the server who it is."""
        with self._explained():
            self._client.ping()  # the way is open from here on, which is not part of the measure
            began = time.perf_counter()
            self._client.ping()
            milliseconds = (time.perf_counter() - began) * 1000
            version = str(self._client.info("server")["redis_version"])
        return ServerReply(address=self.address, version=version, milliseconds=milliseconds)

    def records(self) -> dict[str, BreakerRecord]:
        """Return what is on record, by the name of the dependency, in order of the names."""
        with self._explained():
            names = sorted(map(name_of, self._client.scan_iter(match=EVERY_KEY, count=1000)))
            pipe = self._client.pipeline(transaction=False)
            for name in names:
                self._script(keys=keys_of(name), args=["read"], client=pipe)
            return dict(zip(names, map(record_of, pipe.execute()), strict=True))

    def isolate(self, name: str, why: str, by: str) -> BreakerRecord:
        """Refuse all calls to a dependency in all processes until `reset`; it need not have been called before."""
        trips = self._run(name, ["read"]).trips
        return self._publish(name, (STATE_OPEN, 0, trips, isolation(why, by), why, by))

    def reset(self, name: str) -> BreakerRecord:
        """Let calls to a dependency through again in all processes; `InvalidInput` when nothing is on record of it."""
        known = self.records()
        if name not in known:
            listed = ", ".join(known) or "none"
            raise InvalidInput(f"no breaker is named {name!r} in Redis at {self.address}; there are: {listed}")
        return self._publish(name, (STATE_CLOSED, 0, 0, "", "", ""))

    def _publish(self, name: str, change: Sequence[Any]) -> BreakerRecord:
        return self._run(name, ["publish", "always", *change])

    def _run(self, name: str, change: Sequence[Any]) -> BreakerRecord:
        with self._explained():
            return record_of(self._script(keys=keys_of(name), args=list(change)))

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except away_errors() as error:
            why = one_line(error).rstrip(".")
            raise DependencyFailed(
                f"Redis at {self.address} did not do what it was asked for ({why}); "
                "start it, or correct or unset ECHELON_REDIS_URL",
                passing=True,
            ) from error
