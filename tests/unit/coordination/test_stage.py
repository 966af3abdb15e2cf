from hypothesis import given
from hypothesis import strategies as st

from echelon.coordination.stage import Stage, stage_of
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.plan import NodeKind, Plan
from echelon.planning.planner import plan


def plan_of(*counts: int) -> Plan:
    tasks = [
        TaskSpec(id=f"t{domain}.{n}", goal="do", domain=f"d{domain}")
        for domain, count in enumerate(counts)
        for n in range(count)
    ]
    return plan(TaskGraph(name="j", goal="g", tasks=tuple(tasks)))


def stages(stage: Stage) -> list[Stage]:
    return [stage, *(inner for part in stage.parts for inner in stages(part))]


def test_a_small_job_has_its_primary_and_nobody_between() -> None:
    stage = stage_of(plan_of(3), ["t0.0", "t0.1", "t0.2"])

    assert (stage.node.kind, stage.tasks, stage.parts) == (NodeKind.PRIMARY, ("t0.0", "t0.1", "t0.2"), ())


def test_nobody_without_work_below_appears() -> None:
    stage = stage_of(plan_of(8, 8, 8), ["t1.0", "t1.1", "t2.0", "t2.1"])

    assert {task for inner in stages(stage) for task in inner.tasks} == {"t1.0", "t1.1", "t2.0", "t2.1"}
    assert len(stage.parts) == 2


def test_who_has_one_report_only_has_nothing_to_integrate_and_is_left_out() -> None:
    made = plan_of(30, 30)
    one_team = made.nodes[made.nodes[made.agent_of["t0.0"]].parent or ""].members
    wanted = [task for agent in one_team for task in made.nodes[agent].members]

    stage = stage_of(made, wanted)

    assert (stage.node.kind, len(stage.parts), stage.parts[0].node.kind) == (NodeKind.PRIMARY, 1, NodeKind.TEAM)


def test_a_phase_without_tasks_is_an_idle_primary() -> None:
    stage = stage_of(plan_of(3), [])

    assert (stage.node.kind, stage.all_tasks) == (NodeKind.PRIMARY, ())


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_every_wanted_task_has_exactly_one_place_and_no_coordinator_exceeds_the_span(
    counts: list[int], data: st.DataObject
) -> None:
    made = plan_of(*counts)
    every = [task.id for task in made.tasks]
    wanted = data.draw(st.lists(st.sampled_from(every), unique=True))
    stage = stage_of(made, wanted)

    assert sorted(stage.all_tasks) == sorted(wanted)
    for inner in stages(stage):
        assert len(inner.tasks) + len(inner.parts) <= made.span
        assert inner.node.kind is NodeKind.PRIMARY or inner.tasks or len(inner.parts) > 1


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_every_task_has_exactly_one_owner(counts: list[int]) -> None:
    made = plan_of(*counts)
    holders = [task for node in made.tree if node.kind is NodeKind.AGENT for task in node.members]

    assert sorted(holders) == sorted(task.id for task in made.tasks)
    assert all(made.owners[task.id] in made.nodes for task in made.tasks)
    assert all(made.owners[node.id] in made.nodes for node in made.tree if node.kind is not NodeKind.AGENT)
