"""What each agent may do, and who waits for an answer, in lines."""

import pytest

from echelon.model.autonomy.decisions import AgentAutonomy, ApprovalQueue
from echelon.model.autonomy.track import Track
from echelon.visibility.autonomy import approvals_line, autonomy_lines


def a_track(right: int, wrong: int, stated: float | None = None) -> Track:
    return sum((Track.of(stated, right=one < right) for one in range(right + wrong)), Track())


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        (Track(), Track(), "say: peer review, no record yet"),
        (Track(), a_track(9, 1), "say: proceeds (before: peer review), right 9 of 10 (90 %)"),
        (
            a_track(6, 0),
            a_track(6, 6),
            "say: escalates (before: proceeds), right 6 of 12 (50 %), 100 % before this run",
        ),
        (Track(), a_track(1, 1, 0.9), "say: peer review, right 1 of 2 (50 %), Brier 0.41"),
    ],
)
def test_a_line_says_what_an_agent_may_do_and_what_has_changed(before: Track, now: Track, line: str) -> None:
    assert autonomy_lines([AgentAutonomy.of("say", "f", before, now)]) == (line,)


def test_an_agent_that_was_changed_within_a_run_is_told_from_what_it_was() -> None:
    both = [AgentAutonomy.of("say", code, Track(), Track()) for code in ("function-1:aaaaaa", "function-1:bbbbbb")]

    assert [line.partition(":")[0] for line in autonomy_lines(both)] == ["say (aaaaaa)", "say (bbbbbb)"]


@pytest.mark.parametrize(
    ("queue", "line"),
    [
        (None, ""),
        (ApprovalQueue(escalated=3, by_lead=3, batches=0, waiting=0), "3 results escalated, 3 approved by a lead"),
        (
            ApprovalQueue(escalated=12, by_lead=0, batches=2, waiting=1, longest_seconds=90.0),
            "12 results escalated, 1 waits for a person in 2 batches, the longest for 1 min 30 s",
        ),
    ],
)
def test_a_line_says_how_many_results_wait(queue: ApprovalQueue | None, line: str) -> None:
    assert approvals_line(queue) == line
