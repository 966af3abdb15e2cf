import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.model.plan import HandoffCount, Makespan, Node, NodeKind, Share
from echelon.planning.forecast import duration_findings, handoffs, makespan, overhead
from echelon.planning.phases import assign_phases
from echelon.planning.tree import build_tree
from tests.unit.planning.building import chained, uses


def timed(*seconds: float | None, after: dict[int, int] | None = None) -> list[TaskSpec]:
    links = after or {}
    return [
        TaskSpec(id=f"t{i}", goal="look", seconds=s, depends_on=uses(f"t{links[i]}") if i in links else ())
        for i, s in enumerate(seconds)
    ]


def predict(tasks: list[TaskSpec], width: int | None = None) -> Makespan:
    return makespan(tasks, assign_phases(tasks), width)


def test_handoffs_without_domains_cross_nothing():
    tasks = chained("a", "b: a", "c: a b")

    assert handoffs(tasks, build_tree(tasks)) == HandoffCount(before=3, after=3, crossing=0)


def test_crossing_counts_other_domains_that_consume_not_consumers():
    # a (x) is used by two of y, one of z and one of x: two other domains. c (y) is used by a of z: one.
    consumed = {"a": [], "b": ["a"], "c": ["a"], "d": ["a"], "e": ["a", "c"]}
    domains = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"}
    tasks = [
        TaskSpec(id=task_id, goal="look", domain=domains[task_id], depends_on=uses(*producers))
        for task_id, producers in consumed.items()
    ]

    assert handoffs(tasks, build_tree(tasks)) == HandoffCount(before=5, after=5, crossing=3)


def test_without_labels_a_domain_is_what_the_primary_leads_directly():
    # 9 agents in two teams, t0–t4 and t5–t8: t0 → t1 stays inside, t0 → t5 and t0 → t8 are one crossing.
    tasks = [TaskSpec(id=f"t{i}", goal="look", depends_on=uses("t0") if i in {1, 5, 8} else ()) for i in range(9)]

    assert handoffs(tasks, build_tree(tasks)) == HandoffCount(before=3, after=3, crossing=1)


def test_a_coupling_of_none_is_no_handoff():
    tasks = [
        TaskSpec(id="a", goal="look"),
        TaskSpec(id="b", goal="look", depends_on=(Dependency(task="a", coupling=Coupling.NONE),)),
    ]

    assert handoffs(tasks, build_tree(tasks)).before == 0


def test_what_one_agent_holds_needs_no_handoff():
    tasks = chained("a", "b: a", "c: b")
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("ab", "c")),
        Node(id="ab", kind=NodeKind.AGENT, parent="primary", members=("a", "b")),
        Node(id="c", kind=NodeKind.AGENT, parent="primary", members=("c",)),
    )

    assert handoffs(tasks, tree) == HandoffCount(before=2, after=1, crossing=0)


@pytest.mark.parametrize(
    ("n", "share"),
    # linear between the ends of each row: 13 is half of 6–20, 35.5 would be half of 21–50.
    [
        (0, 0.0),
        (1, 0.0),
        (2, 0.10),
        (5, 0.15),
        (6, 0.15),
        (13, 0.20),
        (20, 0.25),
        (21, 0.25),
        (50, 0.35),
        (51, 0.35),
        (1000, 0.40),
        (60_000, 0.40),
    ],
)
def test_expected_overhead_is_read_from_the_position_in_the_row(n: int, share: float):
    assert overhead(n).predicted == share


@given(st.integers(0, 5000))
def test_expected_overhead_lies_in_its_band_and_never_falls(n: int):
    expected = overhead(n)

    assert expected.band.low <= expected.predicted <= expected.band.high
    assert expected.predicted <= overhead(n + 1).predicted


def test_the_band_is_the_one_of_the_profile():
    assert overhead(30).band == Share(low=0.25, high=0.35)


@pytest.mark.parametrize(
    ("seconds", "width", "predicted"),
    [
        ((3, 1, 2), None, 3),
        ((3, 1, 2), 5, 3),
        ((3, 1, 2), 2, 3),  # one agent takes 3, the other 1 then 2
        ((1, 2, 3), 2, 4),  # 1 then 3 beside 2: in order, not longest first
        ((3, 1, 2), 1, 6),
        ((0, 0), 1, 0),
    ],
)
def test_tasks_go_in_their_order_to_the_agent_that_is_free_first(seconds: tuple, width: int | None, predicted: float):
    assert predict(timed(*seconds), width).predicted == predicted


def test_phases_are_barriers():
    # t2 uses t1 (1 s) yet waits for t0 (5 s) to end the phase; the critical path knows no barriers.
    assert predict(timed(5, 1, 2, after={2: 1})) == Makespan(predicted=7, critical_path=5, work=8)


def test_without_any_duration_nothing_is_predicted():
    assert predict(timed(None, None)) == Makespan(predicted=None, critical_path=None, work=None)
    assert duration_findings(timed(None, None)) == ()
    assert predict([]) == Makespan(predicted=None, critical_path=None, work=None)


def test_a_missing_duration_is_taken_as_the_mean_and_said_so():
    tasks = timed(2, None, 4)
    (finding,) = duration_findings(tasks)

    assert predict(tasks).work == 9
    assert (finding.rule, finding.level, finding.where) == ("V6", "info", "t1")
    assert finding.message.startswith("1 of 3 tasks state no duration")


def test_complete_durations_need_no_finding():
    assert duration_findings(timed(1, 2)) == ()


def test_a_concurrency_of_nothing_is_refused():
    with pytest.raises(InvalidInput, match="0 agents at a time"):
        predict(timed(1), 0)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=40), st.integers(1, 12))
def test_the_forecast_lies_between_its_bounds(seconds: list[float], width: int):
    made = predict(timed(*seconds), width)

    assert made.predicted is not None
    assert made.critical_path is not None
    assert made.work is not None
    assert made.predicted >= max(made.critical_path, made.work / width) - 1e-5
    # Graham: list scheduling is at most work / width + (1 - 1 / width) * longest.
    assert made.predicted <= made.work / width + made.critical_path + 1e-5


def needing(producers, consumers, producer_domain="a", consumer_domain="b"):
    """Return a phase of producers and a phase of consumers that need all of it."""
    first = [
        TaskSpec(id=f"p{i}", goal="make", phase="make", domain=producer_domain, seconds=2) for i in range(producers)
    ]
    second = [
        TaskSpec(id=f"c{i}", goal="use", phase="use", needs=("make",), domain=consumer_domain, seconds=3)
        for i in range(consumers)
    ]
    return [*first, *second]


@pytest.mark.parametrize(
    ("producers", "consumers", "expected"),
    [
        (1, 1, HandoffCount(before=1, after=1, crossing=1)),
        (5, 1, HandoffCount(before=5, after=5, crossing=2)),  # one domain gives, one takes
        (5, 100, HandoffCount(before=500, after=105, crossing=2)),
    ],
)
def test_a_whole_phase_is_handed_on_through_its_sync_point(producers, consumers, expected):
    tasks = needing(producers, consumers)

    assert handoffs(tasks, build_tree(tasks)) == expected


def test_a_task_that_needs_a_phase_waits_for_all_of_it():
    tasks = needing(2, 2)
    phases = assign_phases(tasks, phase_order=("make", "use"))

    assert makespan(tasks, phases).critical_path == 5
