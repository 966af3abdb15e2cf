"""The courier of one run: delivers what is in its outbox, again and again where it fails, beside the work (O8).

    token made, its digest on record → message sent → on record as sent

A crash between the second and the third sends the message once more, with the same idempotency key. A failure never
fails the run: it is on record, reported once, and tried again; what is left at the end stays in the outbox, for any
later process.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import utc_now
from echelon.journal.failpoints import failpoint
from echelon.model.concern import ConcernRecord
from echelon.model.errors import JournalError, LeaseLost, NotDelivered
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.notification import IssuedToken, NotificationRecord
from echelon.oversight.gates.answering import concerns_at
from echelon.oversight.notify.letters import Letter, letters_of, unsent, way_of
from echelon.oversight.notify.message import (
    PersonMessage,
    Sender,
    clean,
    concerns_message,
    exceptions_message,
    gate_message,
)
from echelon.oversight.notify.tokens import digest_of_token, new_token
from echelon.redaction import register_secret
from echelon.resilience.retry import Sleep, stop_when_asked_to_stay_away, wait_as_asked, wait_full_jitter
from echelon.runlog.events import LoggedEvent
from echelon.runlog.notify_events import NotificationFailed, NotificationQueued, NotificationSent, TokensIssued
from echelon.runlog.state import RunState

log = logging.getLogger("echelon.engine")

#: How long a token is good at most; its gate may end before.
TOKEN_DAYS = 30

#: Attempts of one process at one message, and the bounds of the waits between them, in seconds.
ATTEMPTS, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30, 1.0, 300.0

#: Between two messages about concerns through one channel, in seconds: many that come at once go together.
CONCERNS_APART_SECONDS = 30.0

#: How often it is looked for what other processes of the run have put into the outbox, in seconds.
LOOK_SECONDS = 5.0

#: How long a run that has ended waits for its messages, in seconds.
LAST_SECONDS = 10.0

Deliver = Callable[[NotifyChannel, PersonMessage], Awaitable[None]]
"""Delivers a message once, or raises `NotDelivered`."""


class Courier:
    """Delivers the messages of one run. `address` is where Prefect asks the same; empty where it does not."""

    def __init__(
        self,
        run_log: RunLog,
        deliver: Deliver,
        *,
        address: str = "",
        attempts: int = ATTEMPTS,
        apart_seconds: float = CONCERNS_APART_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        sleep: Sleep = asyncio.sleep,
        now: Callable[[], datetime] = utc_now,
        rng: random.Random | None = None,
    ) -> None:
        self._log = run_log
        self._deliver = deliver
        self._address = address
        self._attempts = attempts
        self._apart_seconds = apart_seconds
        self._look_seconds = look_seconds
        self._sleep = sleep
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits
        self._ways: dict[str, asyncio.Task[None]] = {}
        """Who is at work on what goes one way."""
        self._given_up: set[str] = set()
        """Notifications that this process tries no more."""
        self._is_last = asyncio.Event()
        """Set when nothing more is to come."""
        self._is_news = asyncio.Event()
        """Set when something has come into the outbox."""

    async def follow(self) -> None:
        """Deliver what is in the outbox, and whatever comes into it, until cancelled."""
        with self._log.journal.watching(self._log.run_id, self._watch):
            while True:
                self._is_news.clear()
                try:
                    await self.start()
                except JournalError as error:
                    _tell_of_trouble(self._log.run_id, error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_seconds):
                        await self._is_news.wait()

    def _watch(self, committed: Sequence[LoggedEvent]) -> None:
        if any(isinstance(entry.event, NotificationQueued) for entry in committed):
            self._is_news.set()

    async def start(self) -> None:
        """Begin to deliver everything that nobody is delivering."""
        for way in {way_of(record): None for record in self._unsent(await self._log.refresh())}:
            at_work = self._ways.get(way)
            if at_work is None or at_work.done():
                self._ways[way] = asyncio.create_task(self._send_all(way), name="echelon-courier")

    async def finish(self, seconds: float) -> None:
        """Deliver what is left, for so long at most; then stop."""
        self._is_last.set()
        try:
            await self.start()
            if self._ways:
                await asyncio.wait(self._ways.values(), timeout=seconds)
        except JournalError as error:
            _tell_of_trouble(self._log.run_id, error)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop at once; what was not delivered stays in the outbox."""
        for task in self._ways.values():
            task.cancel()
        if self._ways:
            await asyncio.wait(self._ways.values())

    def _unsent(self, state: RunState) -> list[NotificationRecord]:
        waiting = unsent(state.notifications, state.gates, state.concerns)
        return [record for record in waiting if record.notification.id not in self._given_up]

    async def _send_all(self, way: str) -> None:
        """Send everything that goes one way, message by message."""
        try:
            while letters := letters_of(one for one in self._unsent(self._log.state) if way_of(one) == way):
                await self._send(letters[0])
                if not letters[0].is_gate:
                    await self._pause()
        except JournalError as error:  # nothing can be noted: a later process does it all again
            _tell_of_trouble(self._log.run_id, error)

    async def _pause(self) -> None:
        """Let concerns gather; at the end there is nothing to wait for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._apart_seconds):
                await self._is_last.wait()

    async def _send(self, letter: Letter) -> None:
        """Send one message, with all attempts that this process makes."""
        message = await self._write(letter, self._log.state)
        tries = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._attempts) | stop_when_asked_to_stay_away(),
            wait=wait_as_asked(wait_full_jitter(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, self._rng)),
            retry=retry_if_exception(lambda error: isinstance(error, NotDelivered) and error.passing),
            reraise=True,
        )
        try:
            async for attempt in tries:
                with attempt:
                    await self._try(letter, message, attempt.retry_state.attempt_number)
        except NotDelivered:
            self._given_up.update(letter.notifications)

    async def _try(self, letter: Letter, message: PersonMessage, attempt: int) -> None:
        if not self._still_waits(letter):  # somebody has answered meanwhile
            self._given_up.update(letter.notifications)
            return
        try:
            await self._deliver(letter.channel, message)
        except NotDelivered as error:
            await self._note_failure(letter, error, attempt)
            raise
        failpoint("notification.delivered")
        await self._log.append(
            NotificationSent(
                run_id=self._log.run_id, at=self._now(), key=letter.key, notifications=letter.notifications
            )
        )
        failpoint("notification.recorded")

    def _still_waits(self, letter: Letter) -> bool:
        waiting = {record.notification.id for record in self._unsent(self._log.state)}
        return not waiting.isdisjoint(letter.notifications)

    async def _write(self, letter: Letter, state: RunState) -> PersonMessage:
        """Write a message, with tokens of its own where it can be answered; what can be known of them is on record."""
        if letter.topic == "exception":
            return exceptions_message(self._sender(letter, state), _reports(letter, state))
        tokens = {
            record.notification.subject_id: new_token(record.notification.subject_id) for record in letter.records
        }
        at = self._now()
        issued = [
            IssuedToken(
                digest=digest_of_token(tokens[record.notification.subject_id]),
                notification_id=record.notification.id,
                expires=at + timedelta(days=TOKEN_DAYS),
            )
            for record in letter.records
        ]
        for token in tokens.values():
            register_secret(token)  # a program that fails may print what it was given
        await self._log.append(TokensIssued(run_id=self._log.run_id, at=at, tokens=tuple(issued)))
        sender = self._sender(letter, state, tokens)
        if letter.is_gate:
            gate = state.gates[letter.records[0].notification.subject_id]
            holding = await concerns_at(self._log.journal, state, gate)
            return gate_message(sender, gate, state.concerns, [one.id for one in holding])
        return concerns_message(sender, _concerns(letter, state))

    def _sender(self, letter: Letter, state: RunState, tokens: Mapping[str, str] = MappingProxyType({})) -> Sender:
        return Sender(
            key=letter.key,
            job=state.record.job if state.record else "",
            run_id=self._log.run_id,
            address=self._address,
            approver=letter.records[0].notification.approver,
            tokens=tokens,
        )

    async def _note_failure(self, letter: Letter, error: NotDelivered, attempt: int) -> None:
        """Put a failure on record; the first one of a message is reported too."""
        known, at = self._log.state.notifications, self._now()
        failed = NotificationFailed(
            run_id=self._log.run_id,
            at=at,
            key=letter.key,
            notifications=letter.notifications,
            attempt=attempt,
            error=clean(str(error)),
            passing=error.passing,
        )
        if any(known[one].attempts for one in letter.notifications if one in known):
            await self._log.append(failed)
            return
        await self._log.append(failed, self._log.pushed(self._report(letter, error, at)))

    def _report(self, letter: Letter, error: NotDelivered, at: datetime) -> ExceptionReport:
        plan, told = self._log.state.plan, letter.records[0].notification
        about = f"{told.topic} {told.subject_id}"
        others = f" and {len(letter.records) - 1} more" if len(letter.records) > 1 else ""
        return ExceptionReport(
            trigger=Trigger.NOT_TOLD,
            level=Level.WARNING,
            path=(plan.primary.id,) if plan else (),
            message=(
                f"{letter.channel.label} was not told of {about}{others}: {clean(str(error))}; it is tried again, also "
                f"by: echelon notify {self._log.run_id}"
            ),
            at=at,
        )


@contextlib.asynccontextmanager
async def delivering(courier: Courier, last_seconds: float = LAST_SECONDS) -> AsyncGenerator[None]:
    """Deliver messages beside the block, and for a while behind it; where it fails they stay in the outbox."""
    following = asyncio.create_task(courier.follow(), name="echelon-outbox")
    try:
        yield
        await _end(following)
        await courier.finish(last_seconds)
    finally:
        await _end(following)
        await courier.stop()


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _concerns(letter: Letter, state: RunState) -> list[ConcernRecord]:
    return [state.concerns[one.notification.subject_id] for one in letter.records]


def _reports(letter: Letter, state: RunState) -> list[ExceptionReport]:
    """Return the exceptions that a message is about; the notification was put on record behind each of them."""
    known = {report.id: report for report in state.exceptions}
    return [known[one.notification.subject_id] for one in letter.records]


def _tell_of_trouble(run_id: str, error: JournalError) -> None:
    if not isinstance(error, LeaseLost):  # else whoever has the run delivers
        log.warning("messages of run %s wait: %s; they are sent by: echelon notify %s", run_id, error, run_id)
