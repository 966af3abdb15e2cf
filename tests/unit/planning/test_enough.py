import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.organisation import Organisation, Structure
from echelon.model.oversight.terms import Gate
from echelon.model.priors import Priors
from echelon.planning.enough import one_agent_is_enough, sequential_share, wish_refused
from tests.unit.planning.building import chained, graph, uses

SIDE_BY_SIDE = chained("a", "b", "c")
IN_SERIES = chained("a", "b: a", "c: b")


def with_(tasks: tuple[TaskSpec, ...], **update) -> TaskGraph:
    return TaskGraph(name="job", goal="find risks", tasks=tuple(task.model_copy(update=update) for task in tasks))


def asked(tasks: tuple[TaskSpec, ...], **wishes) -> TaskGraph:
    return graph(tasks).model_copy(update={"organisation": Organisation(**wishes)})


@pytest.mark.parametrize(
    ("work", "rule", "part"),
    [
        pytest.param(graph(IN_SERIES), "D1", "longest chain is 100% of all work", id="D1 all in series"),
        pytest.param(with_(SIDE_BY_SIDE, tokens=5_000), "D5", "15,000 tokens", id="D5 tiny"),
        pytest.param(asked(SIDE_BY_SIDE, single_agent_success=0.45), "R1", "succeeds in 45%", id="R1 strong baseline"),
        pytest.param(
            asked(SIDE_BY_SIDE, structure=Structure.SINGLE), "R1", "it was asked for", id="R1 structure asked"
        ),
        pytest.param(asked(SIDE_BY_SIDE, agents=1), "R1", "it was asked for", id="R1 number asked"),
    ],
)
def test_one_agent_is_enough_and_the_reason_is_said(work: TaskGraph, rule: str, part: str):
    verdict = one_agent_is_enough(work)

    assert verdict is not None
    assert verdict.rule == rule
    assert part in verdict.text


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(graph(chained("a")), id="a single task needs no verdict"),
        pytest.param(graph(SIDE_BY_SIDE), id="independent"),
        pytest.param(graph(chained("a", "b", "c: a b")), id="2 of 3 tasks are on the longest chain"),
        pytest.param(with_(SIDE_BY_SIDE, tokens=7_000), id="21,000 tokens fill more than a tenth"),
        pytest.param(asked(SIDE_BY_SIDE, single_agent_success=0.44), id="weak baseline"),
        pytest.param(asked(IN_SERIES, structure=Structure.FLAT), id="another structure is asked for"),
        pytest.param(asked(IN_SERIES, agents=3), id="three agents are asked for"),
        pytest.param(with_(IN_SERIES, irreversible=True), id="gates keep the tasks apart"),
        pytest.param(with_(IN_SERIES, gate=Gate()), id="so do those of what can be undone"),
        pytest.param(with_(IN_SERIES, tokens=60_000), id="180,000 tokens are more than 80% of a context"),
        pytest.param(
            graph((IN_SERIES[0], IN_SERIES[1].model_copy(update={"capability": "law"}))), id="two capabilities"
        ),
        pytest.param(graph((IN_SERIES[0], IN_SERIES[1].model_copy(update={"model": "other"}))), id="two models"),
        pytest.param(
            graph((IN_SERIES[0], IN_SERIES[1].model_copy(update={"phase": "late"}))), id="a declared sync point"
        ),
        pytest.param(
            graph((IN_SERIES[0], IN_SERIES[1].model_copy(update={"verifies": ("a",)}))), id="a check of its own"
        ),
    ],
)
def test_several_agents_are_needed(work: TaskGraph):
    assert one_agent_is_enough(work) is None


@pytest.mark.parametrize(
    ("seconds", "share"),
    [((8, 2, None), 2 / 3), ((8, 2, 0), 1.0), ((8, 1, 1), 0.9), ((0, 0, 0), 2 / 3), ((1, 1, 2), 0.5)],
)
def test_the_sequential_share_is_in_seconds_where_all_are_known_else_in_tasks(seconds: tuple, share: float):
    # a → b beside c
    a, b, c = (TaskSpec(id=i, goal="look", seconds=s) for i, s in zip("abc", seconds, strict=True))

    assert sequential_share([a, b.model_copy(update={"depends_on": uses("a")}), c]) == pytest.approx(share)


@given(st.floats(0.01, 1), st.integers(1, 6), st.integers(0, 6))
def test_the_limit_of_sequential_work_can_be_overridden(limit: float, chain: int, beside: int):
    links = ["t0", *(f"t{i}: t{i - 1}" for i in range(1, chain + 1)), *(f"s{i}" for i in range(beside))]
    work = graph(chained(*links)).model_copy(update={"priors": Priors(sequential_share=limit)})

    assert (one_agent_is_enough(work) is not None) == ((chain + 1) / (chain + 1 + beside) >= limit)


@pytest.mark.parametrize(
    ("wish", "update", "why"),
    [
        ({"agents": 1}, {"tokens": 90_000}, "270,000 tokens do not fit into the 160,000"),
        ({"structure": Structure.SINGLE}, {"irreversible": True}, "behind a gate of its own"),
        ({"structure": Structure.SINGLE}, {"gate": Gate()}, "what a person is asked about stands behind a gate"),
        ({"single_agent_success": 0.9}, {"needs": ("one",)}, "sync points of its own"),
        ({"single_agent_success": 0.9}, {}, None),
        ({"single_agent_success": 0.1}, {"tokens": 90_000}, None),
        ({}, {"tokens": 90_000}, None),
    ],
)
def test_a_wish_for_one_agent_is_refused_with_its_reason(wish: dict, update: dict, why: str | None):
    tasks = tuple(task.model_copy(update=update) for task in SIDE_BY_SIDE)
    verdict = wish_refused(asked(tasks, **wish))

    assert (why in verdict.text) if why and verdict else verdict is None
