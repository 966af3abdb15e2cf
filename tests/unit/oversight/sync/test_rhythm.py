"""Which tasks are the next wave: whole agents, in order, none left out, none twice (X3)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.sync.policy import SyncPolicyTerms
from echelon.model.sync.seen import SyncSeen
from echelon.oversight.sync.adaptive import first_pace
from echelon.oversight.sync.rhythm import Holding, next_wave, pace_after, waves_of, waves_told
from echelon.testing.judging_events import wave

FIVE: tuple[Holding, ...] = (("a",), ("b", "c"), ("d",), ("e",), ("f",))


def release(task: str) -> str:
    return "late" if task in {"b", "e"} else "early"


@pytest.mark.parametrize(
    ("stated", "tasks", "ended_by"),
    [
        ({"policy": "interval", "every": 1}, ("a",), "interval"),
        ({"policy": "interval", "every": 2}, ("a", "b", "c"), "interval"),
        ({"policy": "interval", "every": 6}, tuple("abcdef"), "last"),
        ({"policy": "interval", "every": 99}, tuple("abcdef"), "last"),
        ({"policy": "event"}, tuple("abcdef"), "last"),
        ({"policy": "phase"}, tuple("abcdef"), "last"),
        ({"policy": "milestone"}, ("a", "d", "f"), "milestone"),
        ({"policy": "adaptive", "most": 3}, ("a", "b", "c"), "interval"),
    ],
)
def test_the_next_wave_is_what_the_policy_says(stated: Any, tasks: tuple[str, ...], ended_by: str) -> None:
    found = next_wave(SyncPolicyTerms(**stated), (), FIVE, release)

    assert (found.tasks, found.ended_by) == (tasks, ended_by)


terms = st.one_of(
    st.builds(lambda every: SyncPolicyTerms(policy="interval", every=every), st.integers(1, 9)),
    st.builds(lambda most: SyncPolicyTerms(policy="adaptive", most=most), st.integers(2, 40)),
    st.just(SyncPolicyTerms(policy="milestone")),
    st.just(SyncPolicyTerms(policy="event")),
)


@given(terms, st.lists(st.integers(1, 3), min_size=1, max_size=30), st.integers(1, 4))
def test_every_task_is_in_one_wave_and_only_the_last_wave_is_the_last(
    terms: SyncPolicyTerms, held: list[int], milestones: int
) -> None:
    left: list[Holding] = [tuple(f"{agent}.{n}" for n in range(tasks)) for agent, tasks in enumerate(held)]
    everything, done, ends = {task for one in left for task in one}, list[str](), list[str]()
    while left:
        found = next_wave(terms, (), left, lambda task: int(task.partition(".")[0]) % milestones)
        assert found.holdings
        done += found.tasks
        ends.append(found.ended_by)
        left = [one for one in left if one not in found.holdings]

    assert sorted(done) == sorted(everything)
    assert [end == "last" for end in ends] == [False] * (len(ends) - 1) + [True]


def test_waves_belong_to_a_round_and_a_domain() -> None:
    waves = (wave(number=1), wave(number=2, round=2), wave(number=3, domain="north"), wave(number=4, phase="report"))

    assert [one.number for one in waves_of(SyncSeen(waves=waves), "inspect", 1, "")] == [1]
    assert [one.number for one in waves_of(SyncSeen(waves=waves), "inspect", 1, "north")] == [3]


def test_nobody_was_told_of_the_last_wave() -> None:
    first, last = wave(number=1), wave(number=2, ended_by="last")

    assert list(waves_told((first, last))) == [first]
    assert list(waves_told((first,))) == [first]
    assert list(waves_told(())) == []


def test_a_run_that_is_resumed_keeps_its_pace() -> None:
    terms = SyncPolicyTerms(policy="adaptive")
    waves = [wave(tasks=("a",) * 9, revealed=0), wave(tasks=("a",) * 18, revealed=0)]

    assert pace_after(terms, ()) == first_pace(terms)
    assert pace_after(terms, waves).interval > first_pace(terms).interval
