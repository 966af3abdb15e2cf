"""A job whose items say what they were made from, in runs that are really ended, one after the other."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, Outcome, Resilience, agent, integrator
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.concern import Concern
from echelon.model.handoff import Handoff
from echelon.model.run import RunView, StepKind
from echelon.runlog.events import RunEnded
from echelon.testing.runs import a_run, view_so_far

ONCE = Resilience(attempts=1)

#: What agents were asked, in that order; a test empties it.
ASKED: list[str] = []


class Word(BaseModel):
    """Something to look at, and what it was made from."""

    id: str
    digest: str | None = ""
    domain: str = "core"


class Words(BaseModel):
    """What the job is given."""

    words: tuple[Word, ...] = ()
    since: str = ""


class Seen(BaseModel):
    """What was seen in a word."""

    text: str


@agent
async def look(word: Word) -> Seen:
    """Look at a word"""
    ASKED.append(word.id)
    if word.digest == "broken":
        raise AgentFailed("it cannot be read")
    return Seen(text=f"{word.id}={word.digest}")


@agent
async def doubt(word: Word) -> Outcome[Seen]:
    """Look at a word, and say what is wrong with it"""
    ASKED.append(word.id)
    concern = Concern(about=word.id, message="it looks odd", confidence=0.9, impact=0.2)
    return Outcome(output=Seen(text=word.id), concerns=(concern,), shortfall="half" if word.digest == "half" else "")


@integrator
async def join(seen: Handoffs[Seen]) -> str:
    """Put together what was seen"""
    ASKED.append("join")
    return " ".join(sorted(one.text for one in seen.outputs()))


def words(**made_from: str | None) -> Words:
    """Make words, each with what it was made from."""
    return Words(words=tuple(Word(id=name, digest=digest) for name, digest in made_from.items()))


def reading(reuse: Any = "unchanged", each: Any = look, **phase: Any) -> Job:
    """Make a job that looks at words, and keeps what it may."""
    job = Job("reading", goal="See everything", inputs=Words, defaults=ONCE)
    job.phase("look", each=each, over=lambda words: words, reuse=reuse, **phase)
    return job


class Runs:
    """Runs of jobs in one journal, each ended before the next begins."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.number = 0

    @asynccontextmanager
    async def begun(self, job: Job, inputs: BaseModel, **more: Any) -> AsyncGenerator[RunContext]:
        """Open the next run."""
        self.number += 1
        async with a_run(job, self.home, inputs, run_id=f"run-{self.number}", **more) as run:
            yield run

    async def run(self, job: Job, inputs: BaseModel, **more: Any) -> tuple[list[str], RunView]:
        """Carry a run out; returns what agents were asked in it, and everything that is known about it."""
        async with self.begun(job, inputs, **more) as run:
            with asked() as names:
                outputs = await run_phases(run)
            now = run.now()
            ended = RunEnded(run_id=run.spec.run_id, at=now, status=status_after(outputs), finished=now)
            await run.log.append(ended)
            return sorted(names), view_so_far(run)


@contextmanager
def asked() -> Iterator[list[str]]:
    """Collect what agents are asked in the block."""
    ASKED.clear()
    yield ASKED


def handed_on(view: RunView) -> dict[str, Handoff]:
    """Return what each task and integration of a run handed on."""
    return {step.handoff.task_id: step.handoff for step in view.steps if step.kind is not StepKind.PLANNING}
