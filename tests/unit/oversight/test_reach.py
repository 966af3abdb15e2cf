"""X13: how many steps use what a step makes, directly or not, and whether any of that cannot be undone."""

import pytest

from echelon.model.graph import Dependency, TaskSpec
from echelon.model.plan import Plan
from echelon.model.terms import OpenPhase
from echelon.oversight.reach import Downstream, Reach
from echelon.testing.run_events import small_plan


def task(name: str, phase: str = "", *, uses: tuple[str, ...] = (), needs: tuple[str, ...] = (), final: bool = False):
    return TaskSpec(
        id=name,
        goal="do it",
        phase=phase or None,
        depends_on=tuple(Dependency(task=one) for one in uses),
        needs=needs,
        irreversible=final,
    )


def plan(*tasks: TaskSpec, later: tuple[OpenPhase, ...] = ()) -> Plan:
    return small_plan().model_copy(update={"tasks": tasks, "open": later})


PHASES = plan(
    task("look/a", "look"),
    task("look/b", "look"),
    task("rank/1", "rank", needs=("look",)),
    task("publish/1", "publish", needs=("rank",), final=True),
    task("aside/1", "aside"),
)
GRAPH = plan(task("a"), task("b", uses=("a",)), task("c", uses=("b",)), task("d", uses=("b", "c")), task("e"))
LATER = plan(
    task("look/a", "look"),
    later=(OpenPhase(phase="fix", after=("look",), finder="find", agent="fix", irreversible=True),),
)


@pytest.mark.parametrize(
    ("where", "step", "phase", "reach"),
    [
        (PHASES, "look/a", "look", Reach(2, irreversible=True)),
        (PHASES, "rank/1", "rank", Reach(1, irreversible=True)),
        (PHASES, "publish/1", "publish", Reach(0, irreversible=True)),
        (PHASES, "aside/1", "aside", Reach(0)),
        (PHASES, "look/merge/primary", "look", Reach(2, irreversible=True)),
        (GRAPH, "a", "", Reach(3)),
        (GRAPH, "c", "", Reach(1)),
        (GRAPH, "e", "", Reach(0)),
        (GRAPH, "nothing", "", Reach(0)),
        (LATER, "look/a", "look", Reach(1, irreversible=True)),
    ],
)
def test_what_is_behind_a_step(where, step, phase, reach):
    assert Downstream(where).of(step, phase) == reach
