"""The record of an agent: what it says counts as far as results of which it said the same were right (X11)."""

from random import Random

import pytest

from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.terms import Band
from echelon.model.autonomy.track import Track
from echelon.runlog.events import AutonomyDecided
from echelon.runlog.judging.autonomy import AgentVersion, approvals_of, autonomy_of, escalated_in, known_agents
from echelon.testing.journal import MemoryJournal
from echelon.testing.judging_events import autonomy_decided
from echelon.testing.run_events import NOON, concern_disposed, concern_raised, run_started

RUNS, RESULTS = 50, 4


def a_track(*results: tuple[float | None, bool]) -> Track:
    return sum((Track.of(stated, right=right) for stated, right in results), Track())


def test_a_record_counts_what_was_right_and_how_good_the_word_was() -> None:
    track = a_track((0.9, True), (0.9, False), (None, True), (1.0, False))

    assert (track.results, track.accuracy) == (4, 0.5)
    assert track.brier == pytest.approx((0.1**2 + 0.9**2) / 2)
    assert a_track((None, True)).brier is None
    assert (Track().accuracy, Track().brier) == (None, None)


@pytest.mark.parametrize(
    ("results", "stated", "band"),
    [
        ((), None, Band.REVIEW),  # 0.65: nothing is known
        ((), 0.99, Band.REVIEW),  # its own word adds nothing
        ((), 0.3, Band.ESCALATE),  # a doubt counts at once: 0.30
        (((None, True),) * 4, None, Band.REVIEW),  # (4 + 2.6) / 8 = 0.83 ± 0.13
        (((None, True),) * 5, None, Band.PROCEED),  # (5 + 2.6) / 9 = 0.84 ± 0.11
        (((None, False),), None, Band.ESCALATE),  # 2.6 / 5 = 0.52
        (((0.99, True), (0.99, False)) * 5, 0.99, Band.ESCALATE),  # (5 + 2.6) / 14 = 0.54
        (((0.3, True),) * 12, 0.3, Band.PROCEED),  # a doubt that was baseless twelve times: (12 + 1.2) / 16 = 0.83
        (((0.9, True),) * 12 + ((0.5, False),) * 6, 0.9, Band.PROCEED),  # it knows when it is right
        (((0.9, True),) * 12 + ((0.5, False),) * 6, 0.5, Band.ESCALATE),
    ],
)
def test_which_band_a_record_allows(
    results: tuple[tuple[float | None, bool], ...], stated: float | None, band: Band
) -> None:
    assert a_track(*results).estimate(stated).band() is band


async def history(accuracy: float, stated: float | None, seed: int, runs: int = RUNS) -> tuple[MemoryJournal, Track]:
    """Return the journal of runs in which an agent of a known accuracy is judged, and its record then."""
    journal, random, agent = MemoryJournal(), Random(seed), AgentVersion("say", "f")
    for number in range(runs):
        run_id = f"r{number}"
        known = known_agents(await journal.autonomy_decided("audit"), ())
        own = a_track(*[(stated, random.random() < accuracy) for _ in range(RESULTS)])
        standing = AgentStanding(agent="say", code="f", before=known.track_of(agent), own=own)
        await journal.append(run_started(run_id), autonomy_decided(run_id, standings=(standing,)))
    return journal, known_agents(await journal.autonomy_decided("audit"), ()).track_of(agent)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("stated", [None, 0.99, 0.75])
@pytest.mark.parametrize(("accuracy", "band"), [(0.95, Band.PROCEED), (0.8, Band.PROCEED), (0.5, Band.ESCALATE)])
async def test_agents_end_in_the_right_band_after_fifty_runs(
    accuracy: float, band: Band, stated: float | None, seed: int
) -> None:
    _, track = await history(accuracy, stated, seed)

    assert track.results == RUNS * RESULTS
    assert track.estimate(stated).band() is band
    assert track.estimate().band() is band


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(20))
async def test_an_agent_that_is_always_sure_and_right_half_of_the_time_is_narrowed_within_ten_runs(seed: int) -> None:
    _, track = await history(0.5, 0.99, seed, runs=10)

    assert track.estimate(0.99).band() is not Band.PROCEED
    assert track.estimate(0.99).value < 0.70
    assert track.brier is not None
    assert track.brier > 0.25  # worse than saying nothing


@pytest.mark.anyio
async def test_only_the_newest_runs_count() -> None:
    journal, track = await history(1.0, None, 1, runs=RUNS + 10)

    assert track.results == RUNS * RESULTS
    assert len(await journal.autonomy_decided("audit", limit=3)) == 3


def a_decision(task: str = "inspect", concern: str = "", **changes: object) -> ResultDecision:
    return ResultDecision.model_validate(
        {
            "task_id": task,
            "version": "v",
            "agent": "say",
            "band": Band.ESCALATE,
            "reasons": ("it is new",),
            "estimate": 0.65,
            "concern": concern,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("verdict", "batch", "judged", "right", "wrong"),
    [
        ("dismissed", 1, False, 1, 0),  # the doubt was none
        ("dismissed", 3, False, 3, 0),
        ("resolved", 1, False, 0, 1),  # the cause was mended
        ("resolved", 3, False, 0, 0),  # of three nobody knows which
        ("accepted", 1, False, 0, 0),  # lived with
        ("dismissed", 1, True, 0, 0),  # a check has judged it already: it counts once
    ],
)
def test_what_people_answer_is_a_part_of_the_record(
    verdict: str, batch: int, judged: bool, right: int, wrong: int
) -> None:
    decisions = [a_decision(f"t{number}", "c-1", judged=judged) for number in range(batch)]
    event = autonomy_decided(standings=(AgentStanding(agent="say"),), decisions=decisions)
    end = concern_disposed("c-1", verdict=verdict, looked_at=("it",)).disposition
    record = concern_raised("c-1").record.disposed(end)
    track = known_agents([event], [record]).track_of(AgentVersion("say", ""))

    assert (sum(track.right), sum(track.wrong)) == (right, wrong)


def test_the_last_decision_about_a_phase_counts() -> None:
    once = autonomy_decided(standings=(AgentStanding(agent="say", own=a_track((None, True))),))
    again = autonomy_decided(standings=(AgentStanding(agent="say", own=a_track((None, True), (None, False))),))

    assert known_agents([once, again], ()).track_of(AgentVersion("say", "")).results == 2


def test_a_run_shows_how_far_each_agent_proceeds_before_it_and_behind_it() -> None:
    standing = AgentStanding(agent="say", before=a_track(*[(None, True)] * 4), own=a_track((None, True)))
    events: dict[str, AutonomyDecided] = {
        "inspect": autonomy_decided(standings=(standing,), decisions=(a_decision("a", "c-1"),)),
        "report": autonomy_decided(phase="report", decisions=(a_decision("b", approved_by="lead head"),)),
    }
    concerns = {"c-1": concern_raised("c-1").record}
    by_name = {one.agent: one for one in autonomy_of(events, concerns)}
    queue = approvals_of(events, concerns, NOON)

    assert (by_name["say"].band_before, by_name["say"].band) == (Band.REVIEW, Band.PROCEED)
    assert escalated_in(events) == {"a", "b"}
    assert queue is not None
    assert (queue.escalated, queue.by_lead, queue.batches, queue.waiting, queue.longest_seconds) == (2, 1, 1, 1, 0.0)
    assert approvals_of({"inspect": autonomy_decided()}, {}, NOON) is None
