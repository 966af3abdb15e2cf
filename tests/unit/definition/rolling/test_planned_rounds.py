"""X12: what a plan says of phases that may be skipped or are repeated, what it warns of, and what that may cost."""

from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.test import TestModel

from echelon import Handoffs, Job, Price, Repeat, Verdict, agent
from echelon.cli.views.output import out
from echelon.cli.views.plan import show_plan
from echelon.conventions.facts import facts_of
from echelon.conventions.page import conventions
from echelon.definition.planned import planned
from echelon.lint.rules import lint
from echelon.model.plan import Finding, FindingLevel, Plan
from echelon.model.priors import Priors


class Inputs(BaseModel):
    bugs: tuple[str, ...] = ("a", "b", "c")


@agent
async def fix(bug: str) -> str:
    """Fix a bug"""
    return bug


@agent(effect="irreversible")
async def send(fix: Handoffs[str]) -> int:
    """Send it away"""
    return 1


def passes(output: str) -> bool:
    return True


def risky(fix: Handoffs[str]) -> bool:
    return True


def model(name: str, output_type: Any, of: str = "small") -> Any:
    return PydanticAgent(TestModel(model_name=of), output_type=output_type, name=name, defer_model_check=True)


def mending(repeat: Repeat | None, *, each: Any = fix, stated: dict[str, Any] | None = None, **job: Any) -> Job:
    made = Job("mending", goal="Mend", inputs=Inputs, **job)
    made.phase("fix", each=each, over=lambda bugs: bugs, repeat=repeat, tokens=1_000, seconds=2.0, **(stated or {}))
    made.phase("send", agent=send, needs="fix", when=risky)
    return made


def plan_of(job: Job) -> Plan:
    return planned(job, Inputs()).plan


def found(job: Job, rule: str) -> list[Finding]:
    """Return what a job is warned of under a rule where a phase is repeated."""
    made = planned(job, Inputs())
    return [one for one in lint(made.expansion.graph, made.plan) if one.rule == rule and one.where in job.phases]


def test_a_plan_says_what_may_be_skipped_and_what_is_repeated_how_often() -> None:
    plan = plan_of(mending(Repeat(until=passes, rounds=4)))

    assert {phase.name: phase.said for phase in plan.phases} == {
        "fix": "repeated until passes says that it passes, at most 4 rounds",
        "send": "only when risky says so",
    }


def test_a_plan_says_of_phases_that_are_repeated_together_which_they_are() -> None:
    @agent
    async def draft() -> str:
        """Draft"""
        return ""

    @agent
    async def edit(draft: Handoffs[str]) -> str:
        """Edit"""
        return ""

    def good(edit: Handoffs[str]) -> str:
        return ""

    job = Job("letter", goal="Write a letter")
    job.phase("draft", agent=draft)
    job.phase("edit", agent=edit, needs="draft")
    job.loop(["draft", "edit"], until=good, rounds=5)
    phases = planned(job, job.inputs_type()).plan.phases

    assert {phase.said for phase in phases} == {
        "repeated with draft, edit until good says that it passes, at most 5 rounds"
    }


def test_a_plan_of_phases_that_are_done_once_says_nothing_of_it() -> None:
    (one, _) = plan_of(mending(None)).phases

    assert (one.said, one.rounds) == ("", 1)


def test_people_are_told_what_the_forecast_counts(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(out(), plan_of(mending(Repeat(until=passes))))
    said = " ".join(capsys.readouterr().out.split())

    assert "counts one round of what is repeated and every phase that may be skipped" in said
    assert "fix: repeated until passes says that it passes, at most 3 rounds" in said
    assert "send: only when risky says so" in said


def test_agents_are_told_what_may_be_skipped_and_what_is_repeated() -> None:
    page = conventions(facts_of(plan_of(mending(Repeat(until=passes)))))

    assert "`send` is done only when `risky` says so." in page
    assert "`fix`: repeated until `passes` says that it passes, at most 3 rounds; each round is told" in page


@pytest.mark.parametrize("rounds", [1, 3])
def test_the_upper_bound_of_what_is_spent_counts_every_round(rounds: int) -> None:
    prices = {"small": Price(input=1, output=2, currency="EUR")}
    job = mending(Repeat(until=passes, rounds=rounds), each=model("fix", str), prices=prices)
    once, spent = plan_of(mending(None, each=model("fix", str), prices=prices)).spending, plan_of(job).spending
    assert once.tokens is not None
    assert once.cost is not None
    assert spent.tokens is not None
    assert spent.cost is not None

    assert (spent.work_tokens, spent.tokens.low, spent.cost.low) == (once.work_tokens, once.tokens.low, once.cost.low)
    assert spent.tokens.high - once.tokens.high == (rounds - 1) * 3_000
    assert spent.cost.high - once.cost.high == pytest.approx((rounds - 1) * 3_000 * 2 / 1_000_000)


def test_who_verifies_is_shown_and_in_the_forecast() -> None:
    """The upper bound has every attempt, and a verification behind each of them."""
    prices = {"small": Price(input=1, output=2, currency="EUR")}
    author, judge = model("fix", str), model("judge", Verdict)
    once = plan_of(mending(None, each=author, prices=prices))
    plan = plan_of(mending(None, each=author, prices=prices, stated={"success": ["it is short"], "verify": judge}))
    (phase,) = (one for one in plan.phases if one.name == "fix")
    before, spent, calls = once.spending.tokens, plan.spending.tokens, len(phase.tasks)
    assert before is not None
    assert spent is not None

    assert (phase.success, phase.verify, phase.attempts) == (("it is short",), ("judge",), 3)
    assert phase.said == "success: it is short; verified by judge, at most 3 rounds"
    assert spent.low - before.low == calls * Priors().task_tokens
    assert spent.high - before.high == 2 * 3_000 + 3 * calls * Priors().task_tokens


def test_a_check_by_the_model_that_did_the_work_is_not_independent() -> None:
    """Another prompt is another agent, but has the same blind spots."""
    job = mending(Repeat(until=model("judge", Verdict)), each=model("fix", str))
    (finding,) = found(job, "O3")

    assert finding.level is FindingLevel.WARNING
    assert "'judge' checks 'fix' with the same model 'small': it is not independent" in finding.message


@pytest.mark.parametrize("until", [passes, model("judge", Verdict, of="large")])
def test_a_check_by_somebody_else_is(until: Any) -> None:
    assert found(mending(Repeat(until=until), each=model("fix", str)), "O3") == []


@pytest.mark.parametrize(
    ("rounds", "said"), [(10, []), (11, ["up to 11 rounds of it are made, each as dear as the first"])]
)
def test_many_rounds_are_noted(rounds: int, said: list[str]) -> None:
    assert [one.message for one in found(mending(Repeat(until=passes, rounds=rounds)), "X12")] == said


def test_what_cannot_be_undone_may_stand_behind_what_is_repeated() -> None:
    plan = plan_of(mending(Repeat(until=passes)))

    assert [phase.gate for phase in plan.phases] == [(), ("send/send",)]
