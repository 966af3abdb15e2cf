"""F5, V6: the forecast keeps to the limits that the run keeps to, and names the one that binds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import CapacityLimit, TaskSpec, WorkerKind
from echelon.model.plan import Makespan
from echelon.model.priors import Priors
from echelon.planning.phases import assign_phases
from echelon.planning.schedule.limited import common_width, ends_within
from echelon.planning.schedule.makespan import Schedule, list_scheduled, makespan
from echelon.planning.tree import build_tree

FREE = Priors(dispatch_seconds=0, sync_seconds=0, integration_seconds=0)

MODELS, COMMANDS = CapacityLimit(kind=WorkerKind.MODEL, at_once=2), CapacityLimit(kind=WorkerKind.COMMAND, at_once=1)


def tasks_of(*kinds: WorkerKind | None, provider: str | None = None, tokens: int | None = None) -> list[TaskSpec]:
    return [
        TaskSpec(id=f"t{number}", goal="look", kind=kind, provider=provider, tokens=tokens)
        for number, kind in enumerate(kinds)
    ]


def ends(tasks: list[TaskSpec], limits: list[CapacityLimit], seconds: float = 1.0) -> list[float]:
    return ends_within(tasks, {task.id: seconds for task in tasks}, limits, 0.0)


M, C, F = WorkerKind.MODEL, WorkerKind.COMMAND, WorkerKind.FUNCTION


@pytest.mark.parametrize(
    ("kinds", "limits", "expected"),
    [
        ((M, M, M), [MODELS], [1, 1, 2]),
        ((M, M, M, C, C), [MODELS, COMMANDS], [1, 1, 2, 1, 2]),  # each kind by itself
        ((M, M, C), [MODELS, COMMANDS, CapacityLimit(at_once=1)], [1, 2, 3]),  # and all of them together
        ((F, F, M), [MODELS], [1, 1, 1]),
        ((None, None), [CapacityLimit(kind=F, at_once=1)], [1, 2]),  # who does it is not known
    ],
    ids=["one kind", "two kinds", "all together", "another kind", "unknown"],
)
def test_tasks_start_when_all_their_limits_let_them(
    kinds: tuple[WorkerKind | None, ...], limits: list[CapacityLimit], expected: list[float]
) -> None:
    assert ends(tasks_of(*kinds), limits) == expected


@pytest.mark.parametrize(
    ("limit", "tokens", "expected"),
    [
        (CapacityLimit(provider="p", requests_per_minute=60), None, [1, 2, 3]),
        (CapacityLimit(provider="p", requests_per_minute=6), None, [1, 11, 21]),
        (CapacityLimit(provider="p", tokens_per_minute=6000), 500, [1, 6, 11]),
        (CapacityLimit(provider="p", requests_per_minute=6, at_once=1), None, [1, 11, 21]),
        (CapacityLimit(provider="other", requests_per_minute=1), None, [1, 1, 1]),
    ],
)
def test_calls_to_a_provider_are_spaced(limit: CapacityLimit, tokens: int | None, expected: list[float]) -> None:
    assert ends(tasks_of(M, M, M, provider="p", tokens=tokens), [limit]) == expected


@given(
    seconds=st.lists(st.floats(0, 100), min_size=1, max_size=30),
    width=st.integers(1, 8),
    dispatch=st.sampled_from((0.0, 0.5)),
)
def test_with_one_limit_for_all_it_is_list_scheduling(seconds: list[float], width: int, dispatch: float) -> None:
    tasks = tasks_of(*(F for _ in seconds))
    known = {task.id: took for task, took in zip(tasks, seconds, strict=True)}

    made = ends_within(tasks, known, [CapacityLimit(at_once=width)], dispatch)

    assert made == pytest.approx(list_scheduled(seconds, width, dispatch))


@given(
    kinds=st.lists(st.sampled_from((M, C, F)), min_size=1, max_size=40),
    whole=st.one_of(st.none(), st.integers(1, 5)),
    rate=st.one_of(st.none(), st.sampled_from((6.0, 60.0, 600.0))),
)
def test_no_limit_is_ever_passed(kinds: list[WorkerKind], whole: int | None, rate: float | None) -> None:
    limits = [MODELS, COMMANDS]
    limits += [CapacityLimit(at_once=whole)] if whole else []
    limits += [CapacityLimit(provider="p", requests_per_minute=rate)] if rate else []
    tasks = tasks_of(*kinds, provider="p")
    ended = ends(tasks, limits, seconds=3)

    for limit in limits:
        starts = sorted(end - 3 for task, end in zip(tasks, ended, strict=True) if limit.bounds(task))
        at_work = [sum(start <= now < start + 3 - 1e-9 for start in starts) for now in starts]
        assert max(at_work, default=0) <= (limit.at_once or len(tasks))
        if limit.requests_per_minute:
            spaces = [later - earlier for earlier, later in pairwise(starts)]
            assert min(spaces, default=60) >= 60 / limit.requests_per_minute - 1e-6


@pytest.mark.parametrize(
    ("kinds", "limits", "width"),
    [
        ((M, M), [MODELS], 2),
        ((M, C), [MODELS, COMMANDS], None),
        ((M, C), [MODELS, COMMANDS, CapacityLimit(at_once=7)], 7),
        ((M, M), [], None),
    ],
)
def test_one_width_is_known_where_a_limit_holds_for_all(
    kinds: tuple[WorkerKind, ...], limits: list[CapacityLimit], width: int | None
) -> None:
    assert common_width(tasks_of(*kinds), limits) == width


def foreseen(tasks: list[TaskSpec], *limits: CapacityLimit) -> Makespan:
    return makespan(
        Schedule(agents=tasks, phases=assign_phases(tasks), tree=build_tree(tasks), priors=FREE, limits=limits)
    )


SIXTY = CapacityLimit(provider="openai", requests_per_minute=60)


@pytest.mark.parametrize(
    ("seconds", "limits", "predicted", "bound_by", "bound_seconds"),
    [
        (0.1, [SIXTY], 300, "calls to openai: 60 requests a minute", 300),
        (30, [SIXTY], 329, "calls to openai: 60 requests a minute", 300),
        (None, [SIXTY], None, "calls to openai: 60 requests a minute", 300),
        (30, [SIXTY, CapacityLimit(kind=M, at_once=16)], 581, "16 models at a time", 562.5),
        (
            2,
            [CapacityLimit(provider="openai", tokens_per_minute=60_000)],
            600,
            "calls to openai: 60,000 tokens a minute",
            600,
        ),
        (2, [CapacityLimit(provider="openai", at_once=10)], 60, "10 calls to openai at a time", 60),
        (2, [CapacityLimit(kind=M, at_once=300)], 2, None, None),
        (2, [], 2, None, None),
    ],
)
def test_three_hundred_calls_take_as_long_as_the_limit_that_binds_says(
    seconds: float | None,
    limits: list[CapacityLimit],
    predicted: float | None,
    bound_by: str | None,
    bound_seconds: float | None,
) -> None:
    """300 at 60 a minute: 5 min; 300 x 30 s for 16: 562.5 s, the last one in the 19th round,
    11 s behind its first: 581 s; 300 x 2,000 tokens: 600 s."""
    tasks = [
        TaskSpec(id=f"t{n}", goal="ask", kind=M, provider="openai", tokens=2000, seconds=seconds) for n in range(300)
    ]
    made = foreseen(tasks, *limits)

    assert made.predicted == (predicted if predicted is None else pytest.approx(predicted))
    assert (made.bound_by, made.bound_seconds) == (bound_by, bound_seconds)
