"""O5: which answers count, and what an approval can begin: everything else is refused, with a reason that is clear."""

import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.terms import Gate
from echelon.oversight.gates.answers import AnswerWish, extended, more_time
from echelon.runlog.gates import why_not_usable
from tests.unit.engine.asking.gates import NOON, a_gate, an_action, an_answer
from tests.unit.oversight.building import raised

LATER = NOON + timedelta(seconds=61)

OPEN = a_gate(terms=Gate(approvers=("ada", "ben")))
ENDS = a_gate(expires=NOON + timedelta(seconds=60))
ENDS_YES = a_gate(expires=NOON + timedelta(seconds=60), terms=Gate(on_expiry="approve", expires_seconds=60))
ENDED, RESUME = "the time to answer ended at 2026-11-29 12:01:00 UTC", "echelon resume run"
ANSWERED = a_gate(answers=(an_answer(),))
LACKS = a_gate(action=an_action(missing=("check/b: it failed",)))


def approve(author: str = "ada", **more: Any) -> AnswerWish:
    return AnswerWish(verdict="approve", author=author, reason="seen", **more)


@pytest.mark.parametrize(
    ("gate", "wish", "refused"),
    [
        (OPEN, approve(), ""),
        (OPEN, approve("mallory"), "mallory may not answer it; ada, ben may"),
        (OPEN, approve(nonce="of another"), "it is an answer to another gate, or to one that was asked before"),
        (OPEN, approve(digest="of 820,000"), "what would be done is not what was read: look at the gate again"),
        (OPEN, AnswerWish(verdict="done", author="ada"), "'done' is no answer to it; say approve, deny"),
        (ENDS, approve(), f"{ENDED}; deny counts when the run goes on: echelon resume run"),
        (ENDS_YES, approve(), f"{ENDED}; approve, unless something holds it, counts when the run goes on: {RESUME}"),
        (ANSWERED, approve("ben"), "answered before: approve by ada at 2026-11-29 12:00:00 UTC"),
        (a_gate(closed="superseded by run two"), approve(), "not asked any more: superseded by run two"),
        (LACKS, approve(partial=True), ""),
    ],
)
def test_an_answer_counts_or_says_why_it_does_not(gate: GateRecord, wish: AnswerWish, refused: str) -> None:
    assert wish.about(gate, LATER, ()).refused == refused


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"approvers": ("mia", " ")}, "approvers.1"),
        ({"on_expiry": "approve"}, "give expires_seconds, too"),
        ({"expires_seconds": 1e12}, "less than or equal to 315360000"),
        ({"expires_seconds": 0}, "greater than 0"),
    ],
)
def test_terms_that_nobody_could_keep_are_refused(stated: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        Gate.model_validate(stated)


def test_blanks_around_a_name_say_nothing() -> None:
    gate = a_gate(terms=Gate(approvers=("mia\n",)))

    assert approve(" mia ").about(gate, NOON, ()).refused == ""
    with pytest.raises(InvalidInput, match="an answer needs the name of whoever gives it"):
        approve(" ").about(gate, NOON, ())


@pytest.mark.parametrize("hours", [0, -1, float("nan"), float("inf"), 1e300, 87_601])
def test_more_time_is_some_hours(hours: float) -> None:
    with pytest.raises(InvalidInput, match="a gate is extended by more than 0 and at most 87,600 hours, not by"):
        more_time(hours)


def test_more_time_is_never_less_and_has_an_end() -> None:
    ends = NOON + timedelta(hours=1)

    assert extended(ends, NOON, more_time(2)) == NOON + timedelta(hours=3)
    assert extended(NOON - timedelta(hours=5), NOON, more_time(2)) == NOON + timedelta(hours=2)
    with pytest.raises(InvalidInput, match="waits for 87,600 hours at most from now on, and would end on 2036-"):
        extended(ends, NOON, more_time(87_600))


def test_partial_inputs_and_open_concerns_hold_an_approval_and_no_denial() -> None:
    deny = AnswerWish(verdict="deny", author="ada", reason="no")
    concern = raised("the account was closed")

    assert approve().about(LACKS, NOON, ()).refused.startswith("not all of its inputs are there (check/b: it failed)")
    assert approve().about(a_gate(), NOON, [concern]).refused.startswith("open concerns about it, or about what it")
    assert [deny.about(LACKS, NOON, ()).refused, deny.about(a_gate(), NOON, [concern]).refused] == ["", ""]


@pytest.mark.parametrize(
    ("gate", "begins", "why"),
    [
        (ANSWERED, ("key", "d"), ""),
        (a_gate(), ("key", "d"), "nobody has answered"),
        (a_gate(answers=(an_answer(verdict="deny"),)), ("key", "d"), "ada answered deny"),
        (a_gate(answers=(an_answer(refused="no"),)), ("key", "d"), "nobody has answered"),
        (a_gate(answers=(an_answer(),), used=True), ("key", "d"), "it was used before, and is good for one time"),
        (ANSWERED, ("another", "d"), "it was given for another step"),
        (ANSWERED, ("key", "of 820,000"), "what would be done is not what was approved"),
        (a_gate(answers=(an_answer(digest="of 82"),)), ("key", "d"), "what would be done is not what was approved"),
        (a_gate(answers=(an_answer(nonce="old"),)), ("key", "d"), "it was given for another gate"),
        (a_gate(answers=(an_answer(),), expires=NOON), ("key", "d"), "it ended at 2026-11-29 12:00:00 UTC"),
        (a_gate(answers=(an_answer(),), closed="older inputs"), ("key", "d"), "it is not asked any more: older inputs"),
    ],
)
def test_an_approval_begins_exactly_what_it_was_given_for_once(
    gate: GateRecord, begins: tuple[str, str], why: str
) -> None:
    key, digest = begins

    assert why_not_usable(gate, key, digest, LATER) == why
