"""A job as an agent of another job: its run is a task there, pays from what the task may use, and is gone on with."""

import contextlib
from collections.abc import Generator

from pydantic import BaseModel, ValidationError

from echelon.agents.call import Call
from echelon.agents.outcome import Outcome
from echelon.coordination.accounts import spent_by
from echelon.definition.inputs import written_inputs
from echelon.definition.nested import JobAgent, read_output
from echelon.engine.continuing import until_of
from echelon.engine.nesting import EnclosingTask, NestedShare, enclosing_task
from echelon.engine.run import RunOptions, carry_out
from echelon.journal.digest import digest_of
from echelon.model.concern import Concern
from echelon.model.errors import AgentBlocked, AgentFailed, ApprovalPending, EchelonError, RunHeld
from echelon.model.phrasing import count, listed
from echelon.model.run import RunStatus, RunView, StepKind
from echelon.model.usage import Usage
from echelon.model.views.rest import Waiting
from echelon.model.voice.said import SaidTask
from echelon.model.voice.speaking import say
from echelon.planning.schedule.phase_graph import final_phases
from echelon.resilience.meter import current_meter
from echelon.runlog.view import NAMED

#: Of the identity of a run that is a task: enough to tell all tasks of a journal apart, in hex digits.
_ID_DIGITS = 16

#: Of the name of its job in its own, in characters.
_NAME_CHARACTERS = 100

#: Causes of what is missing that are named; the run itself has all of them.
_CAUSES_SAID = 3


async def run_as_task(agent: JobAgent, inputs: BaseModel, call: Call) -> Outcome[object]:
    """Carry out a job as the task that calls, or go on with the run that was begun for it, and say what came of it.

    A partial run delivers what is there, and says what it lacks (F7). One that waits for a person makes its task wait
    too; one without an output has failed.
    """
    task = enclosing_task() or EnclosingTask(
        run_id=call.brief.run_id, task_id=call.brief.assignment.task_id, api_url=""
    )
    with _sharing(task) as share:
        options = RunOptions(
            run_id=nested_run_id(agent.job.name, task, inputs, _again(agent, task, call)),
            source=agent.job.location,
            show_prints=task.show_prints,
            share=share,
        )
        try:
            view = await carry_out(agent.job, inputs, options)
        except RunHeld as held:
            raise AgentBlocked(f"the run of job {agent.job.name!r} is at work elsewhere: {held}") from held
    _hand_up(agent, view)
    usage = task.books.report(task.task_id, spent_by(view.steps))
    return _outcome(agent, view, usage, task.books.bubble(agent.job.name, view.concerns))


def _hand_up(agent: JobAgent, view: RunView) -> None:
    """Propose outside what no phase of the run has decided about: its owner there had nobody to give it to (D10)."""
    for one in view.proposals:
        if one.decision is not None and not one.is_settled:
            origin = f"proposed by {one.task_id} of run {view.record.run_id} (job {agent.job.name!r})"
            reason = "; ".join(filter(None, (one.proposal.reason, origin)))
            say(SaidTask(proposal=one.proposal.model_copy(update={"reason": reason})))


def nested_run_id(job: str, task: EnclosingTask, inputs: BaseModel, again: tuple[int, ...] = ()) -> str:
    """Return the run that a task of a run is: always the same one, so that whoever does it again goes on with it.

    `again` tells apart what a person, or a check, wants done anew.
    """
    identity = digest_of([task.run_id, task.task_id, job, written_inputs(inputs), *again])
    return f"{job[:_NAME_CHARACTERS]}-{identity[:_ID_DIGITS]}"


def _again(agent: JobAgent, task: EnclosingTask, call: Call) -> tuple[int, ...]:
    """Say which time the task is to be done anew: in a later round of it, or since a person asked for it.

    What cannot be undone is not done anew: its run is gone on with, whoever asks.
    """
    times = (call.brief.round, task.retries.get(task.task_id, 0))
    return () if times == (1, 0) or agent.holds_irreversible else times


@contextlib.contextmanager
def _sharing(task: EnclosingTask) -> Generator[NestedShare]:
    """Lend what the task may use to its run during the block; what that used is on the books of both then (F4)."""
    meter = current_meter()
    if meter is None:
        yield NestedShare(slots=task.slots)
        return
    with meter.lending() as account:
        try:
            yield NestedShare(slots=task.slots, account=account, paid=task.books.paid(task.task_id))
        finally:
            task.books.pay(task.task_id, account.used)


def _outcome(agent: JobAgent, view: RunView, usage: Usage, concerns: tuple[Concern, ...]) -> Outcome[object]:
    record = view.record
    run = f"run {record.run_id} of job {agent.job.name!r}"
    if record.status is RunStatus.WAITING and view.waiting is not None:
        waiting = _waits(run, view, view.waiting)
        waiting.usage = usage
        raise waiting
    try:
        if record.status is RunStatus.FAILED:
            raise ValueError(_lacks(view) or "it delivered nothing")
        output = read_output(agent, view.output)
    except ValueError as error:
        why = "what it delivered is not what the end of it makes" if isinstance(error, ValidationError) else str(error)
        failure = AgentFailed(
            f"{run} {record.status.value}: {why}; see: echelon show {record.run_id}", concerns=concerns
        )
        failure.usage = usage
        raise failure from error
    return Outcome(
        output=output,
        confidence=_confidence(view),
        concerns=concerns,
        usage=usage,
        shortfall=f"{run} is partial: {_lacks(view)}" if record.status is RunStatus.PARTIAL else "",
    )


def _waits(run: str, view: RunView, waiting: Waiting) -> EchelonError:
    """Say what a run inside waits for: its task waits for the same, until the same time (F8, F10).

    Only that task: the quota itself is known to all who call the same in this process.
    """
    asks = next((one.asks for one in view.missing if one.asks), "")
    waits = (
        ApprovalPending(f"{run} waits for a person: {asks}", f"{asks}; then resume this run")
        if asks
        else AgentBlocked(f"{run} waits for {waiting.for_}")
    )
    waits.until = until_of(waiting)
    waits.waits_for = listed(waiting.limits, NAMED)
    if not asks:
        waits.next_step = "resume this run at that time, or let it wait: echelon resume RUN --wait"
    return waits


def _lacks(view: RunView) -> str:
    """Say how much of a run is missing, and why."""
    if not view.missing:
        return ""
    groups = view.missing_by_cause
    said = "; ".join(group.said for group in groups[:_CAUSES_SAID])
    more = f"; and {count(len(groups) - _CAUSES_SAID, 'more cause')}" if len(groups) > _CAUSES_SAID else ""
    return f"{len(view.missing)} of {count(view.launched, 'step')} missing: {said}{more}"


def _confidence(view: RunView) -> float:
    """Return how sure those are who made the output: the least sure of the end, integrators before agents."""
    skipped = {phase.name for phase in view.phases if phase.skipped}
    ends = final_phases(view.record.plan.phases, skipped) if view.record.plan else ()
    ended = {step.handoff.task_id: step for step in view.steps if step.phase in ends and step.handoff.done}
    for kind in (StepKind.INTEGRATION, StepKind.TASK):
        made = [step.handoff.confidence for step in ended.values() if step.kind is kind]
        if made:
            return min(made)
    return 1.0
