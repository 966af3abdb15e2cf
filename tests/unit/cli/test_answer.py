"""`echelon answer` and `echelon notify`: what is said, in one line, and what they end with (O8)."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from echelon import Notify
from echelon.journal.journal import SqlJournal
from echelon.model.oversight.gate import Question
from echelon.model.oversight.notification import IssuedToken
from echelon.oversight.notify.queueing import with_notices
from echelon.oversight.notify.tokens import digest_of_token, new_token
from echelon.runlog.events import GateRaised
from echelon.runlog.notify_events import NotificationQueued, TokensIssued
from echelon.settings import Settings
from echelon.testing.run_events import NOON, concern_raised, gate, run_started
from tests.unit.cli.conftest import Said

OF_GATE, OF_CONCERN = new_token("g-1"), new_token("c-1")


async def tell(*argv: str) -> None:
    """Put on record that people were told of a gate and a concern, with those tokens, and not yet delivered."""
    happened = [
        GateRaised(run_id="r1", at=NOON, record=gate(expires=datetime.now(UTC) + timedelta(days=1))),
        concern_raised("c-1"),
    ]
    events = with_notices(happened, [Notify.command(list(argv))])
    ids = [one.notification.id for one in events if isinstance(one, NotificationQueued)]
    end = NOON.replace(year=2100)
    issued = tuple(
        IssuedToken(digest=digest_of_token(token), notification_id=one, expires=end)
        for token, one in zip((OF_GATE, OF_CONCERN), ids, strict=True)
    )
    async with SqlJournal.open(Settings()) as journal:
        await journal.append(run_started(), *events, TokensIssued(run_id="r1", at=NOON, tokens=issued))


@pytest.fixture
def told(home: Path) -> None:
    asyncio.run(tell("no-such-pager"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((OF_GATE, "approve", "--as", "mia", "--reason", " "), "the reason is empty"),
        ((OF_GATE, "approve", "--as", "mia", "--reason", "x", "--output", "1"), "it goes with done, not with approve"),
        ((OF_GATE, "done", "--as", "mia", "--reason", "x", "--output", "sent"), "--output is not valid JSON"),
        ((OF_GATE, "resolved", "--as", "mia", "--reason", "x"), "this token is for gate 'g-1'"),
        ((OF_GATE, "done", "--as", "mia", "--reason", "x"), "'done' is no answer to it; say approve, deny"),
        ((OF_CONCERN, "approve", "--as", "mia", "--reason", "x"), "this token is for concern 'c-1'"),
        ((OF_CONCERN, "extend", "--as", "mia", "--reason", "x"), "this token is for concern 'c-1'"),
        ((OF_CONCERN, "dismissed", "--as", "mia", "--reason", "x"), "--looked-at WHAT"),
        (("g-1.nonsense", "approve", "--as", "mia", "--reason", "x"), "belongs to nothing in this journal"),
        ((new_token("g-1"), "approve", "--as", "mia", "--reason", "x"), "no message has this token"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(arguments, said, told, echelon) -> None:
    answered: Said = echelon("answer", *arguments)

    assert answered.code == 2
    assert said in answered.err
    assert answered.err.count("\n") == 1


@pytest.mark.parametrize("command", ["list", "show", "answer", "approve", "deny", "done", "extend"])
def test_each_command_about_gates_shows_its_own_example(command: str, echelon) -> None:
    assert f"Example:  echelon gates {command} " in echelon("gates", command, "--help").out


def test_who_answers_is_named_by_as_or_by(told, echelon) -> None:
    approved: Said = echelon("gates", "approve", "g-1", "--by", "mia", "--reason", "seen")

    assert approved.out.startswith("g-1: approve by mia; it ends at ")


def test_an_output_of_another_kind_is_refused_before_the_run_goes_on(home: Path, echelon) -> None:
    async def cut_off() -> None:
        record = gate(question=Question.CUT_OFF, takes={"": "object", "id": "text"})
        async with SqlJournal.open(Settings()) as journal:
            await journal.append(run_started(), GateRaised(run_id="r1", at=NOON, record=record))

    asyncio.run(cut_off())
    shown: Said = echelon("gates", "show", "g-1")
    assert "echelon gates done g-1 --output JSON --reason WHY" in shown.out.splitlines()[-3]
    refused: Said = echelon("gates", "done", "g-1", "--output", '"sent"', "--reason", "on the statement")
    assert (refused.code, 'the output must be object, and is text; give {"id": text}' in refused.out) == (2, True)
    taken: Said = echelon("gates", "done", "g-1", "--output", '{"id": "r7"}', "--reason", "on the statement")
    assert (taken.code, "is held to its contract and its checks when the run goes on" in taken.out) == (0, True)


def test_a_gate_is_answered_once(told, echelon) -> None:
    answered: Said = echelon("answer", OF_GATE, "approve", "--as", "mia", "--reason", "seen", "--json")

    document = json.loads(answered.out)
    assert (answered.code, document["concern"], document["gate"]["answers"][0]["channel"]) == (0, None, "token")
    again: Said = echelon("answer", OF_GATE, "deny", "--as", "tom", "--reason", "no")
    assert (again.code, "answered before: approve by mia" in again.err) == (2, True)


def test_a_gate_is_extended(told, echelon) -> None:
    answered: Said = echelon("answer", OF_GATE, "extend", "--as", "mia", "--reason", "later", "--hours", "2")

    assert (answered.code, answered.out.startswith("g-1: waits until ")) == (0, True)


def test_a_concern_is_ended_once_with_what_was_looked_at(told, echelon) -> None:
    arguments = (OF_CONCERN, "dismissed", "--as", "mia", "--reason", "one lock", "--looked-at", "locks.py:12")
    answered: Said = echelon("answer", *arguments)
    again: Said = echelon("answer", *arguments)

    assert (answered.code, answered.out) == (0, "c-1: dismissed by mia\n")
    assert (again.code, "the token was used before" in again.err) == (2, True)
    assert "locks.py:12" in echelon("concerns", "show", "c-1", "--json").out


def test_what_cannot_be_delivered_is_named_and_ends_with_3(told, echelon) -> None:
    tried: Said = echelon("notify", "r1")

    assert tried.code == 3
    assert tried.out.splitlines()[0] == "r1: 0 notifications delivered, 2 not"
    assert "command no-such-pager was not told of gate g-1 yet (1 attempt: no-such-pager cannot be started" in tried.out
    left = json.loads(echelon("notify", "--json").out)["runs"][0]["left"]
    assert [(one["subject_id"], one["attempts"]) for one in left] == [("g-1", 2), ("c-1", 2)]
    shown: Said = echelon("show", "r1")
    assert "0 of 2 notifications delivered" in shown.out
    assert "echelon notify r1" in shown.out


def test_what_is_delivered_is_counted_and_nobody_waits_any_more(home, echelon) -> None:
    asyncio.run(tell(sys.executable, "-c", "import sys; sys.stdin.read()"))

    sent: Said = echelon("notify")

    assert (sent.code, sent.out) == (0, "r1: 2 notifications delivered\n")
    assert echelon("notify").out == "nobody waits for a message\n"
    assert [one["sent"] is not None for one in json.loads(echelon("show", "r1", "--json").out)["notifications"]] == [
        True,
        True,
    ]
