"""What a case is played in: its strength, its words, and a home with a journal of its own."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from benchmarks.diagnosis_cases.names import Words
from benchmarks.diagnosis_cases.people import Act, Lead, about
from echelon import Concern, Job, Priors, Resilience, RunResult
from echelon.journal.journal import SqlJournal
from echelon.model.concern import ConcernRecord, Disposition
from echelon.runlog.events import ConcernDisposed, ConcernReopened
from echelon.settings import Settings

T = TypeVar("T")

STRENGTHS = ("mild", "plain", "severe")

Verdict = Literal["resolved", "accepted", "dismissed"]

#: Tokens of its context that an agent uses for a task, and a coordinator to read one handoff, as shares: all is well.
TASK_SHARE, READING_SHARE = 0.6, 0.05

#: Attempts follow one another at once: these runs are short.
HASTE = Resilience(backoff_seconds=0.02, backoff_max_seconds=0.05)

#: Seconds of a task, and of an integration, where nothing else is said.
TASK_SECONDS, INTEGRATION_SECONDS = 0.4, 0.03


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What makes one case, or its twin."""

    strength: str
    """How much of the mode there is, one of `STRENGTHS`; a twin has that of its case, and nothing of the mode."""
    has_mode: bool
    """Is it a case? Else it is the twin."""
    seed: int
    """Decides all words and numbers that are drawn; a case and its twin have the same one."""

    @cached_property
    def words(self) -> Words:
        """Its words."""
        return Words(self.seed)

    @cached_property
    def window(self) -> int:
        """Tokens of the context of its agents."""
        return 1_000 * self.words.number("window", 90, 180)

    @property
    def priors(self) -> Priors:
        """What the job says of its agents."""
        return Priors(context_tokens=self.window)

    def by(self, mild: T, plain: T, severe: T) -> T:
        """Return what fits the strength."""
        return {"mild": mild, "plain": plain, "severe": severe}[self.strength]

    def either(self, case: T, twin: T) -> T:
        """Return what a case has, or what its twin has."""
        return case if self.has_mode else twin

    def tokens(self, share: float, what: object = "") -> int:
        """Return about so much of a context, as tokens; exactly, where nothing is to be drawn."""
        return round(self.window * (self.words.near(what, share, 0.05) if what else share))

    def act(self, item: str, **more: Any) -> Act:
        """Return what an agent does that does its task well, but for what is stated."""
        usual = {
            "seconds": self.words.near(f"seconds of {item}", TASK_SECONDS),
            "tokens": self.tokens(TASK_SHARE, f"tokens of {item}"),
        }
        return Act(**{**usual, **more})

    def lead(self, **more: Any) -> Lead:
        """Return what a coordinator does that integrates well, but for what is stated."""
        usual = {
            "seconds": INTEGRATION_SECONDS,
            "tokens": self.tokens(0.04),
            "tokens_each": self.tokens(READING_SHARE),
        }
        return Lead(**{**usual, **more})

    def honest(self, item: str, turn: int = 0) -> Concern:
        """Return what somebody raises now and then in any run of a job, and a person then looks at."""
        return about(item, self.words.sentence(f"honest {item} {turn}"), 0.4, 0.7)

    def domain_of(self, items: list[str], domains: int) -> Mapping[str, str]:
        """Return the domain of each item: as many in one as in another."""
        return {item: self.words.domains[place % domains] for place, item in enumerate(items)}


async def look_after(result: RunResult, person: str, why: str, verdict: Verdict = "resolved") -> None:
    """Let a person end all concerns of a run that are open."""
    for record in result.concerns:
        if record.is_open:
            await dispose(record, person, why, verdict)


async def dispose(record: ConcernRecord, person: str, why: str, verdict: Verdict) -> None:
    """Let a person end a concern, as `echelon concerns dispose` does."""
    now = datetime.now(UTC)
    ended = Disposition(verdict=verdict, author=person, reason=why, looked_at=(record.concern.about,), at=now)
    event = ConcernDisposed(run_id=record.run_id, at=now, concern_id=record.id, disposition=ended)
    async with SqlJournal.open(Settings()) as journal:
        await journal.append(event)


async def reopen(record: ConcernRecord, person: str, why: str) -> None:
    """Let a person take the end of a concern back, as `echelon concerns reopen` does."""
    shown = (record.concern.about,)
    event = ConcernReopened(
        run_id=record.run_id, at=datetime.now(UTC), concern_id=record.id, by=person, reason=why, evidence=shown
    )
    async with SqlJournal.open(Settings()) as journal:
        await journal.append(event)


async def approve_all(job: Job, result: RunResult, person: str, why: str, delay_seconds: float) -> RunResult:
    """Let a person approve what waits, one after the other, until the run has ended."""
    while waiting := [gate for gate in result.gates if gate.is_open]:
        await look_after(result, person, why)
        for gate in waiting:
            await asyncio.sleep(delay_seconds)
            await job.answer(gate.id, "approve", by=person, reason=why)
        result = await job.resume(result.run_id)
    return result


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Let all runs of the block be on record in a home of their own; Prefect shows none of them."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("ECHELON_")]:
        del os.environ[name]
    os.environ |= {"ECHELON_HOME": str(home), "ECHELON_PICTURE": "false"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
