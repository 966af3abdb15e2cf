"""A token answers the one gate or concern that it was made for, once, for whom it was made (O8)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from echelon import Notify
from echelon.model.concern import Disposition
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateAnswer
from echelon.model.oversight.notification import IssuedToken
from echelon.model.oversight.terms import Gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.oversight.notify.answering import (
    answer_with_token,
    dispose_with_token,
    extend_with_token,
    find_token,
)
from echelon.oversight.notify.queueing import with_notices
from echelon.oversight.notify.tokens import digest_of_token, new_token
from echelon.runlog.events import GateRaised
from echelon.runlog.notify_events import NotificationQueued, TokensIssued
from echelon.testing.journal import MemoryJournal
from echelon.testing.run_events import NOON, concern_raised, gate, run_started

pytestmark = pytest.mark.anyio

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def wish(verdict: Any = "approve", author: str = "mia", **more: Any) -> AnswerWish:
    return AnswerWish(verdict=verdict, author=author, reason="seen", **more)


def end(author: str = "mia") -> Disposition:
    return Disposition(verdict="resolved", author=author, reason="it is gone", at=datetime.now(UTC))


class Told:
    """A journal in which people were told of a gate and a concern; `tokens` are those of the messages, in order."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.tokens: list[str] = []

    async def tell(self, *approvers: str, expires: datetime = LATER) -> None:
        terms, ends = Gate(approvers=approvers), datetime.now(UTC) + timedelta(days=1)
        happened = [GateRaised(run_id="r1", at=NOON, record=gate(terms=terms, expires=ends)), concern_raised("c-1")]
        events = with_notices(happened, [Notify.command(["page"])])
        queued = [one.notification for one in events if isinstance(one, NotificationQueued)]
        self.tokens = [new_token(one.subject_id) for one in queued]
        issued = tuple(
            IssuedToken(digest=digest_of_token(token), notification_id=one.id, expires=expires)
            for token, one in zip(self.tokens, queued, strict=True)
        )
        await self.journal.append(run_started(), *events, TokensIssued(run_id="r1", at=NOON, tokens=issued))

    async def answer(self, token: str, one: AnswerWish) -> str:
        """Answer, and return why that does not count."""
        return (await answer_with_token(self.journal, await find_token(self.journal, token), one)).answer.refused

    async def answers(self) -> list[GateAnswer]:
        """Return all answers on record."""
        (found,) = await self.journal.gates(ids=["g-1"])
        return list(found.answers)


@pytest.fixture
def told() -> Told:
    return Told()


async def test_an_answer_counts_and_says_where_it_came_from(told: Told) -> None:
    await told.tell()

    assert await told.answer(told.tokens[0], wish()) == ""
    (answer,) = await told.answers()
    assert (answer.verdict, answer.author, answer.channel, answer.digest) == ("approve", "mia", "token", gate().digest)


async def test_a_token_is_of_no_use_once_the_gate_is_answered(told: Told) -> None:
    await told.tell()
    await told.answer(told.tokens[0], wish("deny"))

    refused = await told.answer(told.tokens[0], wish())

    assert refused.startswith("answered before: deny by mia")
    assert [one.verdict for one in await told.answers()] == ["deny", "approve"]


async def test_a_token_that_was_made_for_one_person_is_no_use_to_another(told: Told) -> None:
    await told.tell("mia", "tom")
    of_mia, of_tom, _ = told.tokens

    assert await told.answer(of_mia, wish(author="tom")) == "the token is for mia, not for tom"
    assert await told.answer(of_tom, wish(author="tom")) == ""
    assert [bool(one.refused) for one in await told.answers()] == [True, False]


async def test_a_token_that_ended_or_was_never_made_answers_nothing_and_that_is_on_record(told: Told) -> None:
    await told.tell(expires=datetime(2026, 5, 5, tzinfo=UTC))

    assert await told.answer(told.tokens[0], wish()) == "the token ended at 2026-05-05 00:00:00 UTC"
    assert await told.answer(new_token("g-1"), wish()) == "no message has this token"
    (first, second) = await told.answers()
    assert (bool(first.refused), bool(second.refused)) == (True, True)
    assert (await told.journal.gates(open_only=True))[0].is_open


async def test_the_token_of_one_thing_is_no_use_for_another(told: Told) -> None:
    await told.tell()
    of_gate, of_concern = told.tokens
    moved = f"g-1.{of_concern.rpartition('.')[2]}"

    assert await told.answer(moved, wish()) == "no message has this token"
    with pytest.raises(InvalidInput, match="this token is for concern 'c-1': say resolved, accepted or dismissed"):
        await told.answer(of_concern, wish())
    with pytest.raises(InvalidInput, match="this token is for gate 'g-1': say approve, deny, done or extend"):
        await dispose_with_token(told.journal, await find_token(told.journal, of_gate), end())


@pytest.mark.parametrize("text", ["", "nonsense", "g-9." + "0" * 32])
async def test_a_text_that_names_nothing_here_is_said_to(text: str, told: Told) -> None:
    await told.tell()

    with pytest.raises(InvalidInput, match="this token belongs to nothing in this journal"):
        await find_token(told.journal, text)


async def test_more_time_does_not_use_a_token_up(told: Told) -> None:
    await told.tell()
    found = await find_token(told.journal, told.tokens[0])

    longer = await extend_with_token(told.journal, found, timedelta(hours=1), "mia", "a second look")

    assert longer.expires is not None
    assert await told.answer(told.tokens[0], wish()) == ""


async def test_a_concern_is_ended_once(told: Told) -> None:
    await told.tell()
    token = told.tokens[1]

    ended = await dispose_with_token(told.journal, await find_token(told.journal, token), end())

    assert ended.disposition is not None
    with pytest.raises(InvalidInput, match="the token was used before"):
        await dispose_with_token(told.journal, await find_token(told.journal, token), end())
    (record,) = await told.journal.concerns()
    assert (record.disposition and record.disposition.author) == "mia"
