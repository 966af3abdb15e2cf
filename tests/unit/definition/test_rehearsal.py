import pytest

from echelon.definition.planned import planned
from echelon.definition.rehearsal import Rehearsal, RehearsalJob, read_rehearsal
from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.planning.planner import plan
from tests.unit.planning.building import chained, uses


def made(*seconds: float, name: str = "job"):
    tasks = tuple(TaskSpec(id=f"t{i}", goal="look", seconds=s, tokens=30_000) for i, s in enumerate(seconds))
    return plan(TaskGraph(name=name, goal="find risks", tasks=tasks))


def failing(job: RehearsalJob) -> set[str]:
    return {task for task, call in job.expansion.calls.items() if call.item.fails}


def test_every_agent_of_the_plan_is_simulated_with_its_seconds_and_tokens():
    job = RehearsalJob.of(made(20_000, 30_000), Rehearsal(scale=0.1))
    items = [call.item for call in job.expansion.calls.values()]

    assert [(one.id, one.seconds, one.tokens) for one in items] == [("t0", 2000, 30_000), ("t1", 3000, 30_000)]


def test_a_rehearsal_brings_its_own_plan():
    job = RehearsalJob.of(made(1, 2), Rehearsal(scale=3))

    assert planned(job, Rehearsal()).plan is job.plan
    assert job.plan.makespan.work == 9
    assert job.name == "job-rehearsal"


def test_a_rehearsal_on_record_is_the_same_again():
    first = RehearsalJob.of(made(*[1.0] * 50, name="a job of 50"), Rehearsal(scale=0.5, failure_rate=0.5, seed=3))
    again = RehearsalJob(first.plan, Rehearsal(scale=0.5, failure_rate=0.5, seed=3))

    assert (again.name, again.plan) == ("a-job-of-50-rehearsal", first.plan)
    assert failing(again) == failing(first)


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (1.0, 200, 200), (0.3, 40, 80)])
def test_so_many_agents_fail_as_the_rate_says(rate: float, least: int, most: int):
    assert least <= len(failing(RehearsalJob.of(made(*[1.0] * 200), Rehearsal(failure_rate=rate)))) <= most


def test_the_seed_decides_who_fails():
    plans = made(*[1.0] * 100)
    first, same, other = (failing(RehearsalJob.of(plans, Rehearsal(failure_rate=0.5, seed=seed))) for seed in (1, 1, 2))

    assert first == same
    assert first != other


def test_a_phase_receives_what_its_producers_made():
    tasks = chained("a", "b", "c: a b", "d: c", "e: c", "f: d e")
    job = RehearsalJob.of(plan(TaskGraph(name="job", goal="find risks", tasks=tasks)), Rehearsal())

    assert [phase.needs for phase in job.phases.values()] == [(), ("phase-1",), ("phase-2",), ("phase-3",)]


def test_declared_phases_that_are_continued_can_be_rehearsed():
    tasks = tuple(
        TaskSpec(id=i, goal="look", phase="work", depends_on=uses(*u)) for i, u in (("a", ""), ("b", ""), ("c", "ab"))
    )
    job = RehearsalJob.of(plan(TaskGraph(name="job", goal="find risks", tasks=tasks)), Rehearsal())

    assert list(job.phases) == ["work", "work/2"]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"scale": -1}, "--scale -1"),
        ({"scale": float("nan")}, "--scale nan"),
        ({"failure_rate": 1.5}, "--failure-rate 1.5"),
        ({"seed": "x"}, "--seed x"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_option(told: dict, message: str):
    with pytest.raises(InvalidInput, match=message):
        read_rehearsal(told)


def test_an_agent_that_would_work_for_more_than_a_day_is_refused():
    with pytest.raises(InvalidInput, match=r"give a --scale below 100"):
        RehearsalJob.of(made(1_000), Rehearsal(scale=100))
