"""What stands in for work is checked and verified like it; what nobody made now counts as unverified (D11, F2)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from echelon import Evidence, Fallback, Job, Resilience, Verdict, agent, model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.handoff import Handoff
from echelon.model.run import RunStatus, StepKind
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


@agent
async def fails(name: str) -> str:
    """Fail."""
    raise RuntimeError("it is broken")


@agent
async def shout(name: str) -> str:
    """Shout a name."""
    return name.upper()


@agent
async def whisper(name: str) -> str:
    """Whisper a name."""
    return name.lower()


def is_loud(output: str) -> str:
    return "" if output.isupper() else "too quiet"


def is_said(output: str) -> bool:
    return bool(output)


def a_job(each: Any = fails, **phase: Any) -> Job:
    job = Job("naming", goal="Say names", defaults=ONCE)
    job.phase("say", each=each, over=lambda: ["Ann"], **phase)
    return job


def last_of(run: RunContext, task: str = "say/Ann") -> Handoff:
    return next(step.handoff for step in reversed(run.log.state.steps) if step.handoff.task_id == task)


async def test_an_agent_that_stands_in_is_verified(tmp_path: Path) -> None:
    async with a_run(a_job(verify=is_loud, fallback=shout), tmp_path) as run:
        outputs = await run_phases(run)
        handoff, view = last_of(run), view_so_far(run)

    assert handoff.verification is not None
    assert (handoff.done, handoff.verification.said) == (True, "accepted: is_loud accepted")
    assert handoff.fallback is not None
    assert (view.output, view.unverified) == ({"say/Ann": "ANN"}, {})
    assert (view.measures.completed, view.measures.replaced) == (1, 1)
    assert status_after(outputs) is RunStatus.COMPLETED  # another agent did the work


async def test_one_that_is_rejected_does_not_stand_in_and_the_next_one_is_tried(tmp_path: Path) -> None:
    async with a_run(a_job(verify=is_loud, fallback=[whisper, shout]), tmp_path) as run:
        await run_phases(run)
        handoff, view = last_of(run), view_so_far(run)

    assert handoff.fallback is not None
    assert handoff.fallback.said == "agent shout"
    assert "whisper, in its place: what whisper delivered was rejected by is_loud: too quiet" in handoff.fallback.reason
    assert view.output == {"say/Ann": "ANN"}


async def test_where_all_are_rejected_the_task_has_failed(tmp_path: Path) -> None:
    async with a_run(a_job(verify=is_loud, fallback=whisper), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert "rejected by is_loud: too quiet" in view.missing[0].reason
    assert view.output is None
    assert status_after(outputs) is RunStatus.FAILED


async def test_who_stands_in_for_work_that_was_rejected_is_verified_anew(tmp_path: Path) -> None:
    async with a_run(a_job(whisper, verify=is_loud, fallback=shout), tmp_path) as run:
        await run_phases(run)
        checks = [one.handoff.task_id for one in run.log.state.steps if one.kind is StepKind.CHECK]
        view = view_so_far(run)

    assert checks == 2 * ["say/Ann/verify/is_loud"]
    assert view.output == {"say/Ann": "ANN"}


async def test_a_run_that_is_resumed_verifies_no_stand_in_again(tmp_path: Path) -> None:
    async with a_run(a_job(verify=is_loud, fallback=shout), tmp_path) as run:
        await run_phases(run)
    async with a_run(a_job(verify=is_loud, fallback=shout), tmp_path) as run:
        await run_phases(run)
        checks = [one.handoff.task_id for one in run.log.state.steps if one.kind is StepKind.CHECK]
        handoff, view = last_of(run), view_so_far(run)

    assert checks == ["say/Ann/verify/is_loud"]
    assert handoff.verification is not None
    assert (handoff.verification.result, view.output) == ("accepted", {"say/Ann": "ANN"})


async def test_its_result_must_pass_what_the_agent_itself_states(tmp_path: Path) -> None:
    fails_loudly = agent(success=[is_loud, Evidence(calls=5)], name="fails")(fails.function)
    async with a_run(a_job(fails_loudly, fallback=[whisper, shout]), tmp_path) as run:
        await run_phases(run)
        handoff, view = last_of(run), view_so_far(run)

    assert handoff.verification is not None  # what the other one shows of its work is not asked of it
    assert handoff.verification.said == "accepted: is_loud accepted"
    assert view.output == {"say/Ann": "ANN"}


@pytest.mark.parametrize("success", [{"success": [is_said]}, {"verify": is_loud}])
async def test_a_default_stands_in_unverified(tmp_path: Path, success: dict[str, Any]) -> None:
    async with a_run(a_job(fallback=Fallback.default("ANN"), **success), tmp_path) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert view.unverified == {"say/Ann": "cannot be verified: a fallback stood in, which nobody verified"}
    assert view.stand_ins == {"say/Ann": "the default value"}
    assert (view.measures.replaced, view.measures.unverified) == (1, 0)  # it counts once


async def test_where_no_success_is_stated_nothing_is_said_of_it(tmp_path: Path) -> None:
    async with a_run(a_job(fallback=Fallback.default("ANN")), tmp_path) as run:
        await run_phases(run)

        assert view_so_far(run).unverified == {}


async def test_who_stands_in_with_the_model_of_who_verifies_is_not_independent(tmp_path: Path) -> None:
    judge = model_agent(Agent(TestModel(custom_output_args={"result": "accepted"}), name="judge", output_type=Verdict))
    other = model_agent(Agent(TestModel(), name="other"))
    async with a_run(a_job(success=[is_said], verify=judge, fallback=other), tmp_path) as run:
        await run_phases(run)
        handoff = last_of(run)

    assert handoff.verification is not None
    assert "judge is not independent: the same model as the author" in handoff.verification.reason
