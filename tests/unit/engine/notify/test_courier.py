"""The courier of a run: what it delivers, how often it tries, and what it puts on record (O8)."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from echelon import Notify
from echelon.coordination.run_log import RunLog
from echelon.engine.notify.courier import Courier, delivering
from echelon.model.errors import NotDelivered
from echelon.model.exception_report import Level
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.terms import Gate
from echelon.oversight.notify.message import PersonMessage
from echelon.oversight.notify.shapes import as_text
from echelon.oversight.notify.tokens import digest_of_token
from echelon.runlog.events import ExceptionPushed, GateAnswered, GateRaised
from echelon.runlog.notify_events import NotificationFailed, NotificationSent, TokensIssued
from echelon.testing.journal import MemoryJournal
from echelon.testing.run_events import NOON, concern_raised, exception_report, gate, gate_answer, run_started

pytestmark = pytest.mark.anyio

PAGER, MAIL = Notify.command(["page"]), Notify.webhook("https://a.example/hook")


class Post:
    """Where messages arrive; `fails` are raised first, one a message."""

    def __init__(self, *fails: NotDelivered) -> None:
        self.got: list[PersonMessage] = []
        self.fails = list(fails)
        self.waits: list[float] = []
        self.arrived = asyncio.Event()

    async def deliver(self, _channel: NotifyChannel, message: PersonMessage) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(message)
        self.arrived.set()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def courier(self, log: RunLog, **options: Any) -> Courier:
        known: dict[str, Any] = {"sleep": self.sleep, "rng": random.Random(1), "apart_seconds": 0.0}
        return Courier(log, self.deliver, **(known | options))


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
async def log(journal: MemoryJournal) -> AsyncGenerator[RunLog]:
    await journal.append(run_started())
    made = RunLog(journal, "r1", await journal.events("r1"), channels=[PAGER])
    with journal.watching("r1", made.watch):
        yield made


def raised(gate_id: str = "g-1", **terms: Any) -> GateRaised:
    return GateRaised(run_id="r1", at=NOON, record=gate(gate_id, terms=Gate(**terms)))


async def kinds(log: RunLog, *wanted: type) -> list[Any]:
    return [one.event for one in await log.journal.events("r1") if isinstance(one.event, wanted)]


async def test_a_message_is_on_record_with_what_it_tells_of_and_delivered_beside_the_work(log: RunLog) -> None:
    post = Post()
    async with delivering(post.courier(log)):
        await log.append(raised())

    (message,) = post.got
    assert message.title.endswith(": inspect waits for an answer: may it begin?")
    (sent,) = await kinds(log, NotificationSent)
    assert sent.key == message.key


async def test_a_critical_exception_is_told_once_with_its_whole_path_and_nothing_to_answer(log: RunLog) -> None:
    post = Post()
    report = exception_report("\x1b[2Jthe\nprovider is down").model_copy(update={"level": Level.CRITICAL})
    async with delivering(post.courier(log)):
        await log.append(log.pushed(report))

    (message,) = post.got
    text = as_text(message)
    assert message.title == "audit: \\x1b[2Jthe provider is down"
    assert "at primary › inspect" in text
    assert "echelon exceptions r1 --level critical" in text
    assert message.tokens == ()
    assert len(await kinds(log, NotificationSent)) == 1
    assert await kinds(log, TokensIssued) == []


async def test_of_a_token_nothing_but_its_digest_is_on_record_and_before_it_is_sent(log: RunLog) -> None:
    post = Post()
    async with delivering(post.courier(log)):
        await log.append(raised())

    (token,) = [one.token for one in post.got[0].tokens]
    entries = await log.journal.events("r1")
    issued = next(one for one in entries if isinstance(one.event, TokensIssued))
    sent = next(one for one in entries if isinstance(one.event, NotificationSent))
    assert isinstance(issued.event, TokensIssued)
    assert [one.digest for one in issued.event.tokens] == [digest_of_token(token)]
    assert issued.seq < sent.seq
    assert token not in "".join(one.event.model_dump_json() for one in entries)


async def test_each_approver_gets_a_message_with_a_token_of_their_own(log: RunLog) -> None:
    post = Post()
    async with delivering(post.courier(log)):
        await log.append(raised(approvers=("mia", "tom")))

    assert sorted(one.approver for message in post.got for one in message.tokens) == ["mia", "tom"]
    assert len({one.token for message in post.got for one in message.tokens}) == 2


async def test_what_fails_is_tried_again_after_a_while_with_the_same_key(log: RunLog) -> None:
    post = Post(NotDelivered("HTTP status 500"), NotDelivered("HTTP status 503"))
    async with delivering(post.courier(log)):
        await log.append(raised())

    failed = await kinds(log, NotificationFailed)
    assert [(one.attempt, one.error) for one in failed] == [(1, "HTTP status 500"), (2, "HTTP status 503")]
    assert {one.key for one in failed} == {post.got[0].key}
    assert len(post.waits) == 2
    assert all(wait <= 4 for wait in post.waits)


async def test_a_failure_is_reported_once_and_stays_in_the_outbox(log: RunLog) -> None:
    post = Post(*[NotDelivered("HTTP status 500") for _ in range(3)])
    async with delivering(post.courier(log, attempts=3)):
        await log.append(raised())

    (pushed,) = await kinds(log, ExceptionPushed)
    assert (pushed.report.level, pushed.report.trigger) == ("warning", "not_told")
    assert pushed.report.message == (
        "command page was not told of gate g-1: HTTP status 500; it is tried again, also by: echelon notify r1"
    )
    (record,) = log.state.notifications.values()
    assert (record.sent, record.attempts, record.error) == (None, 3, "HTTP status 500")


async def test_what_cannot_pass_is_not_tried_again_by_this_process_but_by_the_next(log: RunLog) -> None:
    post = Post(NotDelivered("no such address", passing=False))
    async with delivering(post.courier(log)):
        await log.append(raised())

    assert (post.got, post.waits) == ([], [])
    await post.courier(log).finish(5)
    assert len(post.got) == 1
    assert len(await kinds(log, ExceptionPushed)) == 1


async def test_a_receiver_that_wants_to_be_left_alone_is(log: RunLog) -> None:
    post = Post(NotDelivered("HTTP status 429", headers={"retry-after": "7"}))
    async with delivering(post.courier(log)):
        await log.append(raised())

    assert 7 <= post.waits[0] <= 8
    assert len(post.got) == 1


async def test_a_secret_in_a_failure_is_not_on_record(log: RunLog) -> None:
    post = Post(NotDelivered("said ghp_abcdefghijklmnopqrstu", passing=False))
    async with delivering(post.courier(log)):
        await log.append(raised())

    assert "ghp_" not in "".join(one.event.model_dump_json() for one in await log.journal.events("r1"))


async def test_nobody_is_told_of_what_was_answered_meanwhile(log: RunLog) -> None:
    await log.append(raised())
    await log.append(GateAnswered(run_id="r1", at=NOON, gate_id="g-1", answer=gate_answer()))
    post = Post()

    await post.courier(log).finish(5)

    assert post.got == []


async def test_an_answer_while_a_message_waits_to_be_tried_again_ends_that(log: RunLog) -> None:
    answered = GateAnswered(run_id="r1", at=NOON, gate_id="g-1", answer=gate_answer())
    post = Post(NotDelivered("HTTP status 500"))

    async def answer_then(_seconds: float) -> None:
        await log.append(answered)

    await log.append(raised())
    await post.courier(log, sleep=answer_then).finish(5)

    assert post.got == []


async def test_concerns_that_come_at_once_are_told_in_few_messages_and_none_is_lost(log: RunLog) -> None:
    post = Post()
    async with delivering(post.courier(log, apart_seconds=60.0)):
        for number in range(100):
            await log.append(concern_raised(f"c-{number}"))

    told = [one.subject_id for message in post.got for one in message.tokens]
    assert sorted(told) == sorted(f"c-{number}" for number in range(100))
    assert len(post.got) <= 10


async def test_a_channel_that_does_not_work_does_not_hold_up_another(journal: MemoryJournal, log: RunLog) -> None:
    log.channels = [PAGER, MAIL]
    post = Post()
    reached: list[str] = []
    stuck = asyncio.Event()

    async def deliver(channel: NotifyChannel, _message: PersonMessage) -> None:
        if channel == PAGER:
            await stuck.wait()
        reached.append(channel.label)

    courier = Courier(log, deliver, sleep=post.sleep, apart_seconds=0.0)
    await log.append(raised())
    await courier.finish(0.2)

    assert reached == ["webhook a.example"]


async def test_what_another_process_puts_into_the_outbox_is_delivered_too(journal: MemoryJournal, log: RunLog) -> None:
    post = Post()
    other = RunLog(journal.beside(), "r1", channels=[PAGER])
    async with delivering(post.courier(log, look_seconds=0.01)):
        await other.append(raised())
        await post.arrived.wait()

    assert post.got[0].tokens[0].subject_id == "g-1"


async def test_a_run_that_is_stopped_waits_for_no_message(log: RunLog) -> None:
    stuck = asyncio.Event()

    async def deliver(_channel: NotifyChannel, _message: PersonMessage) -> None:
        await stuck.wait()

    async def stopped() -> None:
        async with delivering(Courier(log, deliver)):
            await log.append(raised())
            raise KeyError

    async with asyncio.timeout(10):
        with pytest.raises(KeyError):
            await stopped()
