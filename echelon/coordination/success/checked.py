"""The layer around what an agent delivers: only what its checks accept is delivered (D11).

It lies inside the guard: what is rejected is an attempt that failed, and the next one is told what is missing.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from echelon.agents.call import Call
from echelon.agents.handoffs import Handoffs, Received
from echelon.coordination.context import RunContext
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.observer import observing
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.success.judging import judge
from echelon.coordination.success.probes import find_vacuity
from echelon.definition.success.criteria import Criteria
from echelon.journal.failpoints import failpoint
from echelon.model.errors import NotAccepted
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.status import Status
from echelon.model.verification.trace import Trace
from echelon.model.verification.verification import CheckReport, Verification, concluded


@dataclass(frozen=True)
class Checked:
    """Takes what passes its checks."""

    run: RunContext
    inner: Perform[Accepted]

    def __call__(self, step: Step) -> Awaitable[Accepted]:
        """Do a step until its result passes; `NotAccepted` when a check rejects it."""
        # Where nothing is stated, or others verify it behind the work, this layer is not even a frame on the way.
        return self._check(step) if is_checked_with_work(step.criteria) else self.inner(step)

    async def _check(self, step: Step) -> Accepted:
        recorder = step.recorder
        if recorder is not None:
            recorder.restart()
        taken = await self.inner(step)
        failpoint("result.made")
        trace = await recorder.trace() if recorder is not None else Trace(leaves_trace=False)
        output = await asyncio.to_thread(
            self.run.outputs.put, self.run.spec.run_id, step.key, taken.plain, step.contract_name
        )
        try:
            verification = await verify(self.run, step, output, taken.outcome.summary, trace)
        except NotAccepted as error:
            error.usage = taken.usage  # what is rejected has been paid for too
            error.stated = taken.outcome.confidence if 0 <= taken.outcome.confidence <= 1 else None
            raise
        failpoint("verdict.made")
        return replace(taken, verification=verification)


def is_checked_with_work(criteria: Criteria) -> bool:
    """Say whether anything is judged of a result before it is delivered; words are, unless somebody verifies it."""
    return criteria.are_made_with_work or (bool(criteria.texts) and not criteria.verifiers)


async def verify(
    run: RunContext, step: Step, output: OutputReference, summary: str, trace: Trace
) -> Verification | None:
    """Return what the checks of a step say of its output; None where all of them are made later, or none is stated.

    `NotAccepted` when one of them rejects it.
    """
    criteria = step.criteria
    if not is_checked_with_work(criteria):
        return None
    call = _call_of_checks(run, step, output, summary, trace)
    with observing(run, step):
        reports = [report async for report in judge(criteria, call, trace)]
        vacuous = await _why_vacuous(run, step, call, reports)
    # Whoever verifies is told what is stated in words, and judges by it.
    unchecked = () if criteria.verifiers else criteria.texts
    verification = concluded(
        reports, unchecked, vacuous=vacuous, trace=trace if criteria.need_trace else None, code=criteria.code
    )
    if verification.result != "rejected":
        return verification
    last, again = reports[-1], step.agent.effect != "irreversible"
    raise NotAccepted(step.agent.name, last.name, last.gap, again=again, verification=verification)


async def _why_vacuous(run: RunContext, step: Step, call: Call, reports: Sequence[CheckReport]) -> str:
    """Say why the checks of a result that was accepted verify nothing; whoever verifies it may tell (D11)."""
    if step.criteria.verifiers or not reports or any(one.result != "accepted" for one in reports):
        return ""
    find = partial(find_vacuity, step.criteria, step.agent.output_type, lambda: call)
    return await run.checks.why_vacuous((step.phase, step.contract_name, *step.criteria.names), find)


def _call_of_checks(run: RunContext, step: Step, output: OutputReference, summary: str, trace: Trace) -> Call:
    """Return what checks are called with: the assignment of the work, and what came of it."""
    handoff = Handoff(
        task_id=step.task_id,
        status=Status.COMPLETED,
        summary=summary,
        output_location=output,
        producer=step.node,
        assignment_id=step.call.brief.assignment.id,
    )
    received = Received[object](handoff, run.outputs, step.agent.output_type)
    recorder, make = step.recorder, step.call.make_workspace
    # What its author keeps to is nothing for those who check it.
    return replace(
        step.call,
        brief=step.call.brief.model_copy(update={"conventions": ()}),
        output=received,
        trace=trace,
        upstream={step.phase: Handoffs([received])},
        # A command that checks what was written finds it where it was written.
        make_workspace=lambda: (recorder.workspace if recorder else None) or make(),
        notes=[],
        by_value={},
        so_far=None,
    )
