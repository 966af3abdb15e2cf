"""Breakers shared by several processes through Redis (F1).

One thread a process talks to Redis: it tells what happened here, asks for probes, and reads ten times a second
what happened elsewhere. No call waits for it while its breaker is closed. When Redis is away, each process goes on
by itself, says so, and tells what it did once Redis is back.
"""

import contextlib
import itertools
import queue
import threading
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future

from echelon.resilience.breaker.lua import SCRIPT
from echelon.resilience.breaker.permit import Permit
from echelon.resilience.breaker.redis_client import away_errors, client_of
from echelon.resilience.breaker.store import BreakerRecord, Ended, Member
from echelon.resilience.breaker.wire import keys_of, record_of

READ_EVERY_SECONDS = 0.1
TRY_AGAIN_SECONDS = 1.0  # while Redis is away

Job = Callable[[], None]


class RedisStore:
    """The state of breakers in Redis, under `echelon:breaker:<name>`."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url)
        self._away = away_errors()
        self._script = self._client.register_script(SCRIPT)
        self._breakers: dict[str, Member] = {}
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._tokens = (f"{uuid.uuid4().hex}-{number}" for number in itertools.count())
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._up = False
        self._read_at = 0.0

    @property
    def up(self) -> bool:
        """Did Redis answer when it was asked last?"""
        return self._up

    def join(self, breaker: Member) -> "RedisLink":
        """Keep a breaker in step from now on."""
        with self._lock:
            self._breakers = {**self._breakers, breaker.name: breaker}
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="echelon-breakers", daemon=True)
                self._thread.start()
        self.do(self._read)
        return RedisLink(self, breaker)

    def do(self, job: Job) -> None:
        """Have something done by the thread, after what was put before it."""
        with self._lock:
            if self._thread is not None:
                self._jobs.put(job)
                return
        job()  # closed: nobody must wait for an answer that never comes

    def close(self) -> None:
        """Tell what is still to be told, and end the thread; the breakers go on by themselves."""
        with self._lock:
            thread, self._thread, self._breakers = self._thread, None, {}
            self._jobs.put(None)
        if thread is not None:
            thread.join()
        self._up = False
        self._client.close()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=max(0.0, self._read_at - time.monotonic()))
            except queue.Empty:
                job = self._read
            if job is None:
                return
            job()

    def _read(self) -> None:
        self._read_at = time.monotonic() + READ_EVERY_SECONDS
        breakers = tuple(self._breakers.values())
        with self._noticing():
            pipe = self._client.pipeline(transaction=False)
            for breaker in breakers:
                self._script(keys=keys_of(breaker.name), args=["read"], client=pipe)
            replies = pipe.execute()
            self._found(up=True)
            for breaker, reply in zip(breakers, replies, strict=True):
                breaker.follow(record_of(reply))

    def answer(self, breaker: Member, answer: Future[Permit]) -> None:
        """Answer who asks for a probe."""
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(self._permit(breaker))
        except Exception as error:  # noqa: BLE001 - the asker must hear of everything
            answer.set_exception(error)

    def _permit(self, breaker: Member) -> Permit:
        if not breaker.must_ask():  # one that asked before has the answer already
            return breaker.admit_here()
        policy, token = breaker.policy, next(self._tokens)
        with self._noticing():
            reply = self.run(breaker, ("trial", token, policy.half_open_calls, round(policy.probe_seconds * 1000)))
            return breaker.grant(record_of(reply), token if reply[6] else None)
        return breaker.admit_here()

    def change(self, breaker: Member, change: Sequence[object]) -> BreakerRecord | None:
        """Make a change, and return what is on record then; None when Redis is away."""
        if self._up:
            with self._noticing():
                return record_of(self.run(breaker, change))
        return None

    def run(self, breaker: Member, change: Sequence[object]) -> Sequence[object]:
        """Run the script, and return what it says; its errors are Redis' own."""
        reply: Sequence[object] = self._script(keys=keys_of(breaker.name), args=list(change))
        self._found(up=True)
        return reply

    @contextlib.contextmanager
    def _noticing(self) -> Generator[None]:
        """Notice that Redis is away; what was to be done then is not."""
        try:
            yield
        except self._away:
            self._read_at = time.monotonic() + TRY_AGAIN_SECONDS
            self._found(up=False)

    def _found(self, *, up: bool) -> None:
        changed, self._up = self._up != up, up
        if changed:
            for breaker in self._breakers.values():
                breaker.share_changed()


class RedisLink:
    """What ties one breaker to the others of its name."""

    def __init__(self, store: RedisStore, breaker: Member) -> None:
        self._store = store
        self._breaker = breaker

    @property
    def up(self) -> bool:
        """Did Redis answer when it was asked last?"""
        return self._store.up

    def ask(self) -> Future[Permit]:
        """Ask for a probe; the answer is a permit or `BreakerOpen`."""
        answer: Future[Permit] = Future()
        self._store.do(lambda: self._store.answer(self._breaker, answer))
        return answer

    def publish(self, record: BreakerRecord, *, always: bool) -> None:
        """Make `record` the shared state: unless it has changed since that epoch, or always."""
        wait_ms = round(record.probe_in_seconds * 1000)
        epoch = "always" if always else record.epoch
        by_hand = (record.isolated, record.isolated_by)
        change = ("publish", epoch, record.state, wait_ms, record.trips, record.reason, *by_hand)
        self._store.do(lambda: self._breaker.published(self._store.change(self._breaker, change)))

    def settle(self, generation: int, ended: Ended) -> None:
        """Tell how a probe ended."""
        policy, open_ms = self._breaker.policy, round(ended.open_seconds * 1000)
        bounds = (policy.half_open_calls, policy.slow_call_rate, open_ms)
        change = ("settle", ended.epoch, ended.token, ended.result.value, *bounds, ended.reason)
        self._store.do(lambda: self._breaker.settled(generation, ended, self._store.change(self._breaker, change)))
