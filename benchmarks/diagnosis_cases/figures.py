"""What runs show: figures from the public view of a run, in one line a mode, so that a person sees what there is.

These are no detectors: nothing here decides anything. `play.py` prints them.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from echelon import RunView
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.events import RunEvent
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.settings import Settings


class Seen(NamedTuple):
    """One run, as everybody may read it."""

    view: RunView
    events: Sequence[RunEvent]

    @property
    def window(self) -> int:
        """Tokens of the context of its agents."""
        assert self.view.record.plan is not None, "a run that was read has its plan"
        return self.view.record.plan.priors.context_tokens

    @property
    def tasks(self) -> list[StepRecord]:
        """The last record of each task."""
        known = {one.handoff.task_id: one for one in self.view.steps if one.kind is StepKind.TASK and not one.replica}
        return list(known.values())

    @property
    def shares(self) -> list[float]:
        """Which share of its context each task used, where that is known; all attempts and replicas count."""
        used = [one.handoff.usage.tokens for one in self.view.steps if one.kind is StepKind.TASK]
        return [tokens / self.window for tokens in used if tokens]

    @property
    def led(self) -> list[StepRecord]:
        """What coordinators did."""
        return [one for one in self.view.steps if one.kind in (StepKind.INTEGRATION, StepKind.PLANNING)]

    def of_kind(self, kind: str) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if event.kind == kind]


async def read_runs() -> list[Seen]:
    """Return all runs of the journal, the oldest first."""
    settings = Settings()
    outputs, found = OutputStore(settings.outputs_url), list[Seen]()
    async with SqlJournal.open(settings) as journal:
        for run in reversed(await journal.runs(limit=50)):
            events = [entry.event for entry in await journal.events(run.run_id)]
            found.append(Seen(view_of(fold(events), outputs.read_json), events))
    return found


def percent(share: float | None) -> str:
    """Say a share; what is not known is said so."""
    return "unknown" if share is None else f"{share:.0%}"


def _sizes(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    ratio = percent(run.view.measures.coordination_ratio)
    return f"{len(run.tasks)} tasks of {percent(median(run.shares))} of a context each; coordination {ratio}"


def _exhausted(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    lost = [one for one in run.tasks if not one.handoff.done]
    return f"{len(lost)} of {len(run.tasks)} tasks lost; contexts filled to {percent(max(run.shares))} at most"


def _crossing(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    assert run.view.record.plan is not None
    where = {task.id: task.domain for task in run.view.record.plan.tasks}
    reads = [(event.task_id, event.read.task_id) for event in run.of_kind("output_read")]
    inside = [(by, of) for by, of in reads if where.get(by)]
    over = sum(where[by] != where[of] for by, of in inside)
    return f"{over} of {len(inside)} reads cross a domain; {len(run.of_kind('blocked_reported'))} tasks were blocked"


def _chain(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    last = run.view.phases[-1].name
    reads = sum(not event.task_id.startswith(f"{last}/") for event in run.of_kind("output_read"))
    return f"{len(run.view.phases)} phases one behind the other, {reads} outputs read between them but for the last"


def _saturation(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    planned = [one for one in run.led if one.kind is StepKind.PLANNING]
    held = ", ".join(percent((one.handoff.usage.tokens or 0) / run.window) for one in planned)
    waited = [(event.queue_length, event.seconds) for event in run.of_kind("waited") if "/over/" in event.task_id]
    line = ", ".join(f"{seconds:.1f} s behind {before}" for before, seconds in waited)
    return f"context of the coordinator {held}; in line for its decisions: {line or 'nobody'}"


def _baseline(runs: Sequence[Seen]) -> str:
    said = [
        f"{one.view.measures.agents} at work: {one.view.measures.makespan_seconds or 0:.1f} s, "
        f"{one.view.measures.tokens or 0:,} tokens, coordination {percent(one.view.measures.coordination_ratio)}"
        for one in runs
    ]
    return "; ".join(said)


def _cracks(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    taken = sum(one.decision is not None and one.decision.taken for one in run.view.proposals)
    short = sum(bool(one.handoff.shortfall) for one in run.view.steps)
    blocked = len(run.of_kind("blocked_reported"))
    return f"{taken} of {len(run.view.proposals)} proposed tasks taken; {blocked} blocked; {short} results fall short"


def _conflicts(runs: Sequence[Seen]) -> str:
    found = runs[-1].view.conflicts
    leads = {one.handoff.task_id for one in runs[-1].led}
    between = sum(all(side.task_id in leads for side in one.conflict.sides) for one in found)
    decided = sum(one.is_decided for one in found)
    return f"{len(found)} conflicts, {between} of them between coordinators, {decided} decided"


def _owners(runs: Sequence[Seen]) -> str:
    phases = {one.phase for one in runs[-1].view.steps}
    owned = {one.phase for one in runs[-1].led}
    return f"{len(owned)} of {len(phases)} phases integrated; {_conflicts(runs)}"


def _slow(runs: Sequence[Seen]) -> str:
    measures = runs[-1].view.measures
    first = percent(measures.first_try_rate)
    return f"integration {percent(measures.integration_share)} of the time; tasks right at the first try {first}"


def _kept(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    leads = {one.handoff.task_id for one in run.led}
    read = {event.read.task_id for event in run.of_kind("output_read") if event.task_id in leads}
    tasks = [one.handoff.task_id for one in run.tasks if one.phase == run.view.phases[0].name]
    rejected = sum(one.is_rejected for one in run.view.audits)
    whole = f"{rejected} of {len(run.view.audits)} audits reject"
    return f"coordinators read {sum(task in read for task in tasks)} of {len(tasks)} outputs; {whole}"


def _again(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    done = [one for one in run.view.steps if one.kind is StepKind.TASK]
    integrated = {one.phase for one in run.led}
    return (
        f"{len(done) - len(run.tasks)} of {len(run.tasks)} tasks done again behind the end; "
        f"{len(integrated)} of {len(run.view.phases)} phases integrated"
    )


def _filtered(runs: Sequence[Seen]) -> str:
    known = [record for run in runs for record in run.view.concerns]
    back = sum(bool(record.reopened) for record in known)
    before = sum(bool(record.dismissed_before) for record in known)
    lost = len([one for one in runs[-1].tasks if not one.handoff.done])
    dismissed = sum(
        event.disposition.verdict == "dismissed" for run in runs for event in run.of_kind("concern_disposed")
    )
    return f"{dismissed} concerns dismissed, {back} of them taken back, {before} raised again; {lost} tasks lost now"


def _silence(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    warned = {event.task_id for event in run.of_kind("logged") if event.source == "logging"}
    lost = len([one for one in run.tasks if not one.handoff.done])
    rate = percent(run.view.measures.escalation_rate)
    return f"{len(warned)} tasks with warnings in their logs, escalated {rate}, {lost} tasks lost"


def _approvals(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    answered = [(gate, gate.decision) for gate in run.view.gates]
    waits = [(answer.at - gate.at).total_seconds() for gate, answer in answered if answer is not None]
    work = run.view.measures.task_seconds
    return f"{len(waits)} of {len(run.tasks)} tasks waited for a person, {sum(waits):.1f} s; {work:.1f} s of work"


def _height(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    assert run.view.record.plan is not None
    plan, ended = run.view.record.plan, max(one.finished for one in run.tasks)
    up = max((one.finished - ended).total_seconds() for one in run.led)
    drift = "breaks a constraint" if run.view.missing else "keeps all constraints"
    return (
        f"{plan.levels} levels above {plan.n_agents} agents; {up:.2f} s from the last task to the result, which {drift}"
    )


def _width(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    widest = max(run.led, key=lambda one: len(one.handoff.dependencies))
    share = percent((widest.handoff.usage.tokens or 0) / run.window)
    held = len(widest.handoff.dependencies)
    return f"{held} handoffs at one coordinator, whose context they fill to {share}"


def _growth(runs: Sequence[Seen]) -> str:
    def said(one: Seen) -> str:
        plan, measures = one.view.record.plan, one.view.measures
        assert plan is not None
        leads = sum(node.kind != "agent" for node in plan.tree)
        lost = percent(measures.failed / (measures.completed + measures.failed))
        rate = measures.completed / (measures.makespan_seconds or 1)
        sound = percent(measures.sound_integrations)
        return f"{measures.agents} agents, {leads} coordinators: {rate:.0f} tasks/s, {lost} lost, {sound} sound"

    return "; ".join(map(said, runs))


def _ceremony(runs: Sequence[Seen]) -> str:
    run = runs[-1]
    once = sum(
        (one.handoff.usage.tokens or 0) for one in run.view.steps if one.replica in (0, 1) and one.kind == "task"
    )
    work = once / run.window
    ratio = percent(run.view.measures.coordination_ratio)
    return (
        f"{work:.1f} contexts of work in {len(run.tasks)} tasks and {len(run.view.steps)} steps, "
        f"{len(run.view.sync.waves)} waves; coordination {ratio}"
    )


FIGURES: Mapping[str, Callable[[Sequence[Seen]], str]] = {
    "over-decomposition": _sizes,
    "under-decomposition": _exhausted,
    "bad-boundaries": _crossing,
    "serial-where-parallel": _chain,
    "orchestrator-saturation": _saturation,
    "overhead-exceeds-value": _baseline,
    "coordination-gaps": _cracks,
    "coordination-conflict": _conflicts,
    "no-integration-owner": _owners,
    "integration-bottleneck": _slow,
    "context-loss": _kept,
    "late-integration-failure": _again,
    "information-loss": _filtered,
    "authority-gradient": _silence,
    "approval-bottleneck": _approvals,
    "too-deep": _height,
    "too-shallow": _width,
    "wrong-regime": _growth,
    "scaling-ceiling": _growth,
    "premature-scaling": _ceremony,
    "scaling-denial": _growth,
}
