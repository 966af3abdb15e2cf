"""What is stated of success, and for whom: all results, a domain, an agent, a task of a graph (D11)."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic_ai import Agent as Model
from pydantic_ai.models.test import TestModel

from echelon import Evidence, Fallback, Handoffs, Job, Repeat, TaskSpec, agent, command, integrator, model_agent
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.definition.success.success import Success, is_part_of
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskCriterion, TaskGraph


def is_said(output: str) -> bool:
    return bool(output)


def is_short(output: str) -> bool:
    return 0 < len(output) < 9


def is_paid(output: str) -> bool:
    return "paid" in output


@agent(success=["it is polite", is_short, Evidence(reads=1)])
def careful(item: str) -> str:
    """Work."""
    return item


@agent
def plain(item: str) -> str:
    """Work."""
    return item


def items() -> list[str]:
    return ["payments/refunds", "payments", "payroll", "web"]


def of_item(item: str) -> str:
    return item.replace("/", ".")


def success_in(each: Any = plain, *, domain: Any = of_item, **phase: Any) -> Success:
    job = Job("working", goal="Work")
    job.phase("work", each=each, over=items, domain=domain, **phase)
    return job.phases["work"].success


def task_in(domain: str | None) -> TaskSpec:
    return TaskSpec(id="t", goal="g", domain=domain)


def test_what_an_agent_states_and_what_its_phase_states_hold_together() -> None:
    found = success_in(careful, success=[is_said]).of(task_in(None), "careful")

    assert found.texts == ("it is polite",)
    assert [one.name for one in found.functions] == ["is_said", "is_short"]
    assert found.evidence == (Evidence(reads=1),)


def test_what_is_stated_twice_holds_once() -> None:
    found = success_in(careful, success=["it is polite", is_short, Evidence(reads=1)]).of(task_in(None), "careful")

    assert found.names == ("it is polite", "Evidence(reads=1)", "is_short")


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (command(["true"], name="one", success=[is_short]), "command"),
        (model_agent(Model(TestModel(), name="one"), success=[is_short]), "model"),
        (agent(success=[is_short], name="one")(plain.function), "function"),
    ],
)
def test_every_kind_of_agent_states_its_own(made: Any, kind: str) -> None:
    job = Job("working", goal="Work")
    if kind == "function":
        job.phase("work", each=made, over=items)
    else:
        job.phase("work", agent=made)

    assert [one.name for one in job.phases["work"].success.of(task_in(None), "one").functions] == ["is_short"]


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        (None, ["is_said"]),
        ("web", ["is_said"]),
        ("payroll", ["is_said"]),  # begins alike, and is no part of it
        ("payments", ["is_said", "is_paid"]),
        ("payments.refunds", ["is_said", "is_paid", "is_short"]),
    ],
)
def test_what_is_stated_for_a_domain_holds_for_its_parts(domain: str | None, names: Sequence[str]) -> None:
    stated = {"*": [is_said], "payments": [is_paid], "payments.refunds": [is_short]}

    assert [one.name for one in success_in(success=stated).of(task_in(domain), "plain").functions] == names


def test_a_domain_is_part_of_itself() -> None:
    assert is_part_of("a.b", "a.b")
    assert not is_part_of(None, "a")


def test_who_stands_in_must_pass_what_the_agent_must_except_for_how_that_one_works() -> None:
    success = success_in(careful, success=[is_said], fallback=Fallback.agent(plain))
    found = success.of(task_in(None), "plain", instead_of="careful")

    assert found.names == ("it is polite", "is_said", "is_short")


def test_plans_say_for_whom_it_holds() -> None:
    job = Job("working", goal="Work")
    job.phase("work", each=careful, over=items, domain=of_item, success={"*": [is_said], "payments": [is_paid]})
    made = planned(job, NoInputs()).plan

    assert made.phases[0].success == (
        "is_said",
        "is_paid (domain payments)",
        "it is polite (agent careful)",
        "Evidence(reads=1) (agent careful)",
        "is_short (agent careful)",
    )


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ({"*": ["it is polite"]}, ["the success is stated in words only"]),
        ({"*": ["it is polite"], "payments": [is_paid]}, ["the success is stated in words only"]),
        ({"payments": ["it is polite"]}, ["the success of payments is stated in words only"]),
        ({"*": [is_said], "payments": ["it is polite"]}, []),
        ({"paymnets": [is_paid]}, ["success is stated for 'paymnets', and no task is in such a domain"]),
    ],
)
def test_what_nobody_checks_and_what_holds_for_nothing_is_found(success: Any, said: list[str]) -> None:
    job = Job("working", goal="Work")
    job.phase("work", each=plain, over=items, domain=of_item, success=success)
    found = [one.message for one in planned(job, NoInputs()).plan.findings if one.rule == "D11"]

    assert len(found) == len(said)
    assert all(message.startswith(start) for message, start in zip(found, said, strict=True))


def other(output: str) -> bool:
    return bool(output)


other.__name__ = "is_short"


@agent
def checks_itself(item: str) -> str:
    """Work."""
    return ""


@agent(success=[is_said])
def merge(work: Handoffs[str]) -> str:
    """Merge."""
    return ""


@agent(success=[is_said])
def judge(output: str) -> bool:
    """Judge."""
    return True


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ({"success": {"payments": [is_paid]}, "domain": None}, "success is stated for the domain 'payments'"),
        ({"success": {"payments": is_paid}}, "success of 'payments': success takes a list"),
        ({"success": "polite"}, "success takes a list of texts, checks and Evidence(...), and got 'polite'"),
        ({"success": [" "]}, "an empty text in success= says nothing"),
        ({"success": [other], "each": careful}, "two checks are called 'is_short'"),
        ({"success": {"*": [is_short], "payments": [other]}}, "two checks are called 'is_short'"),
        ({"integrate": merge}, "success= of 'merge' would not be checked where it integrates"),
        ({"integrate": integrator(merge).combine(merge)}, "success= of 'merge' would not be checked where it integ"),
        ({"verify": judge}, "success= of 'judge' would not be checked where it checks the work of others"),
        ({"repeat": Repeat(until=judge)}, "success= of 'judge' would not be checked where it checks the work"),
        ({"verify": checks_itself, "fallback": checks_itself}, "'checks_itself' would check its own work"),
    ],
)
def test_what_contradicts_itself_is_refused(phase: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidJob, match=re.escape(said)):
        success_in(**{"each": plain, **phase})


def test_an_agent_with_one_text_that_is_no_list_is_refused_where_it_is_made() -> None:
    with pytest.raises(InvalidJob, match="agent 'plain': success takes a list"):
        agent(success="polite", name="plain")(plain.function)  # type: ignore[call-overload]


@agent
def do(task: TaskSpec) -> str:
    """Do a task."""
    return task.id


def a_graph(*success: TaskCriterion) -> TaskGraph:
    return TaskGraph(name="shop", goal="Sell", tasks=(TaskSpec(id="a", goal="g", success=success),))


def test_a_task_of_a_graph_states_texts_checks_and_commands() -> None:
    graph = a_graph(TaskCriterion(text="polite"), TaskCriterion(check="m:f"), TaskCriterion(command=("true",)))
    job = Job.from_graph(graph, agents={"*": do}, checks={"m:f": is_said})
    ready = planned(job, NoInputs())

    assert ready.plan.phases[0].success == ("polite (a)", "is_said (a)", "true (a)")
    assert ready.job.phases[ready.plan.phases[0].name].success.of(graph.tasks[0], "do").texts == ("polite",)
    assert ready.expansion.calls["a"].item == TaskSpec(id="a", goal="g")  # success makes it no other task


def test_a_task_whose_check_is_not_given_is_refused() -> None:
    with pytest.raises(InvalidJob, match="task 'a': its success names the check 'm:f', which is not given"):
        Job.from_graph(a_graph(TaskCriterion(check="m:f")), agents={"*": do})


def test_a_task_whose_success_is_in_words_only_is_found() -> None:
    made = planned(Job.from_graph(a_graph(TaskCriterion(text="polite")), agents={"*": do}), NoInputs()).plan

    assert next(one.message for one in made.findings if one.rule == "D11").startswith("the success of a is stated in")
