"""Somebody else verifies each result: a step of its own, made once; what it rejects is done again (D11, O3)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel

from echelon import Brief, Job, Repeat, Resilience, Verdict, agent, model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.errors import InvalidJob
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff
from echelon.model.run import RunStatus, StepKind
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

TWICE = Resilience(attempts=2, backoff_seconds=0.001, backoff_max_seconds=0.001)


@agent
async def spell(name: str, brief: Brief) -> str:
    """Spell a name, longer each time that something was missing."""
    return name * (1 + len(brief.gaps))


def a_job(verify: Any, *, each: Any = spell, **phase: Any) -> Job:
    job = Job("spelling", goal="Spell names", defaults=TWICE)
    job.phase("spell", each=each, over=lambda: ["a", "b"], verify=verify, **phase)
    return job


def last_of(run: RunContext, task: str) -> Handoff:
    return next(step.handoff for step in reversed(run.log.state.steps) if step.handoff.task_id == task)


def checks_in(run: RunContext) -> list[str]:
    return sorted(step.handoff.task_id for step in run.log.state.steps if step.kind is StepKind.CHECK)


def is_said(output: str) -> bool:
    return bool(output)


def is_longer(output: str, item: str) -> str:
    return "" if len(output) > len(item) else "too short"


async def test_what_somebody_else_rejects_is_done_again(tmp_path: Path) -> None:
    async with a_run(a_job(is_longer), tmp_path) as run:
        outputs = await run_phases(run)
        handoff, view = last_of(run, "spell/a"), view_so_far(run)

    assert (handoff.rounds, handoff.attempts, handoff.stopped_by) == (2, 2, None)
    assert handoff.verification is not None
    assert handoff.verification.said == "accepted: is_longer accepted"
    assert checks_in(run) == 2 * ["spell/a/verify/is_longer"] + 2 * ["spell/b/verify/is_longer"]
    assert (view.output, view.missing, view.repeated) == ({"spell/a": "aa", "spell/b": "bb"}, (), ())
    assert view.measures.completed == 2
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_what_is_rejected_to_the_end_is_reported_once_and_what_passes_is_not(tmp_path: Path) -> None:
    def refuses_a(output: str, item: str) -> str:
        return "it is a" if item == "a" else ""

    async with a_run(a_job(refuses_a), tmp_path) as run:
        await run_phases(run)
        reports = view_so_far(run).exceptions

    assert [(one.trigger, one.path[-1], one.message) for one in reports] == [
        (Trigger.FAILED, "spell/a", "what spell delivered was rejected by refuses_a: it is a")
    ]


async def test_no_more_rounds_are_made_than_attempts_and_then_it_has_failed(tmp_path: Path) -> None:
    def never(output: str) -> str:
        return "not polite"

    async with a_run(a_job(never), tmp_path) as run:
        outputs = await run_phases(run)
        handoff, view = last_of(run, "spell/a"), view_so_far(run)

    assert handoff.error is not None
    assert (handoff.error.kind, handoff.rounds) == ("NotAccepted", 2)
    assert handoff.error.message == "what spell delivered was rejected by never: not polite"
    assert sorted(one.task_id for one in view.missing) == ["spell/a", "spell/b"]
    assert status_after(outputs) is RunStatus.FAILED


async def test_a_run_that_is_resumed_makes_no_round_and_no_verification_again(tmp_path: Path) -> None:
    async with a_run(a_job(is_longer), tmp_path) as run:
        await run_phases(run)
        before = len(run.log.state.steps)
    async with a_run(a_job(is_longer), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert len(run.log.state.steps) == before
    assert view.output == {"spell/a": "aa", "spell/b": "bb"}
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_what_could_not_be_verified_is_verified_when_the_run_is_resumed_and_not_done_again(
    tmp_path: Path,
) -> None:
    broken, done = [True], list[str]()

    @agent
    async def work(name: str) -> str:
        """Work."""
        done.append(name)
        return name

    @agent(attempts=1)
    async def verifies(output: str) -> bool:
        """Verify."""
        if broken:
            raise RuntimeError("the model is down")
        return bool(output)

    async with a_run(a_job(verifies, each=work), tmp_path) as run:
        first = await run_phases(run)
        unverified = view_so_far(run).unverified
    broken.clear()
    async with a_run(a_job(verifies, each=work), tmp_path) as run:
        second = await run_phases(run)
        after = view_so_far(run)

    assert unverified["spell/a"] == "its check failed: verifies: RuntimeError: the model is down"
    assert (status_after(first), status_after(second)) == (RunStatus.PARTIAL, RunStatus.COMPLETED)
    assert (after.unverified, after.missing, sorted(done)) == ({}, (), ["a", "b"])


async def test_what_nobody_can_tell_stays_done_and_is_said(tmp_path: Path) -> None:
    def unknown(output: str) -> Verdict:
        return Verdict.unverifiable("no reference")

    async with a_run(a_job(unknown), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert view.unverified["spell/b"] == "cannot be verified: unknown: no reference"
    assert view.output == {"spell/a": "a", "spell/b": "b"}
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_what_cannot_be_undone_is_verified_and_never_done_twice(tmp_path: Path) -> None:
    done: list[str] = []

    @agent(effect="irreversible")
    async def pay(name: str) -> str:
        """Pay."""
        done.append(name)
        return name

    async with a_run(a_job(is_longer, each=pay), tmp_path, ask=approving()) as run:
        await run_phases(run)
        handoff = last_of(run, "spell/a")

    assert sorted(done) == ["a", "b"]
    assert handoff.error is not None
    assert (handoff.error.kind, handoff.error.can_pass) == ("NotAccepted", False)


async def test_with_repeat_both_must_pass(tmp_path: Path) -> None:
    def is_three_long(output: str) -> str:
        return "" if len(output) >= 3 else "shorter than 3"

    job = a_job(is_three_long, repeat=Repeat(until=is_longer, rounds=4))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        handoff = last_of(run, "spell/a")

    # Round 1 fails the check, round 2 the verification, round 3 neither.
    assert (handoff.done, handoff.rounds, handoff.stopped_by) == (True, 3, "passed")
    assert handoff.verification is not None
    assert handoff.verification.result == "accepted"


def test_nobody_verifies_own_work() -> None:
    with pytest.raises(InvalidJob, match="'spell' would check its own work"):
        a_job(spell)


def a_model(name: str, model: Any, output: Any = str) -> Any:
    return model_agent(Agent(model, name=name, output_type=output))


async def test_an_agent_in_success_verifies_too_and_reads_what_is_stated_in_words(tmp_path: Path) -> None:
    told: list[str] = []

    def answer(messages: Any, info: Any) -> Any:
        told.append(str(messages[0].parts[0].content))
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"result": "accepted"})])

    judge = a_model("judge", FunctionModel(answer, model_name="judge-1"), Verdict)
    job = a_job(None, success=["it is polite", is_said, judge])
    async with a_run(job, tmp_path) as run:
        outputs = await run_phases(run)
        handoff = last_of(run, "spell/a")

    assert "- it is polite" in told[0]
    assert '"output": "a"' in told[0] or '"output": "b"' in told[0]
    assert handoff.verification is not None
    assert (handoff.verification.result, handoff.verification.checks[-1].independent) == ("accepted", True)
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_the_same_model_is_no_independent_confirmation(tmp_path: Path) -> None:
    author = a_model("author", TestModel())
    judge = a_model("judge", TestModel(custom_output_args={"result": "accepted"}), Verdict)
    job = a_job(judge, each=author, success=[is_said])
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        handoff, findings = last_of(run, "spell/a"), run.spec.plan.findings

    assert handoff.verification is not None
    assert "judge is not independent: the same model as the author" in handoff.verification.reason
    assert [one.rule for one in findings if one.where == "spell" and "independent" in one.message] == ["O3"]
