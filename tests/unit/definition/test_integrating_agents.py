"""Any agent may integrate; what cannot is refused where the job is written (D6, C7)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.test import TestModel

from echelon import Handoffs, Job, Outcome, Resilience, agent, command, contract, integrator, model_agent
from echelon.agents.agent import Effect
from echelon.agents.call import Call, CallShape
from echelon.agents.decorators import Integrator
from echelon.definition.limits import limits_of
from echelon.definition.phase import integrators_of
from echelon.model.errors import InvalidJob
from echelon.model.policy import BulkheadPolicy


class Files(BaseModel):
    """Inputs of the jobs."""

    paths: tuple[str, ...] = ("a", "b")
    style: str = "short"


class Finding(BaseModel):
    """What an agent finds."""

    text: str


class Report(BaseModel):
    """What is made of findings."""

    text: str


@agent
async def inspect(path: str) -> Finding:
    """Inspect a file."""
    return Finding(text=path)


@agent
async def sum_up(found: Handoffs[Finding]) -> Report:
    """Sum findings up."""
    return Report(text=f"{len(found)}")


@agent
async def sum_up_reports(reports: Handoffs[Report]) -> Report:
    """Sum reports up."""
    return Report(text=f"{len(reports)}")


def a_model(name: str = "editor", output: Any = Report) -> PydanticAgent[Any, Any]:
    return PydanticAgent(TestModel(), name=name, output_type=output)


@dataclass(frozen=True)
class Own:
    """An agent of one's own."""

    name: str = "own"
    goal: str = "put together"
    effect: Effect = "read"
    resilience: Resilience = Resilience()
    output_type: object = Report

    def bind(self, shape: CallShape) -> Self:
        assert shape.integrates
        return self

    async def perform(self, call: Call) -> Outcome[object]:
        raise NotImplementedError


def of_paths(paths: tuple[str, ...]) -> list[str]:
    return list(paths)


def inspecting(integrate: Any, each: Any = inspect) -> Job:
    job = Job("inspecting", goal="Know every file", inputs=Files)
    job.phase("inspect", each=each, over=of_paths, integrate=integrate)
    return job


def combining(merger: Any, combiner: Any) -> Integrator[Any, Any]:
    return integrator(merger).combine(combiner)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (a_model(), "editor"),
        (model_agent(a_model(), name="chief"), "chief"),
        (command(["merge", "{brief}", "{style}"]), "merge"),
        (sum_up, "sum_up"),
        (Own(), "own"),
        (integrator(a_model()), "editor"),
    ],
    ids=["plain model", "model", "command", "function", "object", "wrapped"],
)
def test_any_agent_alone_merges_everything_at_the_primary(given: Any, name: str) -> None:
    job = inspecting(given)

    assert [one.name for one in integrators_of(job.phases["inspect"])] == [name]
    assert [phase.integration for phase in job.plan().phases] == ["primary"]


@pytest.mark.parametrize(
    "given",
    [
        combining(a_model(), a_model("chief")),
        combining(sum_up, sum_up_reports),
        combining(sum_up, a_model()),
        combining(a_model(), sum_up_reports),
        combining(command(["merge", "{brief}"], output=Report), a_model()),
        combining(Own(), Own()),
    ],
    ids=["models", "functions", "function and model", "model and function", "command and model", "objects"],
)
def test_two_agents_integrate_in_stages(given: Any) -> None:
    job = inspecting(given)

    assert [one.name for one in integrators_of(job.phases["inspect"])] == [given.merger.name, given.combiner.name]
    assert [phase.integration for phase in job.plan().phases] == ["staged"]


def test_one_agent_may_merge_and_combine_where_it_takes_what_it_makes() -> None:
    editor = model_agent(a_model())
    phase = inspecting(combining(editor, editor)).phases["inspect"]

    assert integrators_of(phase) == (editor, editor)


def test_a_function_under_integrator_may_be_combined_by_a_model_and_lends_it_no_policy() -> None:
    @integrator(timeout=5)
    def merge(found: Handoffs[Finding]) -> Report:
        return Report(text="")

    assert merge.combine(sum_up_reports.function).combiner.resilience == Resilience(timeout_seconds=5)
    assert merge.combine(a_model()).combiner.resilience == Resilience()


@contract(version="2.0")
@dataclass
class Sum:
    """A contract with a version."""

    total: int


Newer = Sum


def made_for_an_older_version() -> Any:
    @contract(version="1.2")
    @dataclass
    class Sum:
        total: int

    @agent
    async def add(numbers: Handoffs[Sum]) -> Newer:
        return Newer(total=len(numbers))

    return add


@agent
async def number(path: str) -> Sum:
    """Count something."""
    return Sum(total=len(path))


@agent
async def idle(style: str) -> Report:
    """Do something else."""
    return Report(text=style)


def plain(found: Handoffs[Finding]) -> Report:
    return Report(text=f"{len(found)}")


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "plain function": (plain, inspect, "`integrate` takes an agent, or a function under @integrator, and got a func"),
    "no agent": (3, inspect, "`integrate` takes an agent, or a function under @integrator, and got a int"),
    "irreversible": (
        replace(sum_up, effect="irreversible"),
        inspect,
        "'sum_up' cannot integrate, since what it does cannot be undone",
    ),
    "irreversible combiner": (
        combining(a_model(), command(["send"], output=Report, effect="irreversible")),
        inspect,
        "'send' cannot integrate",
    ),
    "fallback": (agent(sum_up.function, fallback=Own()), inspect, "the fallback of 'sum_up' would not be tried"),
    "nothing received": (idle, inspect, "'idle' would integrate nothing: give it a parameter of type Handoffs"),
    "another type": (sum_up_reports, inspect, "'inspect' makes Finding, but 'sum_up_reports' integrates Report"),
    "another version": (
        made_for_an_older_version(),
        number,
        "'number' makes Sum 2.0, but 'add' integrates Sum 1.2",
    ),
    "result of a model": (combining(a_model(), sum_up), inspect, "'editor' makes Report, but 'sum_up' integrates Find"),
    "two contracts": (
        combining(sum_up, a_model(output=Finding)),
        inspect,
        "'sum_up' makes Report and 'editor', which combines, makes Finding; which of them hands on",
    ),
    "item": (command(["merge", "{item}"]), inspect, "nothing gives {item} a value.* read what is to be integrated fr"),
}


@pytest.mark.parametrize(("given", "each", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_integrate_is_refused_with_the_reason(given: Any, each: Any, why: str) -> None:
    with pytest.raises(InvalidJob, match=why):
        inspecting(given, each)


def test_options_of_what_is_an_agent_already_are_stated_where_it_is_made() -> None:
    with pytest.raises(InvalidJob, match="'sum_up' is an agent already; state 'timeout' where it is made"):
        integrator(sum_up, timeout=5)


def test_consumers_are_held_to_what_a_model_makes_of_everything() -> None:
    job = inspecting(a_model())

    with pytest.raises(InvalidJob, match="'read' receives from phase 'inspect', where 'editor' makes Report"):
        job.phase("read", agent=agent(sum_up.function, name="read"), needs="inspect")


def test_an_integrator_without_a_contract_that_can_be_recorded_is_refused_before_anything_runs() -> None:
    job = inspecting(Own(output_type=Callable[[int], int]))

    with pytest.raises(InvalidJob, match="'own': its output type cannot be a contract"):
        job.plan()


def test_models_that_integrate_have_a_price_and_share_the_limits_of_their_provider() -> None:
    pytest.importorskip("genai_prices")
    model = PydanticAgent("openai:gpt-4o", name="editor", output_type=Report, defer_model_check=True)
    policy = Resilience(provider="openai", bulkhead=BulkheadPolicy(max_concurrency=2))
    job = inspecting(model_agent(model, resilience=policy))

    assert "gpt-4o" in job.decided(Files())[0].prices
    assert [limit.at_once for limit in limits_of(job) if limit.provider == "openai"] == [2]
