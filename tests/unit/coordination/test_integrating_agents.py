"""Agents of any kind integrate as functions do: what they get, what bounds them, what they cost (D6, F4, F5, F7)."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from echelon import (
    AgentFailed,
    BreakerPolicy,
    Brief,
    Budget,
    Handoffs,
    Job,
    Resilience,
    agent,
    command,
    integrator,
    model_agent,
)
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.result import status_after
from echelon.definition.limits import DEFAULT_MODELS
from echelon.model.handoff import WRAPPED_UP, Handoff
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import RunStatus, StepKind
from echelon.resilience.registry import BreakerRegistry
from echelon.runlog.events import EffectIntended, StepReused, StepStarted
from echelon.runlog.state import RunState
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.budgets import using, worked
from tests.unit.coordination.jobs import ONCE, Item, Items, Watched, items, looking, missing_in, output_of

pytestmark = pytest.mark.anyio


class Editor:
    """A model that answers with how many parts it was given, and keeps its prompts."""

    def __init__(self, name: str = "editor", *, tokens: int = 0) -> None:
        self.prompts: list[str] = []
        self._tokens = tokens
        self.model: PydanticAgent[Any, str] = PydanticAgent(FunctionModel(self._answer), name=name)

    def _answer(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        prompt = "\n".join(str(getattr(part, "content", "")) for message in messages for part in message.parts)
        self.prompts.append(prompt)
        return ModelResponse(
            parts=[TextPart(f"{prompt.count(chr(34) + 'task' + chr(34))} parts")],
            usage=RequestUsage(input_tokens=self._tokens, output_tokens=1 if self._tokens else 0),
        )


def integrations(state: RunState) -> dict[str, Handoff]:
    """Return the last handoff of each integration."""
    return {step.handoff.task_id: step.handoff for step in state.steps if step.kind is StepKind.INTEGRATION}


# What they get


async def test_a_model_gets_the_parts_what_is_missing_with_the_reason_and_the_goals(tmp_path: Path) -> None:
    editor = Editor()
    job = looking(integrate=model_agent(editor.model, goal="Sum up what was seen"))
    async with a_run(job, tmp_path, items(3, failing=frozenset({1}))) as run:
        delivered = await run_phases(run)

        assert output_of(run) == "2 parts"
    (prompt,) = editor.prompts
    assert "# Task\n- Sum up what was seen" in prompt
    assert "- Job: See everything" in prompt
    assert '"look/i1: i1 cannot be read"' in prompt
    assert '"task": "look/i0"' in prompt
    assert '"output": "i2"' in prompt
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_model_gets_outputs_by_value_as_far_as_its_limit_goes_and_the_others_by_name(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        return item.id * (1 if item.id == "i0" else 1_000)

    editor = Editor()
    job = looking(each=look, integrate=model_agent(editor.model, by_value_tokens=10))
    run, _ = await worked(job, tmp_path, items(2))

    assert '"output": "i0"' in editor.prompts[0]
    assert '"not_given": "2,002 bytes' in editor.prompts[0]
    received = integrations(run.log.state)["look/merge/primary"].received
    assert (received.bytes_by_reference, received.bytes_by_value > 4) == (2_002, True)


async def test_one_model_merges_and_combines_every_team_its_own(tmp_path: Path) -> None:
    editor = Editor()
    seen = Watched()
    summarise = model_agent(editor.model)
    job = looking(integrate=integrator(summarise).combine(summarise))
    async with a_run(job, tmp_path, items(6, 6, failing=frozenset({7})), watch=seen) as run:
        await run_phases(run)

    nodes = [one.node for one in seen.of(StepStarted) if one.step is StepKind.INTEGRATION]
    assert sorted(nodes) == ["domain:d0", "domain:d1", "primary"]
    assert sorted(step.summary for step in integrations(run.log.state).values()) == ["2 parts", "5 parts", "6 parts"]
    assert [prompt.count("look/i7: i7 cannot be read") for prompt in editor.prompts].count(1) == 2
    assert "Domain: d0" in "".join(editor.prompts)


MERGE = """
import json, re, sys
brief = open(sys.argv[1]).read()
delivered = json.loads(re.search(r"# What earlier work delivered\\n```json\\n(.*?)\\n```", brief, re.S)[1])
missing = re.search(r"# What is missing from earlier work\\n```json\\n(.*?)\\n```", brief, re.S)
print(json.dumps({"items": [one["output"] for one in delivered], "missing": json.loads(missing[1]) if missing else []}))
"""


def merging(**options: Any) -> Any:
    script = MERGE.replace("{", "{{").replace("}", "}}")
    return command([sys.executable, "-c", script, "{brief}"], name="merge", **options)


async def test_a_command_finds_the_parts_in_its_brief(tmp_path: Path) -> None:
    job = looking(integrate=merging(output=dict[str, list[str]]))
    async with a_run(job, tmp_path, items(3, failing=frozenset({0}))) as run:
        await run_phases(run)

        assert output_of(run) == {"items": ["i1", "i2"], "missing": ["look/i0: i0 cannot be read"]}


async def test_functions_models_and_commands_integrate_each_others_results(tmp_path: Path) -> None:
    editor = Editor()
    job = looking(integrate=integrator(merging()).combine(editor.model))
    async with a_run(job, tmp_path, items(6, 6)) as run:
        await run_phases(run)

        assert output_of(run) == "2 parts"
    assert '\\"items\\": [\\"i0\\",' in editor.prompts[0]


@agent
async def merge(seen: Handoffs[str]) -> str:
    """Put together what was seen."""
    return "+".join(seen.outputs())


async def test_a_function_under_agent_integrates_too_and_may_be_its_own_combiner(tmp_path: Path) -> None:
    job = looking(integrate=integrator(merge).combine(merge))
    async with a_run(job, tmp_path, items(5, 5)) as run:
        await run_phases(run)

        assert output_of(run) == "i0+i1+i2+i3+i4+i5+i6+i7+i8+i9"


@agent(cpu_bound=True)
def crunch(seen: Handoffs[str]) -> list[str]:
    """Put together what was seen, in a process of its own."""
    return seen.outputs()


async def test_a_cpu_bound_function_integrates_in_a_process_of_its_own(tmp_path: Path) -> None:
    async with a_run(looking(integrate=crunch), tmp_path, items(2)) as run:
        await run_phases(run)

        assert output_of(run) == ["i0", "i1"]


async def test_a_consumer_gets_what_a_model_made_of_everything(tmp_path: Path) -> None:
    @agent
    async def read(look: Handoffs[str]) -> list[str]:
        return look.outputs()

    job = looking(integrate=Editor().model)
    job.phase("read", agent=read, needs="look")
    async with a_run(job, tmp_path, items(3)) as run:
        await run_phases(run)

        assert output_of(run) == ["3 parts"]


async def test_a_model_that_fails_costs_its_own_part_only(tmp_path: Path) -> None:
    def refuse(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        if "look/i7" in str(messages):
            raise ConnectionError("the provider is away")
        return ModelResponse(parts=[TextPart("done")])

    model: PydanticAgent[Any, str] = PydanticAgent(FunctionModel(refuse), name="editor")
    job = looking(integrate=integrator(model).combine(merge))
    async with a_run(job, tmp_path, items(6, 6)) as run:
        delivered = await run_phases(run)

        assert output_of(run) == "done"
    assert [one.task_id for one in missing_in(run)] == ["look/merge/domain:d1"]
    assert status_after(delivered) is RunStatus.PARTIAL
    assert [one.task_id for one in delivered["look"].unmerged] == [f"look/i{n}" for n in range(6, 12)]


# What bounds them


async def test_a_resumed_run_does_not_ask_the_model_again(tmp_path: Path) -> None:
    editor, seen = Editor(), Watched()
    job = looking(integrate=editor.model)
    await worked(job, tmp_path, items(3))
    async with a_run(job, tmp_path, items(3), watch=seen) as run:
        await run_phases(run)

    assert len(editor.prompts) == 1
    assert "look/merge/primary" in [event.task_id for event in seen.of(StepReused)]


async def test_a_run_resumed_with_what_was_missing_asks_the_model_again(tmp_path: Path) -> None:
    editor, broken = Editor(), {"i1"}

    @agent
    async def look(item: Item) -> str:
        if item.id in broken:
            raise AgentFailed("not today")
        return item.id

    job = looking(each=look, integrate=editor.model)
    first, _ = await worked(job, tmp_path, items(3))
    broken.clear()
    second, _ = await worked(job, tmp_path, items(3))

    assert [output_of(run) for run in (first, second)] == ["2 parts", "3 parts"]


@pytest.mark.parametrize("tokens", [None, 30])
async def test_what_a_model_uses_to_integrate_counts_as_coordination(tmp_path: Path, tokens: int | None) -> None:
    """M1, in tokens: 3 × 30 of work and 10 + 1 of coordination; in time where the work tells none."""
    each: Any = using(tokens) if tokens else agent(look_without_model)
    run, _ = await worked(looking(each=each, integrate=Editor(tokens=10).model), tmp_path, items(3))
    measures = view_so_far(run).measures

    if tokens:
        assert measures.coordination_ratio == pytest.approx(11 / 101)
        assert measures.tokens == 101
    else:
        # Waits for whoever begins a step are coordination, too; they are no time of any step.
        assert measures.coordination_ratio is not None
        assert measures.integration_share is not None
        assert measures.coordination_ratio >= measures.integration_share > 0
        assert measures.tokens == 11


async def look_without_model(item: Item) -> str:
    """Look at an item, without a model."""
    return item.id


async def test_a_domain_that_has_used_its_budget_up_does_not_refuse_its_model_which_counts_all_the_same(
    tmp_path: Path,
) -> None:
    editor = model_agent(Editor(tokens=1_000).model)
    policy = Resilience(domain_budget=Budget(tokens=20), attempts=1)
    job = looking(each=using(10), tokens=10, integrate=integrator(editor).combine(editor), defaults=policy)
    run, _ = await worked(job, tmp_path, items(6, 6))

    done = integrations(run.log.state)
    assert {task: handoff.done for task, handoff in done.items()} == {
        "look/merge/domain:d0": True,
        "look/merge/domain:d1": True,
        "look/combine/primary": True,
    }
    assert run.guarding.account.used.tokens == 2 * 2 * 10 + 3 * 1_001
    assert any(line.startswith("domain 'd0' used 1,021 tokens, its budget is 20") for line in run.accounts.passed())


async def test_an_integration_has_the_budget_of_its_agent_and_not_that_of_a_task(tmp_path: Path) -> None:
    """The phase gives each task one call; who integrates states two for itself, and is told so."""
    told: list[int | None] = []

    def failing(**options: Any) -> Any:
        @agent(name="merge", attempts=5, **options)
        async def merge(seen: Handoffs[str], brief: Brief) -> str:
            told.append(brief.assignment.budget.calls)
            raise AgentFailed("not now", passing=True)

        return merge

    policy = Resilience(budget=Budget(calls=1), backoff_seconds=0)
    for integrate in (failing(budget=Budget(calls=2)), failing()):
        run, _ = await worked(looking(integrate=integrate, resilience=policy), tmp_path / str(len(told)), items(2))
        told.append(integrations(run.log.state)["look/merge/primary"].attempts)

    assert told == [2, 2, 2, None, None, None, None, None, 5]


async def test_a_model_that_has_used_its_own_budget_up_writes_down_what_it_has(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        asked.append(str(messages[-1]))
        return ModelResponse(parts=[ToolCallPart("look", {}) if len(asked) == 1 else TextPart("half of it")])

    model: PydanticAgent[Any, str] = PydanticAgent(FunctionModel(answer), name="editor")

    @model.tool_plain
    def look() -> str:
        return "a line"

    job = looking(integrate=model_agent(model, budget=Budget(calls=2, final_call=0.5)))
    run, delivered = await worked(job, tmp_path, items(2))

    handoff = integrations(run.log.state)["look/merge/primary"]
    assert (handoff.done, handoff.wrapped_up, len(asked)) == (True, True, 2)
    assert "Your budget is used up" in asked[1]
    assert status_after(delivered) is RunStatus.PARTIAL
    assert [(one.task_id, one.reason) for one in missing_in(run)] == [("look/merge/primary", WRAPPED_UP)]


async def test_one_agent_may_do_tasks_and_integrate_and_only_its_tasks_run_out_of_time(tmp_path: Path) -> None:
    @agent
    async def both(seen: Handoffs[str]) -> str:
        return "seen"

    job = Job("both", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", agents=[merge, both], integrate=both)
    async with a_run(job, tmp_path, items()) as run:
        guards = PhaseGuards(run, job.phases["look"], 60.0)
        who = job.phases["look"].agents[1]
        bounds = [guards.guard(who, integrates=integrates).account.budget.seconds for integrates in (False, True)]

    assert bounds == [60.0, None]


async def test_integrations_share_the_slots_of_their_provider(tmp_path: Path) -> None:
    at_work: list[int] = [0, 0]

    @agent(resilience=Resilience(provider="p", bulkhead=BulkheadPolicy(max_concurrency=1, max_queue=None)))
    async def merge(seen: Handoffs[str]) -> str:
        at_work[0] += 1
        at_work[1] = max(at_work)
        await _turn()
        at_work[0] -= 1
        return str(len(seen))

    run, _ = await worked(looking(integrate=integrator(merge).combine(merge)), tmp_path, items(30, 30))

    assert len(integrations(run.log.state)) > 4
    assert at_work == [0, 1]


async def _turn(times: int = 3) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_models_that_integrate_are_no_more_at_one_time_than_models_that_do_tasks(tmp_path: Path) -> None:
    """Twenty domains of eight are merged by one model, as soon as each of them is done (F5)."""
    at_work: list[int] = [0, 0]

    async def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        at_work[0] += 1
        at_work[1] = max(at_work)
        await _turn(200)
        at_work[0] -= 1
        return ModelResponse(parts=[TextPart("done")])

    model: PydanticAgent[Any, str] = PydanticAgent(FunctionModel(answer), name="editor")
    await worked(looking(integrate=integrator(model).combine(model)), tmp_path, items(*[8] * 20))

    assert at_work == [0, DEFAULT_MODELS]


async def test_a_model_that_integrates_opens_the_breaker_of_its_provider(tmp_path: Path) -> None:
    def refuse(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        raise ConnectionError("the provider is away")

    model: PydanticAgent[Any, str] = PydanticAgent(FunctionModel(refuse), name="editor")
    firm = BreakerPolicy(consecutive_failures=1, open_seconds=600)
    job = looking(integrate=model_agent(model, breaker="provider", resilience=Resilience(breaker_policy=firm)))
    breakers = BreakerRegistry()
    async with a_run(job, tmp_path, items(2), breakers=breakers) as run:
        await run_phases(run)

        assert output_of(run) == {"look/i0": "i0", "look/i1": "i1"}
    assert breakers.refusing == {"provider"}


async def test_one_that_writes_is_told_a_key_and_declares_what_it_begins(tmp_path: Path) -> None:
    keys: list[str] = []
    seen = Watched()

    @agent(effect="write")
    async def publish(seen: Handoffs[str], brief: Brief) -> str:
        keys.append(brief.idempotency_key)
        return str(len(seen))

    async with a_run(looking(integrate=publish), tmp_path, items(2), watch=seen) as run:
        await run_phases(run)

    (intended,) = seen.of(EffectIntended)
    assert intended.intent.task_id == "look/merge/primary"
    assert keys == [intended.intent.idempotency_key]
