"""Commands in a run: what they say beside their output counts, and what they are given is theirs alone."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from echelon import Budget, Concern, Job, Outcome, agent, command
from echelon.agents.function import FunctionAgent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.handoff import Handoff
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.runlog.costs.measures import measure
from echelon.runlog.events import Logged
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Watched

pytestmark = pytest.mark.anyio

WORRY = Concern(about="the door", message="it is open", confidence=0.9, impact=0.9)


def tool(code: str, *args: str, name: str = "tool", **options: Any) -> Any:
    return command([sys.executable, "-c", code.replace("{", "{{").replace("}", "}}"), *args], name=name, **options)


async def worked(job: Job, home: Path, watch: Watched | None = None) -> tuple[RunContext, Handoff]:
    """Do a job; returns its run and the handoff of its last step."""
    async with a_run(job, home, watch=watch) as run:
        await run_phases(run)
        return run, run.log.state.steps[-1].handoff


def of_one(work: Any, **job: Any) -> Job:
    made = Job("one", goal="Do it", defaults=ONCE, **job)
    made.phase("work", agent=work)
    return made


async def test_a_command_reads_in_its_brief_what_an_earlier_one_made(tmp_path: Path) -> None:
    job = Job("two", goal="Mend the door", constraints=("no noise",), defaults=ONCE)
    job.phase("look", agent=tool("print('[1, 2]')", name="look", output=list[int]))
    job.phase("mend", agent=tool("import sys; print(open(sys.argv[1]).read())", "{brief}", name="mend"), needs="look")
    _, handoff = await worked(job, tmp_path)

    assert handoff.output_location is not None
    brief = json.loads(handoff.output_location.content or "")
    assert '"summary": "2 items: 1; 2", "output": [1,2]}' in brief
    assert "- Job: Mend the door" in brief
    assert "# Constraints\n- no noise" in brief
    assert (handoff.received.bytes_by_reference, handoff.received.bytes_by_value > 5) == (0, True)
    assert [path for path in (tmp_path / "runs" / "run").rglob("*") if path.is_file()] == []


async def test_what_it_used_counts_in_budgets_and_measures(tmp_path: Path) -> None:
    printed = '{"cost": 0.75, "usage": {"in": 90, "out": 20}}'
    places = {"tokens_in": "usage.in", "tokens_out": "usage.out", "cost": "cost"}
    spending = tool(f"print({printed!r})", parse="json", usage=places)
    job = Job("spending", goal="Spend", defaults=ONCE, budget=Budget(cost=1.0, tokens=100))
    job.phase("first", agent=spending)
    job.phase("second", agent=tool("print(1)", name="second"), needs="first")
    run, second = await worked(job, tmp_path)
    first = run.log.state.steps[0].handoff

    assert (first.usage.tokens, first.usage.cost, first.usage.calls) == (110, 0.75, 1)
    assert measure(run.log.state.steps, 1.0).tokens == 110
    assert second.error is not None
    assert second.error.kind == "BudgetExhausted"  # 110 of 100 tokens are used


async def test_what_a_failed_command_used_counts_as_well(tmp_path: Path) -> None:
    spending = tool("import sys; print('{\"cost\": 0.75}'); sys.exit(1)", usage={"cost": "cost"})
    _, handoff = await worked(of_one(spending), tmp_path)

    assert (handoff.status, handoff.usage.cost) == (Status.FAILED, 0.75)


async def test_usage_that_cannot_be_read_is_said_in_the_log_of_the_agent(tmp_path: Path) -> None:
    watched = Watched()
    _, handoff = await worked(of_one(tool("print('done')", usage={"cost": "cost"})), tmp_path, watched)

    assert (handoff.status, handoff.usage.cost) == (Status.COMPLETED, None)
    assert "its usage could not be read" in watched.of(Logged)[0].message


@agent
def blocked() -> Outcome[str]:
    """Wait."""
    return Outcome(
        output="", status=Status.BLOCKED, summary="it waits for a key", concerns=(WORRY,), usage=Usage(calls=2)
    )


@agent(cpu_bound=True)
def blocked_elsewhere() -> Outcome[str]:
    """Wait."""
    return Outcome(
        output="", status=Status.BLOCKED, summary="it waits for a key", concerns=(WORRY,), usage=Usage(calls=2)
    )


def waiting(text: str) -> Outcome[str]:
    """Read what a command says that cannot go on."""
    return Outcome(output="", status=Status.BLOCKED, summary=text.strip(), concerns=(WORRY,), usage=Usage(calls=2))


@pytest.mark.parametrize(
    "work",
    [blocked, blocked_elsewhere, tool("print('it waits for a key')", output=str, parse=waiting)],
    ids=["function", "process", "command"],
)
async def test_every_kind_of_agent_can_say_that_it_is_blocked(tmp_path: Path, work: Any) -> None:
    _, handoff = await worked(of_one(work), tmp_path)

    assert handoff.status is Status.BLOCKED
    assert handoff.error is not None
    assert handoff.error.message == f"{work.name} says that it is blocked: it waits for a key"
    assert handoff.concerns == (WORRY,)
    assert (handoff.usage.calls, handoff.output_location) == (2, None)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome(output=1, status=Status.FAILED, summary="no disk"), "look says that it failed: no disk"),
        (Outcome(output="no disk", status=Status.FAILED), "look says that it failed: no disk"),
        (Outcome(output=None, status=Status.FAILED), "look says that it failed: it does not say why"),
    ],
)
async def test_an_outcome_that_failed_says_why(tmp_path: Path, outcome: Outcome[Any], message: str) -> None:
    @agent
    async def look() -> Outcome[int]:
        """Look."""
        return outcome

    _, handoff = await worked(of_one(look), tmp_path)

    assert (handoff.status, handoff.error and handoff.error.message) == (Status.FAILED, message)


async def test_one_that_says_it_failed_did_nothing_that_must_be_asked_about(tmp_path: Path) -> None:
    """As where it raises `AgentFailed`: the next run may begin it again."""

    @agent(effect="irreversible")
    async def send() -> Outcome[int]:
        """Send it."""
        return Outcome(output=0, status=Status.FAILED, summary="no stamp")

    async with a_run(of_one(send), tmp_path, ask=approving()) as run:
        await run_phases(run)
    async with a_run(of_one(send), tmp_path) as run:
        await run_phases(run)
        messages = [step.handoff.error.message for step in run.log.state.steps if step.handoff.error]

    assert isinstance(send, FunctionAgent)
    assert messages == ["send says that it failed: no stamp"] * 2


async def test_a_secret_of_a_command_is_on_no_record(tmp_path: Path) -> None:
    secret = "the-key-of-the-house"
    code = "import os, sys; print(os.environ['KEY'], file=sys.stderr); print(len(os.environ['KEY']))"
    _, handoff = await worked(of_one(tool(code, output=int, env={"KEY": SecretStr(secret)})), tmp_path)

    assert (handoff.status, handoff.summary) == (Status.COMPLETED, str(len(secret)))
    found = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert found == []
