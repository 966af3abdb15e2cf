"""Where a run stands, rolled up from what happened (V3, V6)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.status import Status
from echelon.visibility.progress import Happening, Progress, ProgressEvent


def event(happening: Happening, node: str = "p", **changes: Any) -> ProgressEvent:
    return ProgressEvent(**({"happening": happening, "phase": "p", "node": node, "at": 0.0} | changes))


def progress(*events: ProgressEvent) -> Progress:
    made = Progress()
    for one in events:
        made.apply(one)
    return made


def test_what_begins_runs_and_what_ends_is_counted_by_how() -> None:
    made = progress(
        event(Happening.PHASE_STARTED, expected=3),
        *[event(Happening.TASK_STARTED, node, domain="d") for node in ("a", "b", "c")],
        event(Happening.TASK_ENDED, "a", domain="d", status=Status.COMPLETED),
        event(Happening.TASK_ENDED, "b", domain="d", status=Status.FAILED),
    )

    for tally in (made.phases["p"], made.domains["d"]):
        assert (tally.running, tally.done, tally.failed) == (1, 1, 1)
    assert made.phases["p"].expected == 3
    assert list(made.started) == ["c"]


def test_what_is_taken_from_the_journal_was_never_running() -> None:
    made = progress(
        event(Happening.PHASE_STARTED, expected=1),
        event(Happening.TASK_ENDED, "a", status=Status.COMPLETED, reused=True),
    )

    assert (made.phases["p"].running, made.phases["p"].done) == (0, 1)


@pytest.mark.parametrize(
    ("ended", "now", "remaining"),
    [
        (0, 5.0, None),  # no pace yet
        (1, 4.0, 12.0),  # 2 s since the phase began at 2: 2 s a task, 6 of 7 left
        (4, 10.0, 6.0),  # 8 s for four: 3 left at 2 s
        (7, 9.0, 0.0),
    ],
)
def test_the_end_of_a_phase_is_foreseen_from_its_pace(ended: int, now: float, remaining: float | None) -> None:
    events = [event(Happening.PHASE_STARTED, expected=7, at=2.0)]
    events += [event(Happening.TASK_ENDED, f"t{n}", status=Status.COMPLETED, at=now) for n in range(ended)]

    assert progress(*events).remaining_seconds() == (None if remaining is None else pytest.approx(remaining))


def test_a_new_phase_has_its_own_domains_and_keeps_the_counts_of_the_one_before() -> None:
    made = progress(
        event(Happening.PHASE_STARTED, expected=1),
        event(Happening.TASK_ENDED, "a", domain="d", status=Status.COMPLETED),
        event(Happening.INTEGRATION_STARTED, "p/merge/d"),
        event(Happening.INTEGRATION_ENDED, "p/merge/d", status=Status.COMPLETED),
        event(Happening.PHASE_ENDED),
        event(Happening.PHASE_STARTED, "q", phase="q", expected=2, at=9.0),
    )

    assert (made.current, made.domains, made.phases["p"].done, made.now) == ("q", {}, 1, 9.0)
    assert made.remaining_seconds() is None


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(Status)), st.booleans()), unique_by=lambda t: t[0]))
def test_at_the_end_nothing_runs_and_every_task_has_one_end(ends: list[tuple[int, Status, bool]]) -> None:
    began = [event(Happening.TASK_STARTED, f"t{n}") for n, _, fresh in ends if fresh]
    tally = progress(
        event(Happening.PHASE_STARTED, expected=len(ends)),
        *began,
        *[event(Happening.TASK_ENDED, f"t{n}", status=status) for n, status, _ in ends],
    ).phases["p"]

    assert (tally.running, tally.done + tally.failed) == (0, len(ends))
    assert tally.ended == Counter(status for _, status, _ in ends)
