"""Steps of earlier runs, found for many at a time: a thousand items cost the journal a few questions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from echelon.journal.port import Journal
from echelon.model.run import StepRecord
from echelon.model.voice.said import Proposal
from echelon.runlog.events import TaskProposed

#: What each task of a run proposed, which is being asked for.
_Proposals: TypeAlias = "asyncio.Task[dict[str, list[Proposal]]]"


@dataclass
class EarlierSteps:
    """Answers together what is asked at the same time, or while the journal answers."""

    journal: Journal
    job: str
    before_run_id: str
    _asked: set[str] = field(default_factory=set[str])
    _answer: "asyncio.Task[dict[str, list[StepRecord]]] | None" = None
    _proposed: "dict[str, _Proposals]" = field(default_factory=dict[str, "asyncio.Task[dict[str, list[Proposal]]]"])
    _answering: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, basis: str) -> Sequence[StepRecord]:
        """Return the steps of earlier runs that were made from the same, the newest first; `JournalError`."""
        self._asked.add(basis)
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        # Who is cancelled takes the answer from nobody else.
        return (await asyncio.shield(self._answer))[basis]

    async def proposals_of(self, step: StepRecord) -> Sequence[Proposal]:
        """Return the tasks that a step of an earlier run proposed; each run is asked once; `JournalError`."""
        asked = self._proposed.get(step.run_id)
        if asked is None:
            asked = self._proposed[step.run_id] = asyncio.create_task(self._ask_proposals(step.run_id))
        return (await asyncio.shield(asked)).get(step.handoff.task_id, ())

    async def _ask_proposals(self, run_id: str) -> dict[str, list[Proposal]]:
        found: dict[str, list[Proposal]] = {}
        for one in await self.journal.events(run_id, kinds=("task_proposed",)):
            if isinstance(one.event, TaskProposed):
                found.setdefault(one.event.record.task_id, []).append(one.event.record.proposal)
        return found

    async def _ask(self) -> dict[str, list[StepRecord]]:
        async with self._answering:  # one question at a time: what is asked meanwhile is the next one
            await asyncio.sleep(0)  # whoever is about to ask, asks with the others
            asked, self._asked, self._answer = self._asked, set(), None
            found: dict[str, list[StepRecord]] = {basis: [] for basis in asked}
            for step in await self.journal.steps_made_from(
                sorted(asked), job=self.job, before_run_id=self.before_run_id
            ):
                found[step.basis].append(step)
            return found
