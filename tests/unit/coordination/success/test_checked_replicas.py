"""Tasks that several do: the result of each is checked with the work, and the one that counts is verified (D11, F9)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel

from echelon import Brief, Job, Resilience, Verdict, agent, model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.handoff import Handoff
from echelon.model.run import RunStatus, StepKind
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


@agent
async def spell(name: str, brief: Brief) -> str:
    """Spell a name, longer each time that something was missing; the first of several says nothing."""
    return "" if brief.replica == 1 else name * (1 + len(brief.gaps))


@agent
async def other(name: str) -> str:
    """Spell a name, too."""
    return name


def is_said(output: str) -> str:
    return "" if output else "nothing is said"


def is_longer(output: str, item: str) -> str:
    return "" if len(output) > len(item) else "too short"


def a_job(resilience: Resilience = ONCE, each: Any = spell, **phase: Any) -> Job:
    job = Job("spelling", goal="Spell names", defaults=resilience)
    job.phase("spell", each=each, over=lambda: ["a"], **phase)
    return job


def end_of(run: RunContext) -> Handoff:
    return next(one.handoff for one in reversed(run.log.state.steps) if one.handoff.task_id == "spell/a")


async def test_a_replica_whose_result_is_rejected_does_not_count(tmp_path: Path) -> None:
    async with a_run(a_job(replicas=2, success=[is_said]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff, view = end_of(run), view_so_far(run)

    assert handoff.replicas is not None
    assert handoff.verification is not None
    assert (handoff.replicas.counted, handoff.verification.said) == ((2,), "accepted: is_said accepted")
    assert view.output == {"spell/a": "a"}
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_those_that_must_agree_are_those_that_pass(tmp_path: Path) -> None:
    async with a_run(a_job(replicas=3, agree=2, success=[is_said]), tmp_path) as run:
        await run_phases(run)
        handoff = end_of(run)

    assert handoff.replicas is not None
    assert (handoff.done, handoff.replicas.counted) == (True, (2, 3))


async def test_where_all_are_rejected_the_task_has_failed(tmp_path: Path) -> None:
    async with a_run(a_job(replicas=2, success=[is_longer]), tmp_path) as run:
        await run_phases(run)
        handoff = end_of(run)

    assert handoff.error is not None
    assert "2 of 2 replicas failed" in handoff.error.message
    assert "rejected by is_longer: too short" in handoff.error.message


async def test_what_counts_is_verified_once_and_all_do_it_again_when_it_is_rejected(tmp_path: Path) -> None:
    twice = Resilience(attempts=2, backoff_seconds=0.001, backoff_max_seconds=0.001)
    async with a_run(a_job(twice, replicas=3, agree=2, verify=is_longer), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = end_of(run)
        checks = Counter(one.handoff.task_id for one in run.log.state.steps if one.kind is StepKind.CHECK)

    assert (handoff.done, handoff.rounds) == (True, 2)
    assert checks == {"spell/a/verify/is_longer": 2}
    assert handoff.verification is not None
    assert handoff.verification.result == "accepted"
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_each_of_several_agents_must_pass_what_it_states_itself_too(tmp_path: Path) -> None:
    strict = agent(success=[is_longer], name="strict")(other.function)
    async with a_run(a_job(each=other, replicas=[other, strict], agree=2), tmp_path) as run:
        await run_phases(run)
        handoff = end_of(run)

    assert handoff.error is not None
    assert "1 of 2 replicas failed" in handoff.error.message
    assert "replica 2 (strict): what strict delivered was rejected by is_longer: too short" in handoff.error.message


async def test_who_made_what_counts_is_the_author(tmp_path: Path) -> None:
    """A verifier with the model of a replica that lost is independent; with that of the one that won it is not."""

    def silent(messages: Any, info: Any) -> Any:
        raise RuntimeError("no answer")

    judge = model_agent(Agent(TestModel(custom_output_args={"result": "accepted"}), name="judge", output_type=Verdict))
    loses = model_agent(Agent(FunctionModel(silent, model_name="another"), name="loses"))
    wins = model_agent(Agent(TestModel(), name="wins"))
    job = a_job(each=loses, replicas=[loses, wins], success=[is_said], verify=judge)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        handoff = end_of(run)

    assert handoff.verification is not None
    assert handoff.verification.checks[-1].independent is False
