"""Builds the links between tasks for the tests of clustering: for each task the indexes of those that use it."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import strategies as st

WORKFLOWS = Path(__file__).parents[4] / "shared/data/wfcommons"

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


def workflows(name: str) -> list[Links]:
    """Read real workflows, or skip the test where they are not at hand."""
    path = WORKFLOWS / name
    if not path.exists():
        pytest.skip(f"no {name}: the real task graphs are not beside the project")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        graphs = [json.loads(line) for line in lines]
    return [
        links(graph["n"], *((p, i) for i, task in enumerate(graph["tasks"]) for p in dict.fromkeys(task[2])))
        for graph in graphs
    ]
