"""Who works in the jobs: agents, coordinators and checks that do what they are given as data.

All of them are here, so that neither a name nor the traceback of an error tells which run it comes from. Tokens are
reported as agents report them (`Outcome(usage=...)`), and work is time that passes.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel

from echelon import (
    AgentFailed,
    Brief,
    Complete,
    Concern,
    Conflict,
    Handoffs,
    Key,
    Outcome,
    Settlement,
    TaskSpec,
    Usage,
    Verdict,
    agent,
    integrator,
)
from echelon.agents.decorators import PhaseIntegrator
from echelon.agents.function import FunctionAgent
from echelon.model.status import Status

#: Share of its tokens that an agent writes, and share of them that an attempt uses which fails at once.
WRITTEN, BEGUN = 0.08, 0.1


class Fact(BaseModel):
    """What is said of one subject."""

    subject: Annotated[str, Key()]
    value: int


class Part(BaseModel):
    """What one agent delivers."""

    facts: list[Fact]


class Ruling(BaseModel):
    """What a coordinator wants to be done about one subject."""

    matter: Annotated[str, Key()]
    way: int


class Whole(BaseModel):
    """What a coordinator delivers: all of what is below it, and what it wants to be done."""

    facts: Annotated[list[Fact], Complete()]
    rulings: list[Ruling] = []


@dataclass(frozen=True, kw_only=True)
class Act:
    """What an agent does in one call."""

    seconds: float
    """How long it works."""
    tokens: int
    """What it uses."""
    facts: Mapping[str, int] | None = None
    """What it says, by subject; None: one thing, of its own item."""
    reads: Callable[[str], bool] | None = None
    """Which of the tasks it reads whose outputs it is given; None: all."""
    failures: Sequence[str] = ()
    """What it says of attempts that fail; another one follows each."""
    error: str = ""
    """Why it fails for good; empty: it does not."""
    concern: Concern | None = None
    """What it raises."""
    confidence: float | None = None
    """How sure it says it is."""
    warnings: Sequence[str] = ()
    """What it writes to its log, as warnings."""
    proposes: Sequence[str] = ()
    """Tasks that it proposes."""
    blocked: tuple[str, str] | None = None
    """What it waits for when it is asked first, and why it cannot do without; None: nothing."""
    shortfall: str = ""
    """What is missing in what it delivers."""


def spent(tokens: int) -> Usage:
    """Return what so many tokens are, read and written."""
    out = round(tokens * WRITTEN)
    return Usage(tokens_in=tokens - out, tokens_out=out, calls=1)


def about(subject: str, message: str, confidence: float, impact: float) -> Concern:
    """Return a concern."""
    return Concern(about=subject, message=message, confidence=confidence, impact=impact, evidence=(subject,))


def ending_in(item: str) -> Callable[[str], bool]:
    """Return what says of a task whether it is that of an item."""
    return lambda task: task.endswith(item)


class Attempts:
    """How often each task was tried in this process."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def next(self, task: str) -> int:
        """Count one attempt, and return which it is, from 0."""
        self._of[task] = self._of.get(task, -1) + 1
        return self._of[task]


Acts = Callable[[str, Brief], Act]
"""What is done with an item: by the item and what its agent is told."""


def worker(name: str, goal: str, acts: Acts, **options: Any) -> FunctionAgent[..., Any]:
    """Return an agent of a phase with items."""
    attempts = Attempts()

    async def work(item: str, received: Handoffs[Any], brief: Brief) -> Outcome[Part]:
        return await _perform(acts(item, brief), item, received, brief, attempts)

    return agent(work, name=name, goal=goal, **options)


def soloist(name: str, goal: str, acts: Acts, **options: Any) -> FunctionAgent[..., Any]:
    """Return the only agent of a phase."""
    attempts = Attempts()

    async def work(received: Handoffs[Any], brief: Brief) -> Outcome[Part]:
        return await _perform(acts(name, brief), name, received, brief, attempts)

    return agent(work, name=name, goal=goal, **options)


def graph_worker(name: str, goal: str, acts: Acts) -> FunctionAgent[..., Any]:
    """Return who does the tasks of a task graph."""
    attempts = Attempts()

    async def work(task: TaskSpec, received: Handoffs[Any], brief: Brief) -> Outcome[Part]:
        return await _perform(acts(task.id, brief), task.id, received, brief, attempts)

    return agent(work, name=name, goal=goal, attempts=3)


async def _perform(act: Act, item: str, received: Handoffs[Any], brief: Brief, attempts: Attempts) -> Outcome[Part]:
    number = attempts.next(f"{brief.phase}/{item}/{brief.round}")
    for one in received:
        if act.reads is None or act.reads(one.task_id):
            one.load()
    _speak(act, brief)
    await asyncio.sleep(act.seconds)
    if number < len(act.failures):
        raise _failed(act.failures[number], act.tokens)
    if act.blocked is not None and number == 0:
        brief.report_blocked(*act.blocked)
    said = {item: 1} if act.facts is None else act.facts
    part = Part(facts=[Fact(subject=subject, value=value) for subject, value in said.items()])
    if act.error:
        return Outcome(output=part, status=Status.FAILED, summary=act.error, usage=spent(act.tokens))
    return Outcome(output=part, usage=spent(act.tokens), shortfall=act.shortfall)


def _speak(act: Act, brief: Brief) -> None:
    for warning in act.warnings:
        logging.getLogger(brief.assignment.agent).warning(warning)
    if act.concern is not None:
        one = act.concern
        brief.raise_concern(
            one.message, about=one.about, confidence=one.confidence, impact=one.impact, evidence=one.evidence
        )
    for goal in act.proposes:
        brief.propose_task(goal, item=goal)
    if act.confidence is not None:
        brief.state_confidence(act.confidence)


def _failed(message: str, tokens: int) -> AgentFailed:
    error = AgentFailed(message, passing=True)
    error.usage = spent(round(tokens * BEGUN))
    return error


@dataclass(frozen=True, kw_only=True)
class Lead:
    """What a coordinator does in one integration."""

    seconds: float
    """How long it takes, whatever it gets."""
    tokens: int
    """What it uses, whatever it gets."""
    tokens_each: int = 0
    """What it uses for each handoff that it reads."""
    seconds_each: float = 0.0
    """How long each of them takes."""
    keeps: Callable[[int, int], bool] | None = None
    """Which of its handoffs it reads and keeps, by place and number; None: all."""
    drifts: int = 0
    """How far it moves away from what it was given to say."""
    rulings: Mapping[str, int] | None = None
    """What it wants to be done, by matter."""
    failures: Sequence[str] = ()
    """What it says of attempts that fail; another one follows each."""
    shortfall: str = ""
    """What is missing in what it delivers."""


Leads = Callable[[Brief], Lead]
"""What is done in an integration: by what its coordinator is told."""


def lead_of(one: Lead) -> Leads:
    """Let every integration be the same."""
    return lambda _brief: one


def coordinator(name: str, merging: Leads, combining: Leads | None = None) -> PhaseIntegrator:
    """Return who integrates: all at once, or level by level where it is said how results are combined."""
    attempts = Attempts()

    async def merge(received: Handoffs[Part], brief: Brief) -> Outcome[Whole]:
        return await _integrate(merging(brief), received, brief, attempts)

    async def combine(received: Handoffs[Whole], brief: Brief) -> Outcome[Whole]:
        assert combining is not None, "only who combines is asked to"
        return await _integrate(combining(brief), received, brief, attempts)

    made = integrator(merge, name=name)
    return made if combining is None else made.combine(agent(combine, name=name, goal=name))


async def _integrate(lead: Lead, received: Handoffs[Any], brief: Brief, attempts: Attempts) -> Outcome[Whole]:
    number = attempts.next(f"{brief.phase}/{brief.subject}/{brief.round}")
    kept = [one for place, one in enumerate(received) if lead.keeps is None or lead.keeps(place, len(received))]
    outputs = [one.load() for one in kept]
    tokens = lead.tokens + lead.tokens_each * len(kept)
    await asyncio.sleep(lead.seconds + lead.seconds_each * len(kept))
    if number < len(lead.failures):
        raise _failed(lead.failures[number], tokens)
    own = [Ruling(matter=matter, way=way) for matter, way in (lead.rulings or {}).items()]
    below = {ruling.matter: ruling for output in outputs for ruling in getattr(output, "rulings", ())}
    whole = Whole(facts=_facts(outputs, lead.drifts), rulings=own or list(below.values()))
    return Outcome(output=whole, usage=spent(tokens), shortfall=lead.shortfall)


def _facts(outputs: Sequence[Any], drifts: int) -> list[Fact]:
    """Return what all outputs say, of each subject what is said last."""
    found = {fact.subject: fact.value for output in outputs for fact in output.facts}
    return [Fact(subject=subject, value=value + drifts) for subject, value in found.items()]


def finder(
    name: str, goal: str, items: Callable[[], list[str]], leads: Iterator[Lead], **options: Any
) -> FunctionAgent[..., Any]:
    """Return who finds out, given what was handed on, what comes next; each time it takes the next lead."""

    async def find(received: Handoffs[Any]) -> Outcome[list[str]]:
        lead = next(leads)
        for one in received:
            one.load()
        await asyncio.sleep(lead.seconds)
        return Outcome(output=items(), usage=spent(lead.tokens))

    return agent(find, name=name, goal=goal, **options)


def reviewer(name: str, seconds: float, tokens: int) -> FunctionAgent[..., Any]:
    """Return who verifies results, and accepts those that say something."""

    async def review(output: Part) -> Outcome[Verdict]:
        await asyncio.sleep(seconds)
        verdict = Verdict.accepted() if output.facts else Verdict.rejected("nothing is said")
        return Outcome(output=verdict, usage=spent(tokens))

    return agent(review, name=name, goal=name)


def fits(name: str, gap: Callable[[list[Fact]], str]) -> FunctionAgent[..., Any]:
    """Return a check of everything that a phase hands on: it says what is missing."""

    async def check(received: Handoffs[Any]) -> str:
        return gap([fact for output in received.outputs() for fact in output.facts])

    return agent(check, name=name, goal=name)


def chooser(name: str) -> FunctionAgent[..., Any]:
    """Return who decides which of contradicting outputs counts."""

    async def choose(conflict: Conflict) -> Settlement:
        side = conflict.sides[0]
        return Settlement(chosen=side.name, reason=f"{side.name} has looked at {conflict.subject}")

    return agent(choose, name=name, goal=name)
