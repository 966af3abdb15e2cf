"""A plan is forecast by what runs measured; its structure stays as it is (X10, V6)."""

import pytest

from echelon.model.learning.learnt import Learnt, LearntAgent, LearntPhase, Spread
from echelon.planning.learning.expected import spread_over
from echelon.planning.learning.forecast import with_learnt
from tests.unit.runlog.learning.building import job


def spread(*values: float, count: int = 10) -> Spread:
    mean = sum(values) / len(values)
    return Spread(count=count, mean=mean, median=mean, p90=max(values), deviation=0.0, quantiles=values)


def always(value: float) -> Spread:
    return spread(value)


def learnt(*agents: LearntAgent, overhead: float | None = None, lead: float = 0.0, tail: float = 0.0) -> Learnt:
    known = {} if overhead is None else {"task_overhead_seconds": always(overhead)}
    known |= {"lead_seconds": always(lead), "tail_seconds": always(tail)} if known else {}
    phases = {f"p{place}": LearntPhase(agents={f"a{place}": one}, **known) for place, one in enumerate(agents)}
    return Learnt(runs=12, newest="r12", phases=phases)


def took(seconds: float, **changes: object) -> LearntAgent:
    known = {"fingerprint": "v1", "seconds": always(seconds), "wall": always(seconds)}
    return LearntAgent.model_validate({**known, **changes})


def test_what_nobody_states_is_learnt() -> None:
    made = job(6, at_once=2)

    found = with_learnt(made, learnt(took(4.0), overhead=0.0))

    assert made.makespan.predicted is None
    assert found.makespan.predicted == pytest.approx(12.0)  # three turns of 4 s
    assert (found.makespan.work, found.makespan.critical_path) == (24.0, 4.0)
    assert found.learnt is not None
    assert found.learnt.said == "learnt from 12 runs"


def test_what_phases_take_beyond_their_tasks_is_part_of_it() -> None:
    known = learnt(took(4.0), took(2.0), overhead=0.1, lead=0.5, tail=1.0)

    found = with_learnt(job(2, 1), known)

    # 0.5 + 4 + 1 + 2 × 0.1, then 0.5 + 2 + 1 + 0.1
    assert found.makespan.predicted == pytest.approx(9.3)


def test_where_runs_contradict_what_is_stated_they_count_and_the_difference_is_said() -> None:
    made = job(2, seconds=10.0, tokens=50_000)

    found = with_learnt(made, learnt(took(4.0, tokens=always(1_000.0)), overhead=0.0))

    assert found.makespan.predicted == pytest.approx(4.0)
    assert found.learnt is not None
    assert found.learnt.said == (
        "learnt from 12 runs, 10 s by what is stated; a task of p0 takes 4.0 s, stated 10 s; "
        "a task of p0 uses 1,000 tokens, stated 50,000"
    )
    assert found.spending.work_tokens == 2_000


def test_what_fits_what_is_stated_is_no_difference() -> None:
    found = with_learnt(job(2, seconds=4.0), learnt(took(4.5), overhead=0.0))

    assert found.learnt is not None
    assert found.learnt.differences == ()


def test_tokens_count_for_the_share_of_tasks_that_report_any() -> None:
    half = Spread(count=5, mean=1_000.0, median=1_000.0, p90=1_000.0, deviation=0.0)

    found = with_learnt(job(4), learnt(took(1.0, tokens=half)))

    assert found.learnt is not None
    assert found.learnt.tokens == pytest.approx(4 * 1_000 * 5 / 10)
    assert found.learnt.cost is None


def test_a_phase_of_which_nothing_is_known_is_named() -> None:
    found = with_learnt(job(1, 1, seconds=3.0), learnt(took(1.0)))

    assert found.learnt is not None
    assert found.learnt.unknown == ("p1",)
    assert found.makespan.predicted is not None
    assert found.makespan.predicted == pytest.approx(4.0, abs=0.1)  # what is stated counts where nothing else is known


def test_failures_are_expected_as_they_were() -> None:
    found = with_learnt(job(20), learnt(took(1.0, failure_share=0.2)))

    assert found.learnt is not None
    assert found.learnt.failures == pytest.approx(4.0)
    assert "about 4 tasks are expected to fail" in found.learnt.said


def test_tasks_are_as_different_as_they_were_the_longest_included() -> None:
    values = list(spread_over(spread(1.0, 2.0, 9.0), 5))

    assert sorted(values) == [1.0, 1.5, 2.0, 5.5, 9.0]
    assert list(spread_over(spread(1.0, 2.0, 9.0), 1)) == [2.0]
    assert list(spread_over(spread(1.0, 2.0, 9.0), 5, turn=1)) != values


def test_a_forecast_is_no_part_of_what_is_carried_out() -> None:
    made = job(6)

    found = with_learnt(made, learnt(took(4.0)))

    assert found.digest == made.digest
    assert found.tree == made.tree
    assert with_learnt(made, None) is made
