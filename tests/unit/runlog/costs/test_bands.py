"""M1-M10: when a measure is on target, a warning, or critical, as one table."""

from typing import Any

import pytest

from echelon.model.costs.baseline import Baseline, BaselineComparison
from echelon.model.costs.graded import GradedMeasure
from echelon.model.costs.measures import Measures, QueueDepth
from echelon.model.plan import Share
from echelon.runlog.costs.bands import ROWS, graded
from echelon.runlog.costs.trend import Trend, next_to_others
from echelon.testing.run_events import small_plan

NOTHING: dict[str, Any] = {
    "seconds": 0,
    "agents": 0,
    "completed": 0,
    "failed": 0,
    "task_seconds": 0,
    "integration_seconds": 0,
    "coordination_ratio": None,
    "first_try_rate": None,
    "escalation_rate": None,
    "integration_share": None,
    "speedup": None,
    "tokens": None,
    "bytes_by_reference": 0,
}


def measures(**changes: Any) -> Measures:
    return Measures(**(NOTHING | changes))


def one(rule: str, found: Measures, **options: Any) -> GradedMeasure:
    [measure] = [measure for measure in graded(found, **options) if measure.id == rule]
    return measure


@pytest.mark.parametrize(
    ("rule", "field", "value", "band", "on_target"),
    [
        ("M1", "coordination_ratio", 0.10, "ok", True),  # less is no harm where integrating is cheap
        ("M1", "coordination_ratio", 0.30, "ok", True),
        ("M1", "coordination_ratio", 0.31, "ok", False),
        ("M1", "coordination_ratio", 0.40, "ok", False),
        ("M1", "coordination_ratio", 0.41, "warning", False),
        ("M1", "coordination_ratio", 0.51, "critical", False),
        ("M2", "first_try_rate", 0.71, "ok", True),
        ("M2", "first_try_rate", 0.70, "ok", False),
        ("M2", "first_try_rate", 0.59, "warning", False),
        ("M2", "first_try_rate", 0.49, "critical", False),
        ("M3", "sound_integrations", 0.91, "ok", True),
        ("M3", "sound_integrations", 0.85, "ok", False),
        ("M3", "sound_integrations", 0.79, "warning", False),
        ("M3", "sound_integrations", 0.69, "critical", False),
        ("M4", "escalation_rate", 0.0, "critical", False),
        ("M4", "escalation_rate", 0.04, "warning", False),
        ("M4", "escalation_rate", 0.05, "ok", True),
        ("M4", "escalation_rate", 0.20, "ok", True),
        ("M4", "escalation_rate", 0.25, "ok", False),
        ("M4", "escalation_rate", 0.31, "warning", False),
        ("M4", "escalation_rate", 0.51, "critical", False),
        ("M5", "context_use", 0.29, "warning", False),
        ("M5", "context_use", 0.40, "ok", False),
        ("M5", "context_use", 0.50, "ok", True),
        ("M5", "context_use", 0.85, "ok", False),
        ("M5", "context_use", 0.91, "warning", False),
        ("M6", "integration_share", 0.30, "ok", True),
        ("M6", "integration_share", 0.31, "warning", False),
        ("M8", "coordinator_wait", 0.20, "ok", True),
        ("M8", "coordinator_wait", 0.21, "warning", False),
    ],
)
def test_shares_have_bands(rule: str, field: str, value: float, band: str, on_target: bool) -> None:
    found = one(rule, measures(**{field: value}))

    assert (found.value, found.band, found.on_target) == (value, band, on_target)


def test_what_is_not_known_has_no_band() -> None:
    found = graded(measures())

    assert [measure.id for measure in found] == [f"M{number}" for number in range(1, 11)]
    assert {(measure.value, measure.band, measure.on_target) for measure in found} == {(None, "unknown", None)}
    assert len(ROWS) == 10


def test_more_coordination_is_usual_with_more_agents() -> None:
    large = small_plan()
    wide = large.profile.model_copy(update={"overhead": Share(low=0.30, high=0.40)})
    large = large.model_copy(update={"profile": wide})

    found = one("M1", measures(coordination_ratio=0.38), plan=large)

    assert (found.target, found.on_target) == ("15–40 %", True)
    assert one("M1", measures(coordination_ratio=0.41), plan=large).band == "warning"


@pytest.mark.parametrize(
    ("own", "earlier", "gain", "band"),
    [
        ((8, 100.0), [(4, 60.0)], 100 / 60, "ok"),
        ((8, 62.0), [(4, 60.0), (2, 40.0)], 62 / 60, "warning"),  # flat
        ((8, 54.0), [(4, 60.0)], 0.9, "critical"),  # falling
        ((8, 100.0), [(8, 60.0), (16, 20.0)], None, "unknown"),  # nobody did it with fewer
        ((8, 100.0), [], None, "unknown"),
    ],
)
def test_throughput_is_held_against_runs_with_fewer_agents(
    own: tuple[int, float], earlier: list[tuple[int, float]], gain: float | None, band: str
) -> None:
    run, *others = [measures(agents=agents, throughput_per_hour=rate) for agents, rate in (own, *earlier)]

    found = one("M7", run, trend=next_to_others(run, others))

    assert found.value == (gain if gain is None else pytest.approx(gain))
    assert found.band == band


def queue(name: str, growth: float, most: int = 3) -> QueueDepth:
    return QueueDepth(name=name, before="limit", most=most, mean=1.0, growth=growth)


@pytest.mark.parametrize(
    ("queues", "load", "band", "note"),
    [
        ((), None, "ok", "nothing waited"),
        ((queue("slots", 0.9),), None, "ok", "at most 3 before slots"),
        (
            (queue("slots", 0.2, 9), queue("primary", 1.0)),
            None,
            "warning",
            "grew before primary; at most 9 before slots",
        ),
        ((), 0.89, "ok", "nothing waited"),
        ((), 0.91, "critical", "nothing waited"),
    ],
)
def test_queues_are_flat_or_grow(queues: tuple[QueueDepth, ...], load: float | None, band: str, note: str) -> None:
    found = one("M9", measures(makespan_seconds=1.0, queues=queues, coordinator_load=load))

    assert (found.band, found.note) == (band, note)


@pytest.mark.parametrize(
    ("times", "before", "band", "on_target"),
    [
        (1.5, None, "ok", True),
        (1.0, None, "ok", False),  # once may be chance
        (1.0, 1.2, "ok", False),
        (0.9, 1.0, "warning", False),  # twice is none
    ],
)
def test_one_agent_must_be_beaten(times: float, before: float | None, band: str, on_target: bool) -> None:
    alone = Baseline(tasks=4, seconds=8)
    beside = BaselineComparison(throughput=times, tokens=2.0, cost=None, baseline=alone)

    found = one("M10", measures(against_single=beside), trend=Trend(single_before=before))

    assert (found.band, found.on_target, found.note) == (band, on_target, "2.00 × its tokens a task")
