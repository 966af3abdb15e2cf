"""D1: phases that one agent goes through with its item, end to end, and what speaks against it."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Fallback, Handoffs, Job, Key, Need, Priors, Repeat, agent, command, integrator
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.lint.rules import lint
from echelon.model.errors import InvalidJob
from echelon.model.plan import FindingLevel, NodeKind, Plan


@agent
async def survey() -> int:
    return 3


@agent
async def look(item: str) -> str:
    return item


@agent
async def judge(item: str, seen: Handoffs[Any]) -> str:
    return f"{item}: {seen.outputs()}"


@agent(name="judge")
async def compare(item: str, look: Handoffs[str]) -> str:
    return f"{item}: {look.outputs()}"


@agent
async def sum_up(judged: Handoffs[str]) -> str:
    return ", ".join(judged.outputs())


@agent(effect="irreversible")
async def send(item: str, seen: Handoffs[str]) -> str:
    return item


class Found(BaseModel):
    file: Annotated[str, Key()]
    risk: int


@agent(name="look")
async def find(item: str) -> Found:
    return Found(file=item, risk=1)


@integrator
async def joined(seen: Handoffs[str]) -> str:
    return ", ".join(seen.outputs())


def wanted(seen: Handoffs[str]) -> bool:
    return bool(seen)


def all_pass(judged: Handoffs[str]) -> bool:
    return bool(judged)


def files() -> list[str]:
    return [f"f{number}" for number in range(10)]


def nothing() -> list[str]:
    return []


def others() -> list[str]:
    return files()[1:]


def found(survey: Handoffs[int]) -> list[str]:
    return files()


def first_letter(item: str) -> str:
    return item[0]


def last_letter(item: str) -> str:
    return item[-1]


def a_job(*, merge: Any = "auto", first: Any = None, second: Any = None, **options: Any) -> Job:
    """Make a job of two phases over the same items, one of which needs the other, and one behind both."""
    job = Job("judging", goal="Judge every file", merge=merge, **options)
    job.phase("look", **({"each": look, "over": files} | (first or {})))
    job.phase("judge", **({"each": judge, "over": files, "needs": "look"} | (second or {})))
    job.phase("sum_up", agent=sum_up, needs="judge")
    return job


def plan_of(job: Job) -> Plan:
    return planned(job, NoInputs()).plan


def why(plan: Plan) -> list[str]:
    """Return what a plan says about merging."""
    return [reason.text for reason in plan.reasons if reason.rule == "D1"]


def test_one_agent_holds_both_tasks_of_an_item() -> None:
    plan = plan_of(a_job())

    assert plan.n_agents == 11
    assert plan.agent_of["look/f3"] == plan.agent_of["judge/f3"] == "feature:look/f3"
    assert plan.nodes["feature:look/f3"].members == ("look/f3", "judge/f3")
    assert [(phase.name, phase.needs, phase.continues, len(phase.tasks)) for phase in plan.phases] == [
        ("look", (), None, 10),
        ("judge", ("look",), "look", 10),
        ("sum_up", ("judge",), None, 1),
    ]
    assert plan.owners["judge/f3"] == "feature:look/f3"


def test_the_plan_says_what_it_saves() -> None:
    """Functions read no handoffs: what vanishes with one costs no tokens."""
    plan = plan_of(a_job())

    assert why(plan) == [
        "21 tasks merged into 11 agents: 10 handoffs of 20 vanished",
        "phases 'look' and 'judge' are done by one agent per item, end to end",
    ]
    # To judge: 10 handoffs inside of agents; to sum_up: 10 of 10 pairs.
    assert (plan.handoffs.before, plan.handoffs.after, plan.handoffs.tokens_saved.high) == (20, 10, 0)


def test_what_reads_its_handoffs_saves_tokens() -> None:
    read = command(["wc", "{brief}"], name="read", parse=str)
    weigh = command(["wc", "-l", "{brief}"], name="weigh", parse=str)
    plan = plan_of(a_job(first={"each": read}, second={"each": weigh}))

    assert (plan.handoffs.tokens_saved.low, plan.handoffs.tokens_saved.high) == (100_000, 300_000)
    assert why(plan)[0].endswith("10 handoffs of 20 vanished, 100 to 300 thousand tokens saved")


def test_without_being_asked_nothing_is_merged_but_the_linter_proposes_it() -> None:
    job = a_job(merge="never")
    made = planned(job, NoInputs())
    proposals = [one for one in lint(made.expansion.graph, made.plan) if "work on the same items" in one.message]

    assert made.plan.n_agents == 21
    assert all(phase.continues is None for phase in made.plan.phases)
    assert [(one.rule, one.level, one.where) for one in proposals] == [("D1", FindingLevel.INFO, "look")]
    assert "would save 10 handoffs" in proposals[0].message
    assert 'Job(merge="auto")' in proposals[0].fix
    assert a_job().merge == "auto"


def test_a_merged_job_is_not_told_to_merge() -> None:
    made = planned(a_job(), NoInputs())

    assert not [one for one in lint(made.expansion.graph, made.plan) if one.rule == "D1"]


def test_the_forecast_lets_no_item_wait_for_the_slowest() -> None:
    """3 at a time, 9 items of 2 s and 1 s: one behind the other 6 s + 3 s; end to end 3 rounds of 3 s, and one sync."""
    times = {"first": {"seconds": 2.0, "over": others}, "second": {"seconds": 1.0, "over": others}}
    priors = Priors(dispatch_seconds=0, integration_seconds=0, sync_seconds=5)
    merged, apart = [
        plan_of(a_job(merge=merge, **times, priors=priors, max_concurrency=3)) for merge in ("auto", "never")
    ]
    mean = 1.5  # of sum_up, which states nothing

    assert merged.makespan.predicted == pytest.approx(9 + 5 + mean + 5)
    assert apart.makespan.predicted == pytest.approx(6 + 5 + 3 + 5 + mean + 5)
    assert merged.makespan.work == apart.makespan.work


def test_three_phases_are_one_chain() -> None:
    job = Job("chain", goal="Judge", merge="auto")
    job.phase("look", each=look, over=files)
    job.phase("judge", each=judge, over=files, needs="look")
    job.phase("again", each=judge, over=files, needs="judge")
    plan = plan_of(job)

    assert plan.nodes["feature:look/f0"].members == ("look/f0", "judge/f0", "again/f0")
    assert [phase.continues for phase in plan.phases] == [None, "look", "judge"]
    assert plan.n_agents == 10


def test_a_chain_is_cut_where_the_context_is_full() -> None:
    job = Job("chain", goal="Judge", merge="auto", priors=Priors(context_tokens=100_000))
    budget = job.priors.context_budget
    job.phase("look", each=look, over=files, tokens=budget // 2)
    job.phase("judge", each=judge, over=files, needs="look", tokens=budget // 2)
    job.phase("again", each=judge, over=files, needs="judge", tokens=budget // 2)
    plan = plan_of(job)

    assert [phase.continues for phase in plan.phases] == [None, "look", None]
    assert any("phases 'judge' and 'again' are not merged: an item would take" in text for text in why(plan))


def test_what_both_need_is_waited_for_once() -> None:
    job = Job("surveyed", goal="Judge", merge="auto")
    job.phase("survey", agent=survey)
    job.phase("look", each=look, over=files, needs="survey")
    job.phase("judge", each=compare, over=files, needs=["survey", "look"])
    plan = plan_of(job)

    assert [(phase.needs, phase.continues) for phase in plan.phases] == [
        ((), None),
        (("survey",), None),
        (("survey", "look"), "look"),
    ]


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: a_job(second={"needs": {"look": "none"}}), "'judge' receives nothing from 'look'"),
        (lambda: a_job(second={"over": others}), "their items are not the same"),
        (lambda: a_job(second={"key": lambda item: item.upper()}), "their items are not the same"),
        (
            lambda: a_job(first={"domain": first_letter}, second={"domain": last_letter}),
            "their items belong to different domains",
        ),
        (lambda: a_job(first={"integrate": joined}), "'look' is integrated"),
        (lambda: a_job(first={"flat": True}), "the sync point of 'look' is a flat moment"),
        (lambda: a_job(first={"each": find}), "outputs of 'look' have keys, and are compared at its sync point"),
        (lambda: a_job(second={"when": wanted}), "whether 'judge' is wanted is asked for the whole phase"),
        (lambda: a_job(second={"repeat": Repeat(until=all_pass)}), "'judge' is repeated as a whole"),
        (lambda: a_job(second={"each": send}), "'judge' cannot be undone"),
        (
            lambda: a_job(second={"each": command(["wc", "{brief}"], name="count", parse=str)}),
            "their agents differ in kind (function and command)",
        ),
    ],
    ids=[
        "no handoff",
        "items",
        "keys",
        "domains",
        "integrated",
        "flat",
        "keyed",
        "when",
        "repeat",
        "irreversible",
        "kinds",
    ],
)
def test_what_speaks_against_it_is_said(build: Callable[[], Job], reason: str) -> None:
    plan = plan_of(build())

    assert why(plan) == [f"phases 'look' and 'judge' are not merged: {reason}"]
    assert plan.n_agents == len([node for node in plan.tree if node.kind is NodeKind.AGENT]) == len(plan.tasks)


def test_phases_of_a_loop_are_done_round_by_round() -> None:
    job = a_job()
    job.loop(["look", "judge"], until=all_pass)

    assert why(plan_of(job)) == ["phases 'look' and 'judge' are not merged: 'look' is a part of a loop"]


def test_a_phase_that_others_need_too_is_synchronised() -> None:
    job = a_job()
    job.phase("count", agent=sum_up, needs="look")

    assert why(plan_of(job)) == ["phases 'look' and 'judge' are not merged: 'look' is also needed by 'count'"]


def test_a_phase_that_needs_more_waits_for_that() -> None:
    job = Job("more", goal="Judge", merge="auto")
    job.phase("survey", agent=survey)
    job.phase("look", each=look, over=files)
    job.phase("judge", each=compare, over=files, needs=["look", "survey"])

    assert why(plan_of(job)) == ["phases 'look' and 'judge' are not merged: 'judge' also needs 'survey'"]


def test_items_that_are_found_on_the_way_are_not_merged() -> None:
    job = Job("found", goal="Judge", merge="auto")
    job.phase("survey", agent=survey)
    job.phase("look", each=look, over=found, needs="survey")
    job.phase("judge", each=compare, over=found, needs=["survey", "look"])

    assert why(plan_of(job)) == [
        "phases 'look' and 'judge' are not merged: items of 'look', 'judge' are found on the way"
    ]


def test_equal_items_of_two_functions_are_the_same_items() -> None:
    assert plan_of(a_job(second={"over": lambda: list(files())})).n_agents == 11


def test_phases_without_items_are_left_alone() -> None:
    plan = plan_of(a_job(first={"over": nothing}, second={"over": nothing}))

    assert (plan.n_agents, why(plan)) == (1, [])


def test_a_coupling_holds_item_by_item() -> None:
    job = a_job(second={"needs": Need("look", "tight", reason="there is nothing else to judge")})
    judged = next(task for task in plan_of(job).tasks if task.id == "judge/f3")

    assert [(one.task, one.coupling, one.reason) for one in judged.depends_on] == [
        ("look/f3", "tight", "there is nothing else to judge")
    ]
    assert judged.needs == ()


def test_a_fallback_of_the_need_stays() -> None:
    assert plan_of(a_job(second={"needs": Need("look", fallback=Fallback.default("?"))})).n_agents == 11


def test_another_word_for_merging_is_refused() -> None:
    with pytest.raises(InvalidJob, match="merge='always' is not known; use one of never, auto"):
        a_job(merge="always")
