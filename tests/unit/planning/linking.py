"""Builds the links between tasks for the tests of clustering: for each task the indexes of those that use it."""

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from echelon.model.graph import TaskSpec
from echelon.planning.schedule.order import consumers_of
from tests.unit.planning import wfcommons

Links = list[list[int]]


def links(tasks: int, *pairs: tuple[int, int]) -> Links:
    """Build links from pairs of producer and consumer."""
    consumers: Links = [[] for _ in range(tasks)]
    for producer, consumer in pairs:
        consumers[producer].append(consumer)
    return consumers


def chain_of(tasks: int) -> Links:
    return links(tasks, *((i, i + 1) for i in range(tasks - 1)))


def clique_at(first: int, size: int) -> list[tuple[int, int]]:
    """Return a link from each task to each later one."""
    return [(a, b) for a in range(first, first + size) for b in range(a + 1, first + size)]


@st.composite
def acyclic(draw: st.DrawFn, most: int = 60) -> Links:
    """Draw links that lead from earlier tasks to later ones, some of them hubs."""
    tasks = draw(st.integers(1, most))
    pairs = draw(st.sets(st.tuples(st.integers(0, tasks - 1), st.integers(0, tasks - 1)), max_size=3 * tasks))
    hubs = draw(st.sets(st.integers(0, tasks - 1), max_size=2))
    out_of_hubs = {(hub, task) for hub in hubs for task in range(hub + 1, tasks)}
    return links(tasks, *sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]} | out_of_hubs))


def workflows() -> list[Links]:
    """Return the links of 40 real workflows, or skip the test where they are not at hand."""
    suite = wfcommons.suite()
    if suite is None:
        pytest.skip(wfcommons.ABSENT)
    return [_links_of(graph.tasks) for graph in suite]


def _links_of(tasks: Sequence[TaskSpec]) -> Links:
    index = {task.id: position for position, task in enumerate(tasks)}
    return [[index[consumer] for consumer in used_by] for used_by in consumers_of(tasks).values()]
