"""What an earlier run did from the same is kept, and not done again; what is uncertain is done again."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from echelon.contract.complaint import said_of
from echelon.coordination.context import RunContext
from echelon.coordination.reuse.basis import Basis
from echelon.coordination.reuse.earlier_steps import EarlierSteps
from echelon.coordination.step.contain import contained
from echelon.coordination.step.envelope import MAX_SUMMARY, one_line
from echelon.coordination.step.recall import why_lost
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.voice.hearing import speaker_of
from echelon.coordination.voice.recording import unrecorded
from echelon.coordination.voice.statements import Statements
from echelon.journal.failpoints import failpoint
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import HANDOFF_SCHEMA_VERSION, Handoff, Passed
from echelon.model.run import StepRecord
from echelon.model.usage import Usage
from echelon.model.voice.said import Proposal
from echelon.runlog.events import TaskProposed


@dataclass(frozen=True)
class KeepUnchanged:
    """Keeps what an earlier run did, or lets the step be done, with what it is made from on its record."""

    run: RunContext
    inner: Perform[Handoff]
    earlier: EarlierSteps = field(init=False)

    def __post_init__(self) -> None:
        """Make what looks for steps of earlier runs."""
        spec = self.run.spec
        object.__setattr__(self, "earlier", EarlierSteps(self.run.log.journal, spec.job.name, spec.run_id))

    def __call__(self, step: Step) -> Awaitable[Handoff]:
        """Do a step, unless an earlier run did it and nothing that it is made from has changed since."""
        # Most steps are done in every run: for them this layer is not even a frame on the way.
        made_from = step.made_from if step.fallback is None else None
        return self.inner(step) if made_from is None else self._do_unless_unchanged(step, made_from)

    async def _do_unless_unchanged(self, step: Step, made_from: Basis) -> Handoff:
        # Before the agent reads anything: what changes while it works is seen as changed by the next run.
        basis = await self._identity(step, made_from)
        if not basis:
            return await self.inner(step)
        step = replace(step, basis=basis)
        known = None if self._is_wanted_anew(step) else await self._find(basis)
        return await self.inner(step) if known is None else await self._keep(step, known)

    def _is_wanted_anew(self, step: Step) -> bool:
        return self.run.log.state.fresh or self.run.memo.is_retried(step.task_id)

    async def _identity(self, step: Step, basis: Basis) -> str:
        """Return the identity of what a step is made from; empty where that cannot be said, which is reported."""
        if basis.read is None:
            return basis.identity("")
        try:
            with contained(step.agent.name):
                state = await asyncio.to_thread(basis.read)
        except Exception as error:  # noqa: BLE001 - code of the job may raise anything
            message = one_line(f"{step.task_id} is done again: what it is made from cannot be told: {said_of(error)}")
            await self.run.log.push(
                ExceptionReport(
                    trigger=Trigger.RENEWED, level=Level.WARNING, path=step.path, message=message, at=self.run.now()
                )
            )
            return ""
        return basis.identity(state) if state else ""

    async def _find(self, basis: str) -> StepRecord | None:
        for known in await self.earlier.find(basis):
            if not await why_lost(self.run, known.handoff):
                return known
        return None

    async def _keep(self, step: Step, known: StepRecord) -> Handoff:
        handoff = kept(known, step)
        proposed = await self.earlier.proposals_of(known)
        failpoint("step.kept")
        self.run.log.enqueue(*unrecorded(self.run, proposed_again(self.run, step, proposed)))
        await record_step(self.run, record_of(self.run, step, handoff, code=known.code, model=known.model))
        return handoff


def proposed_again(run: RunContext, step: Step, proposals: Iterable[Proposal]) -> Iterator[TaskProposed]:
    """Yield what a step of an earlier run proposed as proposals of this one: what was not done then may be now."""
    return Statements(run.raising, speaker_of(step)).proposed(proposals, run.now())


def kept(known: StepRecord, step: Step) -> Handoff:
    """Return what a step of an earlier run handed on, as what a step of this run hands on; it costs nothing here.

    Its concerns are raised again, as they would be if it were done again: who reads this run reads all of them.
    """
    before, note = known.handoff, f" (kept from {known.run_id})"
    return before.model_copy(
        update={
            "summary": one_line(before.summary, MAX_SUMMARY - len(note)) + note,
            "dependencies": step.dependencies,
            "producer": step.node,
            "assignment_id": step.call.brief.assignment.id,
            "schema_version": HANDOFF_SCHEMA_VERSION,
            "usage": Usage(),
            "attempts": 0,
            "received": Passed(),
            "kept_from": known.run_id,
        }
    )
