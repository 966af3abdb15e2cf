"""A result without the work behind it is refused, whatever it claims; what is seen depends on who worked (D11)."""

import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import Brief, Evidence, Handoffs, Job, Outcome, Resilience, Trace, Workspace, agent, command, model_agent
from echelon.coordination.job_run import run_phases
from echelon.model.graph import WorkerKind
from echelon.model.handoff import Handoff
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

TWICE = Resilience(attempts=2, backoff_seconds=0.001, backoff_max_seconds=0.001)


async def handoff_of(tmp_path: Path, who: Any, success: list[Any], **phase: Any) -> Handoff:
    job = Job("work", goal="Work", defaults=TWICE)
    job.phase("work", agent=who, success=success, **phase)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        return run.log.state.steps[-1].handoff


def seen_by(traces: list[Trace]) -> Callable[..., bool]:
    def looks(output: Any, trace: Trace) -> bool:
        traces.append(trace)
        return True

    return looks


def a_model(*calls: ToolCallPart, lies_first: bool = False) -> Any:
    """Return a model that calls tools and then claims to be done; the first attempt claims it at once where it lies."""
    attempts: list[int] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            attempts.append(1)
        worked = len(messages) > 1 or (lies_first and len(attempts) == 1)
        return ModelResponse(parts=[TextPart("all tests pass")] if worked or not calls else list(calls))

    model = Agent(FunctionModel(answer), name="coder")

    @model.tool_plain
    def read_file(path: str) -> str:
        if "secret" in path:
            raise ValueError("not yours")
        return "x = 1"

    @model.tool_plain
    def write_file(path: str, content: str) -> str:
        return "written"

    @model.tool_plain
    def bash(command: str) -> str:
        return "3 passed"

    return model_agent(model)


async def test_a_model_that_only_claims_to_have_worked_is_refused(tmp_path: Path) -> None:
    handoff = await handoff_of(tmp_path, a_model(), [Evidence(commands="pytest*")])

    assert (handoff.done, handoff.attempts) == (False, 2)
    assert handoff.error is not None
    assert "no commands fit 'pytest*' (it shows none)" in handoff.error.message


async def test_a_model_that_is_told_what_is_missing_does_it(tmp_path: Path) -> None:
    who = a_model(ToolCallPart("bash", {"command": "cd src\npytest -q"}), lies_first=True)
    handoff = await handoff_of(tmp_path, who, [Evidence(commands="pytest*", calls=1)])

    assert (handoff.done, handoff.attempts) == (True, 2)
    assert handoff.verification is not None
    assert handoff.verification.trace == Trace(
        kind=WorkerKind.MODEL, commands=("cd src; pytest -q",), calls=('bash({"command": "cd src\\npytest -q"})',)
    )


async def test_tools_of_a_model_count_by_their_names_and_arguments(tmp_path: Path) -> None:
    traces: list[Trace] = []
    who = a_model(
        ToolCallPart("read_file", {"path": "src/a.py"}),
        ToolCallPart("write_file", '{"path": "fix.patch", "content": "x"}'),
    )
    await handoff_of(tmp_path, who, [seen_by(traces)])

    assert (traces[0].reads, traces[0].changes, len(traces[0].calls)) == (("src/a.py",), ("fix.patch",), 2)


async def test_an_answer_in_the_form_of_a_tool_is_no_work(tmp_path: Path) -> None:
    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"response": 3})])

    who = model_agent(Agent(FunctionModel(answer), name="guesser", output_type=int))
    handoff = await handoff_of(tmp_path, who, [Evidence(calls=1)])

    assert handoff.error is not None
    assert "0 calls of at least 1" in handoff.error.message


WRITES = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.exists() or p.write_text('x'); print('done')"


async def test_files_that_a_command_changes_in_its_folder_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "old.txt").write_text("old")
    (folder / ".git" / "index").write_text("x")
    code = f"import os; os.remove('old.txt'); open('.git/index', 'w').write('yy'); {WRITES}"
    traces: list[Trace] = []
    who = command([sys.executable, "-c", code, "a.patch"], cwd=folder)
    handoff = await handoff_of(tmp_path / "home", who, [Evidence(changes="*.patch"), seen_by(traces)])

    assert handoff.done
    assert traces[0].changes == ("a.patch", "old.txt")
    assert traces[0].commands[0].endswith(" a.patch")


async def test_what_was_changed_in_the_first_attempt_is_still_changed_in_the_second(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()

    def second(brief: Brief, trace: Trace) -> bool:
        return bool(brief.gaps) and trace.changes == ("a.patch",)

    who = command([sys.executable, "-c", WRITES, "a.patch"], cwd=folder)
    handoff = await handoff_of(tmp_path / "home", who, [second])

    assert (handoff.done, handoff.attempts) == (True, 2)


async def test_a_command_that_writes_nothing_has_not_worked(tmp_path: Path) -> None:
    who = command([sys.executable, "-c", "print('fixed everything')"], cwd=tmp_path)
    handoff = await handoff_of(tmp_path / "home", who, [Evidence(changes=1)])

    assert handoff.error is not None
    assert "0 changes of at least 1" in handoff.error.message


async def test_a_function_is_seen_by_what_it_reads_and_writes(tmp_path: Path) -> None:
    traces: list[Trace] = []

    @agent
    def gather() -> str:
        """Gather."""
        return "gathered"

    @agent
    def report(gather: Handoffs[str], folder: Workspace) -> str:
        """Report."""
        (folder / "report.md").write_text("x")
        return gather.outputs()[0]

    def is_written(output: str, workspace: Workspace) -> bool:
        return (workspace / "report.md").is_file()

    job = Job("reporting", goal="Report")
    job.phase("gather", agent=gather)
    job.phase("report", agent=report, needs="gather", success=[seen_by(traces), is_written, Evidence(reads="gather/*")])
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        handoff = run.log.state.steps[-1].handoff

    assert handoff.done, handoff.error
    asked = ("read gather/gather", "made a workspace")
    expected = Trace(reads=("gather/gather",), calls=asked, changes=("report.md",))
    assert traces[0].model_copy(update={"folders": ()}) == expected
    assert [(one.tree, one.files) for one in traces[0].folders] == [("", {"report.md": sha256(b"x").hexdigest()})]


async def test_an_agent_of_another_kind_leaves_no_trace_and_is_never_passed(tmp_path: Path) -> None:
    handoff = await handoff_of(tmp_path, _OfItsOwnKind(), [Evidence(calls=1)])

    assert handoff.unverified == (
        "cannot be verified: Evidence(calls=1): the work of this kind of agent leaves no trace that could be looked at"
    )


class _OfItsOwnKind:
    name, goal, effect, output_type = "own", "Work", "read", int
    resilience = Resilience()

    def bind(self, shape: Any) -> Any:
        return self

    async def perform(self, call: Any) -> Any:
        return Outcome(output=1)
