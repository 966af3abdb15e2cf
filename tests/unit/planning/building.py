"""Builds task graphs for the tests of planning."""

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from echelon.model.graph import Dependency, TaskGraph, TaskSpec
from echelon.model.plan import Plan

NAMES = ("core", "core.api", "core.api.v1", "core.db", "web", "web.ui", "web.ui.forms", "ops", "docs", "a.b.c", "a.b.d")


def labelled(labels: Iterable[str | None]) -> tuple[TaskSpec, ...]:
    return tuple(TaskSpec(id=f"t{i}", goal="look", domain=label) for i, label in enumerate(labels))


def uses(*task_ids: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(task=task_id) for task_id in task_ids)


def chained(*links: str) -> tuple[TaskSpec, ...]:
    """Build tasks from texts like `c: a b`, meaning that c uses a and b."""
    tasks: list[TaskSpec] = []
    for link in links:
        task_id, _, used = link.partition(":")
        tasks.append(TaskSpec(id=task_id, goal="look", depends_on=uses(*used.split())))
    return tuple(tasks)


def in_a_row(made: Plan) -> Plan:
    """Return a plan as earlier versions made them: each phase waits for the one before it."""
    phases = tuple(phase.model_copy(update={"needs": None}) for phase in made.phases)
    return made.model_copy(update={"phases": phases})


def graph(tasks: Sequence[TaskSpec]) -> TaskGraph:
    return TaskGraph(name="job", goal="find risks", tasks=tuple(tasks))


@st.composite
def label_mixes(draw: st.DrawFn, most: int = 5000) -> list[str | None]:
    """Draw the labels of 1 to `most` tasks, in any order: few large, many small or no domains."""
    shape = draw(st.sampled_from(("few", "many", "none")))
    if shape == "none":
        return [None] * draw(st.integers(1, most))
    size = draw(st.sampled_from((3, 12, 90, 900)))
    names = st.one_of(st.none(), st.sampled_from(NAMES))
    if shape == "many":
        names = st.one_of(names, st.builds("{}.m{}".format, names, st.integers(0, 400)))
    counts = draw(st.lists(st.tuples(names, st.integers(1, size)), min_size=1, max_size=120))
    labels = [label for label, count in counts for _ in range(count)][:most]
    draw(st.randoms(use_true_random=False)).shuffle(labels)
    return labels


def needing(producers: int, consumers: int, producer_domain: str = "a", consumer_domain: str = "b") -> list[TaskSpec]:
    """Build a phase of producers and a phase of consumers that need all of it."""
    first = [
        TaskSpec(id=f"p{i}", goal="make", phase="make", domain=producer_domain, seconds=2) for i in range(producers)
    ]
    second = [
        TaskSpec(id=f"c{i}", goal="use", phase="use", needs=("make",), domain=consumer_domain, seconds=3)
        for i in range(consumers)
    ]
    return [*first, *second]
