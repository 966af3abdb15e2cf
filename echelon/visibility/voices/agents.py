"""What one agent has said in a run, whether it has ended or not; and what all have, in one line (X15). Pure."""

from collections import Counter
from typing import NamedTuple

from echelon.model.concern import ConcernRecord
from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.phrasing import count
from echelon.model.run import RunView
from echelon.model.voice.proposals import ProposalRecord
from echelon.runlog.state import RunState


class AgentVoice(NamedTuple):
    """What the agent of a task said."""

    concerns: tuple[ConcernRecord, ...]
    """What it raised, with what became of it."""
    stated_confidence: float | None
    """How sure it said it is, the last time; None when it did not say it while it worked."""
    blocked: str
    """What it said it waits for; empty when it waits for nothing."""
    proposals: tuple[ProposalRecord, ...]
    """Tasks that it proposed, with what became of them."""
    conflicts: tuple[ConflictRecord, ...] = ()
    """What it says otherwise than others do, with what was decided (X9)."""


def voice_of(view: RunView, task_id: str) -> AgentVoice:
    """Return what the agent of a task has said, all of its attempts and replicas together."""
    keys = {step.key for step in view.steps if step.handoff.task_id == task_id}
    others = {step.key for step in view.steps} - keys
    node = view.record.plan.agent_of.get(task_id, task_id) if view.record.plan else task_id
    return AgentVoice(
        concerns=tuple(
            one for one in view.concerns if one.step in keys or _is_at_work(one, {node, task_id}, keys | others)
        ),
        stated_confidence=view.confidences.get(task_id),
        blocked=view.blocked.get(task_id, ""),
        proposals=tuple(one for one in view.proposals if one.task_id == task_id),
        conflicts=tuple(one for one in view.conflicts if any(task_id in side.tasks for side in one.conflict.sides)),
    )


def _is_at_work(record: ConcernRecord, names: set[str], ended: set[str]) -> bool:
    """Say whether a concern is of a step of an agent that has not ended yet: no record has its key."""
    return bool(record.step) and record.source in names and record.step not in ended


def voices_line(state: RunState) -> str:
    """Return what waits for somebody of all that agents said: concerns, blockages, proposals; empty for nothing."""
    routes = Counter(one.route.words for one in state.concerns.values() if one.disposition is None)
    parts = [
        f"{count(routes.total(), 'open concern')} ({', '.join(f'{n} {name}' for name, n in routes.most_common())})"
    ]
    blocked = [f"{task} is {why}" for task, why in state.blocked.items()]
    undecided = sum(one.decision is None for one in state.proposals.values())
    return "  ".join(
        [
            *(parts if routes else ()),
            *([f"{count(undecided, 'proposed task')} not decided"] if undecided else ()),
            *([f"{len(blocked):,} blocked, the first: {blocked[0]}"] if blocked else ()),
        ]
    )
