"""K, X15: who is told to speak up can, in the words of its kind; who cannot is not told."""

import re
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Fallback, Job, Proposals, agent, command
from echelon.agents.voice.file import VOICE_FILE
from echelon.agents.voice.tools import SPEAKING, VoiceTools
from echelon.cli.speaking.say import app
from echelon.conventions.brief import brief_conventions
from echelon.conventions.facts import Audience, BriefReader
from echelon.coordination.job_run import run_phases
from echelon.definition.conventions import job_facts
from echelon.model.voice.said import SaidBlocked, SaidConcern, SaidConfidence, SaidTask, read_said
from echelon.model.voice.speaking import Speaks
from echelon.runlog.events import ConcernRaised, StepEnded
from echelon.testing.runs import a_run
from tests.unit.conventions.plans import KNOWN
from tests.unit.coordination.jobs import ONCE
from tests.unit.coordination.models.test_models_read import Reader

pytestmark = pytest.mark.anyio

EVERYTHING = KNOWN["everything"]
FIRST = EVERYTHING.phases[0].name


def told(audience: Audience, *, speaks: bool = True, phase: str = FIRST) -> str:
    return "\n".join(brief_conventions(EVERYTHING, BriefReader(audience, speaks, phase)))


def test_what_each_kind_is_told_to_say_is_heard() -> None:
    """Each is told all four ways, by names that exist where it works."""
    tools = set(re.findall(r"`(\w+)`", told(Audience.MODEL))) & SPEAKING
    methods = set(re.findall(r"`brief\.(\w+)\(…\)`", told(Audience.FUNCTION)))
    lines = [read_said(line) for line in re.findall(r"`(\{.*?\})`", told(Audience.COMMAND))]
    commands = re.findall(r"`echelon say (\w+)", told(Audience.COMMAND))

    assert tools == methods == SPEAKING
    assert all(callable(getattr(VoiceTools, name)) and callable(getattr(Speaks, name)) for name in SPEAKING)
    assert [type(one) for one in lines] == [SaidConcern, SaidBlocked, SaidConfidence, SaidTask]
    assert commands == ["concern", "blocked", "confidence", "task"]
    assert all(name in app for name in commands)
    assert VOICE_FILE in told(Audience.COMMAND)


@pytest.mark.parametrize("audience", [Audience.MODEL, Audience.COMMAND, Audience.FUNCTION])
def test_who_has_no_voice_is_not_told_to_use_one(audience: Audience) -> None:
    silent = told(audience, speaks=False)

    assert silent
    assert [word for word in (*SPEAKING, VOICE_FILE, "echelon say", "concern", "blocked") if word in silent] == []


def test_proposed_tasks_are_asked_for_only_where_a_phase_takes_them() -> None:
    taken, elsewhere = told(Audience.MODEL), told(Audience.MODEL, phase=EVERYTHING.phases[1].name)

    assert "`propose_task`. Taken by: `more`." in taken
    assert "propose" not in elsewhere


@pytest.mark.parametrize("audience", [Audience.MODEL, Audience.COMMAND, Audience.FUNCTION])
def test_nobody_is_told_of_what_it_cannot_act_on(audience: Audience) -> None:
    about_others = "breaker lease journal integrat coordinator lead status coupling budget replica fallback incident"

    assert [word for word in about_others.split() if word in told(audience).lower()] == []


@agent
def look(path: str, brief: Brief) -> str:
    """Say what there is to say."""
    brief.raise_concern("it is odd")
    return path


def job_of(*agents: Any) -> Job:
    job = Job("looking", goal="Look", defaults=ONCE)
    job.phase("look", agents=agents)
    return job


def test_what_a_job_has_is_read_from_its_agents() -> None:
    calm, loud = Reader(name="calm", voice=False).agent, Reader(name="loud").agent
    tool = command(["true"], name="tool")

    assert job_facts(job_of(calm)).agents == {Audience.MODEL}
    assert job_facts(job_of(calm)).speaking == frozenset()
    assert job_facts(job_of(calm, loud, tool)).speaking == {Audience.MODEL, Audience.COMMAND}


async def test_a_model_without_tools_is_asked_without_a_word_of_them(tmp_path: Path) -> None:
    """In one run, in one phase: the one that may speak up is told how, the other one is not."""
    calm, loud = Reader(name="calm", voice=False), Reader(name="loud")
    async with a_run(job_of(calm.agent, loud.agent), tmp_path) as run:
        await run_phases(run)

    assert "`raise_concern`" in loud.prompt
    assert [name for name in SPEAKING if name in calm.prompt] == []
    assert "How you work with others" not in calm.prompt


async def test_who_takes_the_place_of_another_is_told_in_words_of_its_own(tmp_path: Path) -> None:
    model = Reader(name="model")

    @agent(fallback=Fallback.agent(model.agent))
    def fail(brief: Brief) -> str:
        """Fail."""
        raise AgentFailed("\n".join(brief.conventions))

    async with a_run(job_of(fail), tmp_path) as run:
        delivered = await run_phases(run)

    (handoff,) = delivered["look"].handoffs
    assert handoff.fallback
    assert "brief.raise_concern" in handoff.fallback.reason
    assert "Call `raise_concern`" in model.prompt
    assert "brief." not in model.prompt


async def test_a_concern_is_on_record_before_its_step_ends(tmp_path: Path) -> None:
    job = Job("looking", goal="Look", defaults=ONCE)
    job.phase("look", each=look, over=lambda: ["a"])
    job.phase("more", each=look, over=Proposals(str), needs="look")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        kinds = [type(entry.event) for entry in await run.log.journal.events("run")]

    assert kinds.index(ConcernRaised) < kinds.index(StepEnded)
