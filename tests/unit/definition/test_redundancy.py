"""F9: what replicas and a standby may be is checked where the job is written, and is in its plan."""

from typing import Any

import pytest

from echelon import Job, Price, agent
from echelon.definition.redundancy.wish import LATE_FACTOR
from echelon.lint.rules import lint
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.priors import Priors
from echelon.planning.planner import plan
from echelon.planning.spending import spending, with_rounds


@agent
async def judge() -> str:
    """Judge."""
    return "guilty"


@agent
async def jury() -> str:
    """Judge together."""
    return "guilty"


@agent
async def number() -> int:
    """Return a number."""
    return 1


@agent(effect="write")
async def write() -> str:
    """Write."""
    return ""


@agent(effect="irreversible")
async def pay() -> str:
    """Pay."""
    return ""


inner = Job("inner", goal="Judge inside")
inner.phase("judge", agent=judge)


def job_with(who: Any = judge, **phase: Any) -> Job:
    job = Job("court", goal="Judge")
    job.phase("judge", agent=who, **phase)
    return job


@pytest.mark.parametrize(
    ("who", "phase", "message"),
    [
        (judge, {"replicas": 0}, "replicas=0 is not possible; 1 to 9 may do a task"),
        (judge, {"replicas": 10}, "replicas=10 is not possible"),
        (judge, {"agree": 2}, "agree=2 cannot be reached by 1 replica"),
        (judge, {"replicas": 2, "agree": 3}, "agree=3 cannot be reached by 2 replicas"),
        (judge, {"replicas": 4, "agree": 2}, "two groups could agree on different outputs; let 3 or more agree"),
        (judge, {"replicas": 2, "standby": jury}, "give it `replicas` or `standby`, not both"),
        (judge, {"standby_after": 3}, "there is no standby"),
        (judge, {"standby": jury, "standby_after": 0}, "more than 0 seconds"),
        (judge, {"replicas": 2, "agree_on": len}, "nothing has to agree"),
        (judge, {"replicas": [jury, judge]}, "begin with the one agent of the phase, 'judge'"),
        (judge, {"replicas": [judge, judge]}, "names 'judge' twice; say replicas=2"),
        (judge, {"replicas": [judge, number]}, "'number' must keep the contract of 'judge'"),
        (judge, {"standby": number}, "'number' must keep the contract of 'judge'"),
        (write, {"replicas": 2}, "'write' changes the world (effect='write'), and with replicas it would be done"),
        (pay, {"standby": judge}, "'pay' changes the world (effect='irreversible'), and with a standby it would be"),
        (judge, {"standby": write}, "'write' changes the world"),
        (inner, {"replicas": 2}, "'inner' is a job, which has one run for each task"),
    ],
)
def test_what_makes_no_sense_or_does_harm_is_refused_in_one_line(who: Any, phase: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        job_with(who, **phase)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_plan_says_how_often_each_task_is_done() -> None:
    made = job_with(replicas=3, agree=2).plan()
    stood_by = job_with(standby=jury, seconds=5).plan()

    assert (made.n_agents, made.phases[0].replicas, made.phases[0].agree) == (1, 3, 2)
    assert made.phases[0].said == "each task is done by 3 replicas at the same time, 2 must agree"
    assert (stood_by.phases[0].standby, stood_by.tasks[0].standby) == ("jury", "jury")


@pytest.mark.parametrize(("after", "seconds", "late"), [(3, 5, 3), (None, 5, 5 * LATE_FACTOR), (None, None, None)])
def test_when_an_agent_is_late_is_stated_or_follows_from_what_is_expected(
    after: float | None, seconds: float | None, late: float | None
) -> None:
    job = job_with(standby=jury, standby_after=after, seconds=seconds)

    assert job.phases["judge"].redundancy.late_seconds == late


def test_the_forecast_counts_every_replica() -> None:
    tasks = (
        TaskSpec(id="a", goal="look", tokens=100, model="m", seconds=10, replicas=2, replica_models=("n",)),
        TaskSpec(id="b", goal="look", tokens=100, model="m", seconds=10, standby="s", standby_model="n"),
    )
    prices = {"m": Price(input=1, output=1), "n": Price(input=10, output=10)}
    graph = TaskGraph(name="g", goal="g", tasks=tasks, prices=prices)
    once = spending(tasks, 0, prices, Priors())
    most = with_rounds(once, graph, {})

    assert once.work_tokens == 300
    assert once.cost is not None
    assert once.cost.low == pytest.approx((100 * 1 + 100 * 10 + 100 * 1) / 1e6)
    assert most.tokens is not None
    assert (most.tokens.low, most.tokens.high) == (300, 400)
    assert most.cost is not None
    assert most.cost.high == pytest.approx(once.cost.high + 100 * 10 / 1e6)


@pytest.mark.parametrize(("replicas", "at_once", "predicted"), [(1, 1, 10), (2, 1, 20), (2, 2, 10), (3, 2, 20)])
def test_replicas_take_slots_in_the_forecast(replicas: int, at_once: int, predicted: float) -> None:
    from echelon.model.graph import CapacityLimit

    priors = Priors(dispatch_seconds=0, integration_seconds=0, sync_seconds=0)
    task = TaskSpec(id="a", goal="look", seconds=10, replicas=replicas, agree=replicas)
    graph = TaskGraph(name="g", goal="g", tasks=(task,), priors=priors)

    made = plan(graph, limits=[CapacityLimit(at_once=at_once)]).makespan

    assert (made.predicted, made.work) == (predicted, 10 * replicas)


def test_critical_work_that_hangs_on_one_agent_is_one_finding() -> None:
    def graph(**more: Any) -> TaskGraph:
        first = TaskSpec(id="a", goal="look", error_consequence="significant", **more)
        others = tuple(TaskSpec(id=name, goal="look", domain=name) for name in "bc")
        return TaskGraph(name="g", goal="g", tasks=(first, *others))

    def found(one: TaskGraph) -> list[str]:
        made = plan(one, agents_fixed=True)
        return [finding.message for finding in lint(one, made) if "critical task" in finding.message]

    (message,) = found(graph())
    assert message.startswith("1 critical task on the longest chain with one agent each")
    assert found(graph(replicas=2)) == found(graph(standby="other")) == []


@pytest.mark.parametrize(("agree", "models", "findings"), [(1, (), 0), (2, (), 1), (2, ("other",), 0)])
def test_replicas_of_one_model_that_agree_confirm_nothing(agree: int, models: Any, findings: int) -> None:
    task = TaskSpec(id="a", goal="look", model="m", replicas=2, agree=agree, replica_models=models)
    graph = TaskGraph(name="g", goal="g", tasks=(task,))

    said = [one for one in lint(graph, plan(graph)) if one.rule == "O3" and "replicas" in one.message]

    assert len(said) == findings
