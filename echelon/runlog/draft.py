"""A state while it is folded: copies of its own, changed in place by the functions of `runlog.folding`."""

from typing import TYPE_CHECKING, Any

from echelon.model.run import StepKind, StepRecord
from echelon.runlog.judging.exposure import revised
from echelon.runlog.standing import StepName

if TYPE_CHECKING:
    from echelon.runlog.state import RunState


class StateDraft:
    """What `RunState` has, to be changed."""

    def __init__(self, state: "RunState") -> None:
        self.events, self.last_at = state.events, state.last_at
        self.record, self.out = state.record, state.out
        self.fresh, self.single = state.fresh, state.single
        self.steps = list(state.steps)
        self.latest = dict(state.latest)
        self.at_work = dict(state.at_work)
        self.cut_off = list(state.cut_off)
        self.reused = set(state.reused)
        self.phases = dict(state.phases)
        self.extensions = list(state.extensions)
        self.failed_attempts = list(state.failed_attempts)
        self.waits = list(state.waits)
        self.reads = list(state.reads)
        self.log_lines = dict(state.log_lines)
        self.conversations = list(state.conversations)
        self.concerns = dict(state.concerns)
        self.confidences = dict(state.confidences)
        self.blocked = dict(state.blocked)
        self.proposals = dict(state.proposals)
        self.autonomy = dict(state.autonomy)
        self.exceptions = list(state.exceptions)
        self.gates = dict(state.gates)
        self.notifications = dict(state.notifications)
        self.conflicts = dict(state.conflicts)
        self.intents = dict(state.intents)
        self.retries = list(state.retries)
        self.retried = dict(state.retried)
        self.sample = state.sample
        self.breakers = list(state.breakers)
        self.quotas = dict(state.quotas)
        self.audits = dict(state.audits)
        self.probes = dict(state.probes)
        self.plan_changes = list(state.plan_changes)
        self.review, self.adjusted = state.review, state.adjusted
        self.pauses = list(state.pauses)
        self.sync = state.sync
        self.watches = list(state.watches)
        self.token = state.token
        self.holders = set(state.holders)

    def values(self) -> dict[str, Any]:
        """Return the fields of the state; the draft is not used any more."""
        return {
            "events": self.events,
            "last_at": self.last_at,
            "record": self.record,
            "fresh": self.fresh,
            "out": self.out,
            "single": self.single,
            "steps": tuple(self.steps),
            "latest": self.latest,
            "at_work": self.at_work,
            "cut_off": tuple(self.cut_off),
            "reused": frozenset(self.reused),
            "phases": self.phases,
            "extensions": tuple(self.extensions),
            "failed_attempts": tuple(self.failed_attempts),
            "waits": tuple(self.waits),
            "reads": tuple(self.reads),
            "log_lines": self.log_lines,
            "conversations": tuple(self.conversations),
            "concerns": self.concerns,
            "confidences": self.confidences,
            "blocked": self.blocked,
            "proposals": self.proposals,
            "autonomy": self.autonomy,
            "exceptions": tuple(self.exceptions),
            "gates": self.gates,
            "notifications": self.notifications,
            "conflicts": self.conflicts,
            "intents": self.intents,
            "retries": tuple(self.retries),
            "retried": self.retried,
            "sample": self.sample,
            "breakers": tuple(self.breakers),
            "quotas": self.quotas,
            "audits": self.audits,
            "probes": self.probes,
            "plan_changes": tuple(self.plan_changes),
            "review": self.review,
            "adjusted": self.adjusted,
            "pauses": tuple(self.pauses),
            "sync": self.sync,
            "watches": tuple(self.watches),
            "token": self.token,
            "holders": frozenset(self.holders),
        }

    def set_latest(self, name: StepName, record: StepRecord) -> None:
        """Take note of what counts of a step now; the last integration is the one that holds the others."""
        if name.kind is StepKind.INTEGRATION:
            self.latest.pop(name, None)
        self.latest[name] = revised(record, self.probes)

    def update_record(self, **changes: object) -> None:
        """Change what is known about the run, once it is on record."""
        if self.record is not None:
            self.record = self.record.model_copy(update=changes)


def step_name(record: StepRecord) -> StepName:
    """Return which step a record is an attempt at."""
    return StepName(record.kind, record.phase, record.handoff.task_id)
