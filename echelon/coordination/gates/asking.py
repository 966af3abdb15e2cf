"""Whether a step may begin: what was answered at its gate, which is raised where there is none that fits (O5)."""

import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from echelon.contract.typed import typed_shape
from echelon.coordination.context import RunContext
from echelon.coordination.gates.action import Described, describe
from echelon.coordination.gates.fitting import misfit
from echelon.coordination.step.step import AskReady, GateAbout, Step
from echelon.journal.failpoints import failpoint
from echelon.model.concern import ConcernRecord
from echelon.model.errors import ApprovalDenied, ApprovalPending
from echelon.model.oversight.gate import GateAnswer, GateRecord, Question, Readiness
from echelon.model.oversight.terms import Gate
from echelon.model.phrasing import listed
from echelon.oversight.briefing.flat import is_behind_flat, open_concerns
from echelon.oversight.gates.answers import MAX_NAMED, AnswerWish, answer_by_default
from echelon.oversight.gates.around import concerns_around
from echelon.oversight.gates.holding import StepAbout, concerns_holding
from echelon.runlog.events import RunEvent
from echelon.runlog.gate_events import GateAnswered, GateClosed, GateRaised
from echelon.runlog.gates import has_ended
from echelon.visibility.gates import ways_to_answer

#: Digits of the id of a gate, and of its nonce.
ID_BYTES, NONCE_BYTES = 5, 16


class Consent(NamedTuple):
    """What came of asking."""

    gate: GateRecord | None = None
    """The gate whose answer decides: its approval lets the step begin; None where it may not."""
    error: Exception | None = None
    """Why it may not begin: `ApprovalPending` or `ApprovalDenied`."""
    done: GateAnswer | None = None
    """The answer that says that it happened, with what came of it."""


@dataclass(frozen=True)
class GateCall:
    """What a step is asked about."""

    step: Step
    terms: Gate
    question: Question
    note: str = ""
    """What is said beside the question."""


async def consent(run: RunContext, asked: GateCall, ask_ready: AskReady) -> Consent:
    """Say whether a step may begin now. What is asked is durable before anybody sees it."""
    described = await describe(run, asked.step)
    await run.log.refresh()
    gate = await _standing_gate(run, asked, described)
    if gate is None:
        is_asked = asked.terms.asks_ready and asked.step.agent.effect == "irreversible"
        readiness = await ask_ready(GateAbout(asked.step.task_id, described.digest)) if is_asked else ()
        gate = await _raise_gate(run, asked, described, readiness)
    gate = await _take_answers(run, asked, gate)
    return _outcome(run, gate, await holding_back(run, asked.step))


async def holding_back(run: RunContext, step: Step) -> tuple[ConcernRecord, ...]:
    """Return the open urgent concerns about a step, or about what it uses, in this run and those around it (X13)."""
    declared = {name: phase.needs for name, phase in run.spec.job.phases.items()}
    about = StepAbout.of(run.spec.plan, step.phase, step.task_id, declared)
    state = run.log.state
    return (*concerns_holding(state, about), *await concerns_around(run.log.journal, state.record))


async def _find_shown(run: RunContext, step: Step) -> tuple[ConcernRecord, ...]:
    """Return the concerns that are shown at the gate of a step: all that are open behind a flat moment (O6)."""
    held, state = await holding_back(run, step), run.log.state
    others = open_concerns(state) if is_behind_flat(state, run.spec.job.phases[step.phase].needs) else []
    return tuple({one.id: one for one in (*held, *others)}.values())


async def _standing_gate(run: RunContext, asked: GateCall, described: Described) -> GateRecord | None:
    """Return the gate that asks just this; those that ask about what has changed since are closed, with the reason."""
    step, found = asked.step, None
    closed: list[RunEvent] = []
    for gate in run.log.state.gates.values():
        if gate.action.task_id != step.task_id or gate.closed or gate.used:
            continue
        unfit = _misfit(step, gate.decision)
        why = _why_outdated(run, asked, described, gate) or unfit
        if not why:
            found = gate
        elif gate.is_open or _allows(gate) or why == unfit:
            closed.append(GateClosed(run_id=run.spec.run_id, at=run.now(), gate_id=gate.id, reason=why))
    if closed:
        await run.log.append(*closed)
    return found


def _why_outdated(run: RunContext, asked: GateCall, described: Described, gate: GateRecord) -> str:
    """Say why a gate on record does not ask what is to be asked now; empty when it does."""
    approved = "what was approved" if _allows(gate) else "what was asked"
    if gate.key != asked.step.key:
        return f"what it uses has changed since: {approved} was with older inputs"
    if gate.digest != described.digest:
        return f"what would be done has changed since: it is not {approved} any more"
    if gate.question is not asked.question and gate.is_open:
        return "something else is asked now"
    if not gate.is_open and run.intents.has_stated(asked.step.task_id):
        return "a person has decided anew"
    if _allows(gate) and has_ended(gate, run.now()):
        return f"the approval ended at {gate.expires:%Y-%m-%d %H:%M:%S} UTC, before it was used"
    return ""


def _misfit(step: Step, said: GateAnswer | AnswerWish | None) -> str:
    """Say where what a person says came of a step does not fit its contract, so that nobody can use it (C3)."""
    if said is None or said.verdict != "done":
        return ""
    return misfit(said.output, step.contract, flexible=step.guard.policy.contract == "flexible")


async def withdraw(run: RunContext, gate: GateRecord, reason: str) -> None:
    """Close a gate whose answer came to nothing, so that the next one asks again; the reason is said there."""
    await run.log.append(GateClosed(run_id=run.spec.run_id, at=run.now(), gate_id=gate.id, reason=reason))


def _note(run: RunContext, asked: GateCall) -> str:
    """Return what is said beside a question: also why an answer does not count that said what came of it."""
    before = [gate for gate in run.log.state.gates.values() if gate.action.task_id == asked.step.task_id]
    said = before[-1].decision if before else None
    refused = before[-1].closed if said is not None and said.verdict == "done" else ""
    return "; ".join(filter(None, (refused, asked.note)))  # what is new first: long ones are shown in part


def _allows(gate: GateRecord) -> bool:
    return gate.decision is not None and gate.decision.verdict == "approve"


async def _raise_gate(
    run: RunContext, asked: GateCall, described: Described, readiness: tuple[Readiness, ...]
) -> GateRecord:
    step, now = asked.step, run.now()
    await run.log.refresh()  # concerns that were raised while participants were asked
    expires = asked.terms.expires_seconds
    gate = GateRecord(
        id=f"g{secrets.token_hex(ID_BYTES)}",
        run_id=run.spec.run_id,
        key=step.key,
        node=step.node,
        question=asked.question,
        note=_note(run, asked),
        action=described.action,
        digest=described.digest,
        nonce=secrets.token_hex(NONCE_BYTES),
        terms=asked.terms,
        takes=typed_shape(step.agent.output_type) if "done" in asked.question.verdicts else {},
        readiness=readiness,
        concerns=tuple(one.id for one in await _find_shown(run, step)),
        at=now,
        expires=None if expires is None else now + timedelta(seconds=expires),
    )
    failpoint("gate.raising")
    await run.log.append(GateRaised(run_id=run.spec.run_id, at=now, record=gate))
    failpoint("gate.raised")
    return gate


async def _take_answers(run: RunContext, asked: GateCall, gate: GateRecord) -> GateRecord:
    """Return a gate with the answers that can be had now: by default, by an option of the run, or from who is there."""
    for answers in (_by_option, _from_who_is_there):
        if not gate.is_open or has_ended(gate, run.now()):
            break
        async for given in answers(run, asked, gate):
            wish = replace(given, misfit=_misfit(asked.step, given))
            gate = await _record_answer(run, gate, wish.about(gate, run.now(), await holding_back(run, asked.step)))
            if not gate.is_open:
                break
    if gate.is_open and has_ended(gate, run.now()):
        gate = await _record_answer(run, gate, answer_by_default(gate, await holding_back(run, asked.step)))
    return gate


async def _by_option(run: RunContext, asked: GateCall, _gate: GateRecord) -> AsyncGenerator[AnswerWish]:
    wish = run.intents.stated(asked.step.task_id)
    if wish is not None:
        yield wish


async def _from_who_is_there(run: RunContext, _asked: GateCall, gate: GateRecord) -> AsyncGenerator[AnswerWish]:
    while run.ask is not None and (wish := await run.ask(run.log.state.gates.get(gate.id, gate))) is not None:
        yield wish


async def _record_answer(run: RunContext, gate: GateRecord, answer: GateAnswer) -> GateRecord:
    event = GateAnswered(run_id=gate.run_id, at=run.now(), gate_id=gate.id, answer=answer)
    await run.log.append(event)
    failpoint("gate.answered")
    await run.log.refresh()
    return run.log.state.gates[gate.id]


def _outcome(run: RunContext, gate: GateRecord, holding: tuple[ConcernRecord, ...]) -> Consent:
    decided, task = gate.decision, gate.action.task_id
    if decided is None:
        known = gate.note or f"{task} waits for a person at its gate"
        if gate.answers and gate.answers[-1].channel == "option":  # who gave it has not been told yet
            known = f"the answer given with this run does not count: {gate.answers[-1].refused}; {known}"
        return Consent(error=_pending(run, gate, f"{known}; {gate.question.text}"))
    who = f"{decided.author}{f' ({decided.reason})' if decided.reason else ''}"
    if decided.verdict == "deny":
        return Consent(error=ApprovalDenied(f"{task} was denied by {who}", _to_ask_again(run, task)))
    if decided.verdict == "done":
        return Consent(gate=gate, done=decided)
    if holding:
        names = listed([one.id for one in holding], MAX_NAMED)
        return Consent(error=_pending(run, gate, f"{task} was approved by {who}, and open concerns hold it: {names}"))
    return Consent(gate=gate)


def _pending(run: RunContext, gate: GateRecord, message: str) -> ApprovalPending:
    # The same for all gates of a run, so that it is said once.
    run_id = run.spec.run_id
    return ApprovalPending(
        message,
        f"look: echelon gates --run {run_id}; {ways_to_answer([gate])}; then: echelon resume {run_id}",
        gate.expires if gate.is_open else None,
    )


def _to_ask_again(run: RunContext, task: str) -> str:
    return f"to have it asked again: echelon retry {run.spec.run_id} {task!r}"
