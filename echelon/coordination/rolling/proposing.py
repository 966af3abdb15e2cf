"""Proposed tasks are taken or declined at a sync point, each with a reason, all of them on record (D10)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from echelon.agents.voice.file import Speaker
from echelon.contract.complaint import said_of
from echelon.coordination.accounts import refusal_for_good
from echelon.coordination.context import RunContext
from echelon.coordination.placement import StageOrder
from echelon.coordination.voice.recording import unrecorded
from echelon.coordination.voice.statements import MOST, Statements
from echelon.definition.names import recordable_name
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.proposals import Proposals
from echelon.journal.failpoints import failpoint
from echelon.model.phrasing import truncate
from echelon.model.run import StepRecord
from echelon.model.voice.proposals import ProposalDecision, ProposalRecord
from echelon.model.voice.said import Proposal
from echelon.runlog.events import ProposalsDecided, RunEvent, TaskProposed

#: How much is told of a step that was suggested with an output, in characters, before it is a proposal like any other.
MAX_GOAL = 2_000


@dataclass(frozen=True, kw_only=True)
class Taker:
    """What decides about proposed tasks. Pure."""

    phase: PhaseDefinition
    proposals: Proposals
    done: Collection[str]
    """Tasks of the same agent in other phases."""
    fits: Callable[[int], str]
    """Says why so many tasks are more than the budget has left; empty when they are not."""
    at: datetime

    def decide(self, records: Iterable[ProposalRecord]) -> "Decided":
        """Take the first ones that fit, decline the others, each with the reason; what was decided stands."""
        decided = Decided({}, {})
        for record in records:
            if record.is_settled and not record.is_taken:
                continue
            try:
                item = self.proposals.item_of(record.proposal)
                task = f"{self.phase.name}/{recordable_name(str(self.phase.key(item)))}"
                reason = "" if record.is_taken else self._objection(task, decided.taken)
            except Exception as error:  # noqa: BLE001 - `key` is a function of anybody, the item the word of an agent
                item, task, reason = None, "", said_of(error)
            if not reason:
                decided.taken[task] = item
            if not record.is_settled:
                decided.decisions[record.id] = self._decision(record, task, reason)
        return decided

    def _decision(self, record: ProposalRecord, task: str, reason: str) -> ProposalDecision:
        return ProposalDecision(
            taken=not reason,
            phase=self.phase.name,
            by=record.owner,
            reason=reason or f"within the limit of {self.proposals.limit} and the budget",
            task_id="" if reason else task,
            at=self.at,
        )

    def _objection(self, task: str, taken: Collection[str]) -> str:
        key = task.partition("/")[2]
        before = next((one for one in self.done if one.partition("/")[2] == key), None)
        if before is not None:
            return f"it is done already: {before}"
        if task in taken:
            return "the same is proposed already"
        if len(taken) >= self.proposals.limit:
            return f"phase {self.phase.name!r} takes no more than {self.proposals.limit}"
        return self.fits(len(taken) + 1)


class Decided(NamedTuple):
    """What was decided."""

    decisions: dict[str, ProposalDecision]
    """By proposal."""
    taken: dict[str, object]
    """The items that are done, by task."""


async def take_proposals(run: RunContext, order: StageOrder, proposals: Proposals) -> tuple[object, ...]:
    """Decide about what agents of the phases that one needs have proposed; the items that it does are returned.

    What an earlier process decided for a phase stands. Next steps that outputs suggest are proposals, too.
    """
    state, phase = await run.log.refresh(), run.spec.job.phases[order.phase]
    suggested = list(suggested_by(run, (step for step in state.latest.values() if step.phase in phase.needs)))
    records = [one for one in state.proposals.values() if one.phase in phase.needs]
    records += [event.record for event in suggested]
    records = [one for one in records if not one.is_settled or (one.decision and one.decision.phase == phase.name)]
    taker = Taker(phase=phase, proposals=proposals, done=_done_by(run, phase), fits=_fits(run, phase), at=run.now())
    decided = taker.decide(records)
    await _record(run, phase.name, suggested, decided.decisions)
    return tuple(decided.taken.values())


async def decline_the_rest(run: RunContext, skipped: Mapping[str, str]) -> None:
    """Decline what no phase has decided about when all phases are done, each with the reason.

    `skipped` are the phases that were not wanted, with the reason.
    """
    state, phases = await run.log.refresh(), run.spec.job.phases
    takers = {name: phase for name, phase in phases.items() if phase.discovery and phase.discovery.proposals}
    suggested = list(suggested_by(run, state.latest.values()))
    undecided = [one for one in state.proposals.values() if one.decision is None]
    undecided += [event.record for event in suggested]
    decisions = {
        one.id: ProposalDecision(
            taken=False, by=one.owner, reason=_why_nobody(one.phase, takers, skipped), at=run.now()
        )
        for one in undecided
    }
    await _record(run, "", suggested, decisions)


def _why_nobody(phase: str, takers: Mapping[str, PhaseDefinition], skipped: Mapping[str, str]) -> str:
    behind = [name for name, taker in takers.items() if phase in taker.needs]
    if not behind:
        return f"no phase takes what is proposed in phase {phase!r}; one that does has over=Proposals(…) and needs it"
    why = skipped.get(behind[0])
    return f"phase {behind[0]!r} " + (f"was skipped: {why}" if why else "did not begin")


async def _record(
    run: RunContext, phase: str, suggested: Sequence[TaskProposed], decisions: dict[str, ProposalDecision]
) -> None:
    events: list[RunEvent] = list(suggested)
    if decisions:
        events.append(ProposalsDecided(run_id=run.spec.run_id, at=run.now(), phase=phase, decisions=decisions))
    if events:
        await run.log.append(*events)
        failpoint("proposals.decided")


def suggested_by(run: RunContext, steps: Iterable[StepRecord]) -> Iterator[TaskProposed]:
    """Yield the next steps that outputs suggest as proposals, those that are not on record yet."""
    plan = run.spec.plan
    for step in steps:
        goals = [goal for goal in step.handoff.next_steps[: MOST["task"]] if goal.strip()]
        if not goals:
            continue
        owner = (plan.nodes[step.node].parent if step.node in plan.nodes else None) or plan.primary.id
        speaker = Speaker(key=step.key, task_id=step.handoff.task_id, node=step.node, phase=step.phase, owner=owner)
        proposals = [Proposal(goal=truncate(goal, MAX_GOAL), reason="suggested as a next step") for goal in goals]
        yield from unrecorded(run, Statements(run.raising, speaker).proposed(proposals, run.now()))


def _done_by(run: RunContext, phase: PhaseDefinition) -> frozenset[str]:
    """Return the tasks of the agent of a phase in all others."""
    own = phase.agents[0].name
    calls = run.spec.expansion.calls.values()
    return frozenset(call.task_id for call in calls if call.phase != phase.name and call.agent.name == own)


def _fits(run: RunContext, phase: PhaseDefinition) -> Callable[[int], str]:
    """Return what says whether so many tasks of a phase, by what they state, are within what is left (F4)."""
    account, tokens, seconds = run.guarding.account, phase.tokens or 0, phase.seconds or 0.0

    def too_much(tasks: int) -> str:
        refused = refusal_for_good(account, tokens=tokens * tasks, calls=tasks, seconds=seconds)
        return str(refused) if refused else ""

    return too_much
