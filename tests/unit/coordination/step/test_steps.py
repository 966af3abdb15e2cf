"""However an agent ends, it ends in an envelope, and its siblings do not notice (C1, F)."""

import asyncio
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Concern, Job, Outcome, Resilience, Workspace, agent
from echelon.agents.call import Call, CallShape
from echelon.coordination.job_run import run_phases
from echelon.journal.port import Journal
from echelon.model.errors import JournalError
from echelon.model.handoff import Handoff
from echelon.model.usage import Usage
from echelon.runlog.events import RunEvent, StepEnded
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Item, items, looking, missing_in, on_record, output_of

pytestmark = pytest.mark.anyio


async def _cancels_itself() -> Any:
    inner = asyncio.create_task(asyncio.Event().wait())
    inner.cancel()
    await inner


async def _returns(value: Any) -> Any:
    return value


def _raises(error: BaseException) -> Any:
    raise error


#: What an agent does → the class of the error on record, and a word of its message.
DEEDS: dict[str, tuple[Any, str, str]] = {
    "says so": (lambda: _raises(AgentFailed("cannot")), "AgentFailed", "cannot"),
    "breaks": (lambda: _raises(KeyError("path")), "KeyError", "path"),
    "breaks in parts": (lambda: _raises(ExceptionGroup("two", [ValueError("x")])), "ExceptionGroup", "two"),
    "exits": (lambda: sys.exit(3), "AgentFailed", "exit code 3"),
    "is cancelled inside": (_cancels_itself, "AgentFailed", "cancelled by something inside"),
    "makes something else": (lambda: _returns(3.5), "ContractViolation", "valid string"),
    "makes half characters": (lambda: _returns("\udcff"), "ContractViolation", ""),
    "is surer than sure": (lambda: _returns(Outcome(output="x", confidence=2)), "ContractViolation", "confidence"),
    "names half characters": (lambda: _raises(FileNotFoundError("\udcff.py")), "FileNotFoundError", "udcff.py"),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_an_agent_that_does_not_deliver_ends_in_a_failed_handoff_and_stops_nobody(
    tmp_path: Path, deed: str
) -> None:
    @agent
    async def look(item: Item) -> str:
        if not item.fails:
            return item.id
        done = DEEDS[deed][0]()
        return await done

    async with a_run(looking(each=look), tmp_path, items(3, failing=frozenset({1}))) as run:
        delivered = await run_phases(run)
        failed = [step.handoff for step in await run.log.journal.steps(run.spec.run_id) if not step.handoff.done]

    assert [handoff.task_id for handoff in delivered["look"].handoffs] == ["look/i0", "look/i2"]
    assert len(failed) == 1
    assert failed[0].error is not None
    assert failed[0].error.kind == DEEDS[deed][1]
    assert DEEDS[deed][2] in failed[0].error.message


async def test_what_an_agent_says_beside_its_output_costs_it_nothing_whatever_it_holds(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> Outcome[str]:
        odd = Concern(about="\ud800", message="\x00", confidence=0.5, impact=0.5)
        return Outcome(output=item.id, next_steps=("look \udcff\x1b[2J",), summary="\ud800", concerns=(odd,))

    async with a_run(looking(each=look), tmp_path, items(1)) as run:
        await run_phases(run)
        (handoff,) = [step.handoff for step in await run.log.journal.steps(run.spec.run_id)]

    assert handoff.done
    assert handoff.next_steps == ("look \\udcff\\x1b[2J",)
    assert [(one.about, one.message) for one in handoff.concerns] == [("\\ud800", "\\x00")]


async def test_an_output_without_a_json_form_is_a_broken_contract(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> Any:
        return object()

    async with a_run(looking(each=look), tmp_path, items(1)) as run:
        await run_phases(run)

    assert "cannot be recorded" in missing_in(run)[0].reason


async def test_concerns_of_an_agent_that_failed_are_on_record(tmp_path: Path) -> None:
    concern = Concern(about="i0", message="locked", confidence=1, impact=1)

    @agent
    async def look(item: Item) -> str:
        raise AgentFailed("locked", concerns=[concern])

    async with a_run(looking(each=look), tmp_path, items(1)) as run:
        await run_phases(run)

        assert [record.concern for record in await run.log.journal.concerns(run.spec.run_id)] == [concern]


async def test_a_plain_function_that_exits_or_runs_dry_fails_at_once(tmp_path: Path) -> None:
    @agent(timeout=30)
    def look(item: Item) -> str:
        if item.fails:
            sys.exit("usage: look")
        return next(iter(()))

    async with a_run(looking(each=look), tmp_path, items(2, failing=frozenset({0}))) as run:
        await run_phases(run)

    assert {one.reason for one in missing_in(run)} == {
        "look wanted to end the process with exit code usage: look",
        "RuntimeError: look raised StopIteration: a next() without a default?",
    }


async def test_every_attempt_gets_an_empty_folder_of_its_own(tmp_path: Path) -> None:
    @agent(attempts=2)
    async def look(item: Item, workspace: Workspace) -> str:
        assert list(workspace.iterdir()) == []
        (workspace / "left").touch()
        if len(list(workspace.parent.iterdir())) < 3:
            raise AgentFailed("not now", passing=True)
        return workspace.name

    job = Job("working", goal="Work", inputs=type(items()), defaults=ONCE.model_copy(update={"backoff_seconds": 0.0}))
    job.phase("look", each=look, over=lambda items: items, key=lambda item: f"../{item.id}")
    async with a_run(job, tmp_path, items(2)) as run:
        await run_phases(run)
        names = set(output_of(run).values())

        assert len(names) == 2
        assert {folder.name for folder in (run.spec.folder / "work").iterdir()} > names


class Full:
    """A journal that has no room for another step."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def append(self, *events: RunEvent) -> None:
        """Append anything else."""
        if any(isinstance(event, StepEnded) for event in events):
            raise JournalError("disk full")
        await self._journal.append(*events)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


async def test_what_cannot_be_written_down_is_not_seen(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(1)) as run:
        run.log.journal = Full(run.log.journal)
        with pytest.raises(ExceptionGroup) as refused:
            await run_phases(run)

        assert refused.group_contains(JournalError)
        assert run.log.state.steps == (await on_record(run)).steps == ()


class Mark(BaseModel):
    """Something found in a line."""

    line: int
    severity: Literal["low", "high"] = "low"


async def marked(home: Path, deed: Any, **how: Any) -> Handoff:
    """Let one agent return something for a mark; returns its handoff."""

    @agent
    async def look(item: Item) -> Mark:
        return deed()

    async with a_run(looking(each=look, **how), home, items(1)) as run:
        await run_phases(run)
        return run.log.state.steps[0].handoff


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ({"line": "7"}, "look delivered something else than its contract: line: "),
        ({"line": 7, "severity": "hgih"}, "severity: 'hgih' is not in its vocabulary: 'high', 'low'"),
        ({"line": 7, "severity": "\x1b[31mhigh"}, "'\\x1b[31mhigh' is not in its vocabulary"),
        (Mark.model_construct(line="x"), "no consumer could read it, line: "),
    ],
    ids=["C5-strict", "C3-word", "C3-hostile", "C1-unreadable"],
)
async def test_what_does_not_fit_is_refused_with_place_and_producer(tmp_path: Path, returned: Any, said: str) -> None:
    handoff = await marked(tmp_path, lambda: returned)

    assert handoff.error is not None
    assert (handoff.error.kind, said in handoff.error.message) == ("ContractViolation", True)


@pytest.mark.parametrize("level", ["job", "phase"])
async def test_a_flexible_contract_mends_on_record(tmp_path: Path, level: str) -> None:
    flexible = Resilience(contract="flexible", attempts=1)
    how: dict[str, Any] = {"defaults": flexible} if level == "job" else {"resilience": flexible}
    handoff = await marked(tmp_path, lambda: {"line": "7", "severity": "High"}, **how)

    assert handoff.done
    assert handoff.repairs == ("severity: 'High' read as 'high'", "line: the text '7' read as the contract's kind")


async def test_an_agent_may_be_flexible_in_a_strict_job(tmp_path: Path) -> None:
    @agent(contract="flexible")
    async def look(item: Item) -> Any:
        return item.id

    async with a_run(looking(each=look), tmp_path, items(1)) as run:
        await run_phases(run)
        handoff = run.log.state.steps[0].handoff

    assert handoff.output_location is not None
    assert (handoff.done, handoff.repairs) == (True, ())


class Stubborn:
    """An agent that can be told what was wrong."""

    name = goal = "look"
    effect = "read"
    resilience = Resilience(contract="flexible")
    output_type = int

    def __init__(self) -> None:
        self.told: list[str] = []

    def bind(self, shape: CallShape) -> Any:
        return self

    async def perform(self, call: Call) -> Outcome[Any]:
        return Outcome(output="many", usage=Usage(tokens_in=5, calls=1))

    async def perform_again(self, call: Call, complaint: str) -> Outcome[Any]:
        self.told.append(complaint)
        return Outcome(output=3, usage=Usage(tokens_in=7, calls=1))


async def test_an_agent_is_told_what_was_wrong_and_asked_once_more(tmp_path: Path) -> None:
    stubborn = Stubborn()
    async with a_run(looking(each=stubborn), tmp_path, items(1)) as run:
        await run_phases(run)
        handoff = run.log.state.steps[0].handoff

    assert len(stubborn.told) == 1
    assert handoff.repairs[0].startswith("asked once more: look delivered something else than its contract")
    assert (handoff.usage.tokens_in, handoff.usage.calls, handoff.attempts) == (12, 2, 1)
