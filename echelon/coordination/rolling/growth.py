"""The plan of a run as it grows: what was found on the way is planned before it is begun, and on record (X12).

Growing changes nothing for those at work: every phase that was planned keeps its place in the tree.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from echelon.coordination.context import RunContext
from echelon.coordination.spec import RunSpec
from echelon.definition.planned import Planned
from echelon.journal.failpoints import failpoint
from echelon.lint.rules import lint
from echelon.model.errors import BudgetExhausted, InvalidInput
from echelon.model.phrasing import count, duration
from echelon.model.plan import Plan
from echelon.resilience.budget import Account
from echelon.runlog.events import PlanExtended


class Growth:
    """What a run has found so far, and the plan that follows from it."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._spec = run.spec
        self._lock = asyncio.Lock()

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
    try:
        account.reserve(tokens=tokens, calls=len(tasks), seconds=longest).cancel()
    except BudgetExhausted as error:
        raise InvalidInput(
            f"phase {phase!r} found {count(len(tasks), 'item')}, which is more than the budget allows: {error}; "
            "give the job a larger budget and resume, or find less"
        ) from error


def _said(phase: str, items: int, plan: Plan) -> str:
    """Say what was found, how it is organised, and what it is expected to take from the beginning of the run."""
    found = f"phase {phase!r} found {count(items, 'item')}"
    shape = f"{plan.structure.value}, {count(plan.n_agents, 'agent')}, {count(plan.levels, 'level')}"
    takes = f"; {duration(plan.makespan.predicted)} foreseen for the whole" if plan.makespan.predicted else ""
    return f"{found}: the job is {shape} now{takes}"
