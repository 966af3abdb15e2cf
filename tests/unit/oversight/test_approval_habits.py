"""O5: who approves everything without the time to read it is named; who has read it, or denies something, is not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from echelon.model.oversight.gate import GateRecord
from echelon.oversight.gates.habits import ANSWERED_AT_LEAST, RubberStamp, rubber_stamps
from tests.unit.engine.asking.gates import NOON, a_gate, an_action, an_answer

#: At some 48 characters a second that takes 20 s.
LONG = an_action(preview="x" * 960)


def answered(after_seconds: Sequence[float], **changes: Any) -> list[GateRecord]:
    """Gates that were all raised at noon, and answered so many seconds later."""
    moments = [NOON + timedelta(seconds=one) for one in after_seconds]
    return [a_gate(action=LONG, at=NOON, answers=(an_answer(at=one, **changes),)) for one in moments]


EVERY_3_S = [3.0 * number for number in range(1, 13)]
EVERY_30_S = [30.0 * number for number in range(1, 13)]


@pytest.mark.parametrize(
    ("gates", "unread"),
    [
        pytest.param(answered(EVERY_3_S), 12, id="one after the other, 3 s each"),
        pytest.param(answered([5.0] * 12), 12, id="all in one command, 5 s after they were raised"),
        pytest.param(answered([*EVERY_30_S[:6], *(180 + one for one in EVERY_3_S[:6])]), 6, id="half of them"),
        pytest.param(answered(EVERY_30_S), None, id="time to read each"),
        pytest.param(answered([600.0] * 12), None, id="all in one command, with the time to read all of them"),
        pytest.param(answered(EVERY_3_S[: ANSWERED_AT_LEAST - 1]), None, id="too few to tell"),
        pytest.param([*answered(EVERY_3_S), *answered([40.0], verdict="deny")], None, id="one is denied"),
        pytest.param(answered(EVERY_3_S, channel="expiry"), None, id="nobody answered"),
        pytest.param(answered(EVERY_3_S, refused="too late"), None, id="none of them counts"),
        pytest.param([], None, id="nothing was asked"),
    ],
)
def test_who_approves_everything_unread_is_named(gates: list[GateRecord], unread: int | None) -> None:
    assert rubber_stamps(gates) == (() if unread is None else (RubberStamp("ada", len(gates), unread),))


def test_people_are_told_apart() -> None:
    found = rubber_stamps(
        [*answered(EVERY_3_S, author="zoe"), *answered(EVERY_3_S), *answered(EVERY_30_S, author="ben")]
    )

    assert [one.author for one in found] == ["ada", "zoe"]
    assert found[0].said == (
        "ada approved all of 12 gates, 12 of them in less time than it takes to read what they show: "
        "such approvals decide nothing"
    )
