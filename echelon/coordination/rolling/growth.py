"""The plan of a run as it grows: what was found on the way is planned before it is begun, and on record (X12).

Growing changes nothing for those at work: every phase that was planned keeps its place in the tree.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

from echelon.coordination.accounts import refusal_for_good
from echelon.coordination.context import RunContext
from echelon.coordination.spec import RunSpec
from echelon.definition.planned import Planned
from echelon.journal.failpoints import failpoint
from echelon.lint.rules import lint
from echelon.model.errors import InvalidInput
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.organisation import PlanChange
from echelon.model.phrasing import count, duration
from echelon.model.plan import Plan
from echelon.resilience.budget import Account
from echelon.runlog.events import PlanChangeProposed, PlanExtended, RunEvent
from echelon.runlog.state import RunState

#: Says which change of the structure is to be put on record, if any.
Propose = Callable[[], PlanChange | None]


class Growth:
    """What a run has found so far, and the plan that follows from it."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._spec = run.spec
        self._lock = asyncio.Lock()
        #: Phases that go by the plan as it was when they began; those of earlier processes are on record.
        self._begun: set[str] = set()

    async def begin(self, phase: str) -> RunContext:
        """Let a phase begin, and return the run with the plan that it goes by: it is not changed for it any more."""
        async with self._changing():
            self._begun.add(phase)
            return self.context()

    def _changing(self) -> AbstractAsyncContextManager[object]:
        """Wait for a change of the plan that is under way, where a run changes parts that have not begun (R10)."""
        return self._lock if self._spec.job.adapt == "apply" else nullcontext()

    def coming(self, state: RunState) -> tuple[str, ...]:
        """Return the phases of the job that have not begun, in this process or an earlier one."""
        return tuple(name for name in self._spec.job.phases if name not in self._begun and name not in state.phases)

    def context(self) -> RunContext:
        """Return the run with its plan as it is now."""
        return replace(self._run, spec=self._spec)

    async def extend(self, phase: str, items: Sequence[object]) -> None:
        """Plan a phase for the items that were found; the plan is on record when this returns.

        Raises `InvalidInput` or `InvalidJob` where that cannot be planned: too many items, two with one key, or more
        than what is left of the budget.
        """
        async with self._lock:  # of two phases that grow at the same time the second one builds on the first
            known = self._spec.found.get(phase)
            if known is not None and list(known) == list(items):
                return  # planned by an earlier process, and on record
            found = {**self._spec.found, phase: items}
            made = await asyncio.to_thread(self._spec.replan, found)
            _check_budget(phase, made, self._run.guarding.account)
            await self._record(phase, len(items), made)
            self._spec = replace(self._spec, plan=made.plan, expansion=made.expansion, found=found)
            self._run.accounts.follow(made.plan)

    async def change(self, propose: Propose) -> None:
        """Put a change of the structure on record, with the plan that follows from it where it has an effect (R10).

        `propose` is asked while no phase can begin; it returns None when there is nothing to put on record.
        """
        async with self._lock:
            proposal = propose()
            if proposal is None:
                return
            made = await self._with_spans(proposal)
            if made is None:
                await self._run.log.append(*self._proposed(proposal.model_copy(update={"applied": False})))
                return
            extended = PlanExtended(run_id=self._spec.run_id, at=self._run.now(), plan=made.plan, reason=proposal.said)
            await self._run.log.append(*self._proposed(proposal), extended)
            spans = self._run.log.state.spans
            self._spec = replace(self._spec, plan=made.plan, expansion=made.expansion, spans=spans)
            self._run.accounts.follow(made.plan)

    async def _with_spans(self, proposal: PlanChange) -> Planned | None:
        """Return the plan with a change; None where it is not applied, or changes nothing."""
        if not proposal.applied or proposal.span is None:
            return None
        spans = {**self._spec.spans, **dict.fromkeys(proposal.phases, proposal.span)}
        made = await asyncio.to_thread(self._spec.replan, self._spec.found, spans)
        return made if made.plan.tree != self._spec.plan.tree else None

    def _proposed(self, proposal: PlanChange) -> tuple[RunEvent, ...]:
        at, path = self._run.now(), self._spec.plan.path(proposal.coordinator)
        asks = proposal.phases and not proposal.applied  # the others can wait for the next run, or are done
        level = Level.WARNING if asks else Level.INFO
        report = ExceptionReport(trigger=Trigger.OUTGROWN, level=level, path=path, message=proposal.said, at=at)
        event = PlanChangeProposed(run_id=self._spec.run_id, at=at, proposal=proposal)
        return event, self._run.log.pushed(report)

    async def _record(self, phase: str, items: int, made: Planned) -> None:
        known = set(await asyncio.to_thread(_lint, self._spec))
        findings = await asyncio.to_thread(lint, made.expansion.graph, made.plan)
        extended = PlanExtended(
            run_id=self._run.spec.run_id,
            at=self._run.now(),
            plan=made.plan,
            reason=_said(phase, items, made.plan),
            phase=phase,
            findings=tuple(one for one in findings if one not in known),
        )
        failpoint("plan.grown")
        await self._run.log.append(extended)
        failpoint("plan.extended")


def _lint(spec: RunSpec) -> Sequence[object]:
    return lint(spec.expansion.graph, spec.plan)


def _check_budget(phase: str, made: Planned, account: Account) -> None:
    """Raise `InvalidInput` when the tasks of a phase, by what they state, are more than is left (F4)."""
    tasks = [task for task in made.plan.tasks if task.phase == phase]
    tokens, longest = sum(task.tokens or 0 for task in tasks), max((task.seconds or 0.0 for task in tasks), default=0.0)
    if not tasks:
        return
    refused = refusal_for_good(account, tokens=tokens, calls=len(tasks), seconds=longest)
    if refused is not None:
        raise InvalidInput(
            f"phase {phase!r} found {count(len(tasks), 'item')}, which is more than the budget allows: {refused}; "
            "give the job a larger budget and resume, or find less"
        ) from refused


def _said(phase: str, items: int, plan: Plan) -> str:
    """Say what was found, how it is organised, and what it is expected to take from the beginning of the run."""
    found = f"phase {phase!r} found {count(items, 'item')}"
    shape = f"{plan.structure.value}, {count(plan.n_agents, 'agent')}, {count(plan.levels, 'level')}"
    takes = f"; {duration(plan.makespan.predicted)} foreseen for the whole" if plan.makespan.predicted else ""
    return f"{found}: the job is {shape} now{takes}"
