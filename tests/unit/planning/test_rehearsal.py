from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import CapacityLimit
from echelon.model.priors import Priors
from echelon.planning.planner import plan
from echelon.planning.rehearsal import UNTIMED_SECONDS, rehearsed
from tests.unit.planning.building import chained, graph

#: Two chains of three, side by side: two feature agents.
CHAINS = tuple(
    task.model_copy(update={"seconds": 10.0}) for task in chained("a1", "a2: a1", "a3: a2", "b1", "b2: b1", "b3: b2")
)


def test_agents_are_the_tasks_of_a_rehearsal():
    ready = rehearsed(plan(graph(CHAINS)), scale=0.5)

    assert [(task.id, task.seconds) for task in ready.tasks] == [("feature:a1", 15.0), ("feature:b1", 15.0)]
    assert [phase.tasks for phase in ready.phases] == [("feature:a1", "feature:b1")]
    assert ready.agent_of == {"feature:a1": "feature:a1", "feature:b1": "feature:b1"}


def test_the_forecast_is_made_anew_for_its_speed_and_width():
    made = plan(graph(CHAINS).model_copy(update={"priors": Priors(dispatch_seconds=0, sync_seconds=0)}))

    assert rehearsed(made, 0.1).makespan.predicted == pytest.approx(3)
    narrow = made.model_copy(update={"limits": (CapacityLimit(at_once=1),)})
    assert rehearsed(narrow, 0.1).makespan.predicted == pytest.approx(6)


def test_the_minutes_of_providers_pass_at_the_speed_of_all_else():
    limit = CapacityLimit(provider="openai", at_once=2, requests_per_minute=60, tokens_per_minute=6000)
    made = plan(graph(CHAINS), limits=[limit])

    (faster,) = rehearsed(made, 0.1).limits
    (timeless,) = rehearsed(made, 0).limits

    assert (faster.at_once, faster.requests_per_minute, faster.tokens_per_minute) == (2, 600, 60_000)
    assert (timeless.at_once, timeless.requests_per_minute, timeless.tokens_per_minute) == (2, None, None)


def test_integrations_are_scaled_too():
    made = plan(graph(CHAINS).model_copy(update={"priors": Priors(integration_seconds=4)}))

    assert rehearsed(made, 0.25).priors.integration_seconds == 1


def test_without_any_duration_every_agent_takes_the_same_time():
    assert {task.seconds for task in rehearsed(plan(graph(chained("a", "b", "c"))), 2).tasks} == {2 * UNTIMED_SECONDS}


@given(st.lists(st.sets(st.integers(0, 20), max_size=2), min_size=1, max_size=20))
def test_agents_keep_the_order_of_their_tasks(parents: list[set[int]]):
    links = [f"t{i}: {' '.join(f't{p}' for p in used if p < i)}" for i, used in enumerate(parents)]
    made = plan(graph(chained(*links)))
    ready = rehearsed(made, 1)
    number = {agent: n for n, phase in enumerate(ready.phases) for agent in phase.tasks}

    assert sorted(number) == sorted(set(made.agent_of.values()))
    for task in made.tasks:
        path = [made.agent_of[d.task] for d in task.depends_on] + [made.agent_of[task.id]]
        assert all(number[a] < number[b] or a == b for a, b in pairwise([path[0], path[-1]]))
