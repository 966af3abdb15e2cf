"""Which answers to a gate count, and which are refused, with the reason (O5). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from echelon.contract.typed import described, misfit_of_shape
from echelon.model.concern import ConcernRecord
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import Channel, GateAnswer, GateRecord, Verdict
from echelon.model.phrasing import listed
from echelon.runlog.gates import late, time_is_up

#: How long a gate may be given, in hours: ten years.
MAX_HOURS = 87_600

#: Begins the refusal of an output that nobody can use (C3).
NO_FIT = "what is said to have come of it does not fit the contract of the work"

#: Things that a refusal names at most.
MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class AnswerWish:
    """What somebody wants to answer."""

    verdict: Verdict
    """What."""
    author: str
    """Who."""
    reason: str = ""
    """Why."""
    partial: bool = False
    """May it begin without what is missing of its inputs?"""
    output: Any = None
    """What came out of it, where it was done already."""
    channel: Channel = "cli"
    """Where the answer comes from."""
    digest: str | None = None
    """Digest of the action that was read; None: the gate as it is on record was read."""
    nonce: str | None = None
    """Of the gate that was read; None: the gate as it is on record was read."""
    misfit: str | None = None
    """Where the output does not fit the contract of the work; empty where it does. None: whoever takes the answer does
    not have the contract, so that what the gate says of it has to do."""

    def about(self, gate: GateRecord, at: datetime, holding: Sequence[ConcernRecord]) -> GateAnswer:
        """Return the answer as it is put on record; it says why it does not count, where it does not.

        `InvalidInput` where nobody is named.
        """
        author = self.author.strip()
        if not author:
            raise InvalidInput("an answer needs the name of whoever gives it: --as NAME")
        answer = GateAnswer(
            verdict=self.verdict,
            author=author,
            reason=self.reason,
            at=at,
            channel=self.channel,
            digest=gate.digest if self.digest is None else self.digest,
            nonce=gate.nonce if self.nonce is None else self.nonce,
            partial=self.partial,
            output=self.output,
        )
        misfit = _misfit(gate, answer) if self.misfit is None else self.misfit
        return answer.model_copy(update={"refused": refusal_of(gate, answer, holding) or misfit})


def check_reason(reason: str) -> None:
    """Raise `InvalidInput` where nobody said why."""
    if not reason.strip():
        raise InvalidInput("the reason is empty; say why, it is kept with the answer")


def read_verdict(text: str) -> Verdict:
    """Return a verdict as a program says it; `InvalidInput` for what is none."""
    known: tuple[Verdict, ...] = get_args(Verdict)
    for verdict in known:
        if text == verdict:
            return verdict
    raise InvalidInput(f"{text!r} is no answer to a gate; say {listed(known, MAX_NAMED, repr)}")


def refusal_of(gate: GateRecord, answer: GateAnswer, holding: Sequence[ConcernRecord]) -> str:
    """Say why an answer does not count; empty when it does.

    `holding` are the open concerns that hold the step back now.
    """
    approvers, possible = gate.terms.approvers, gate.question.verdicts
    begins, ended = answer.verdict == "approve", time_is_up(gate, answer.at)
    objections = (
        (not gate.is_open, late(gate)),
        (answer.nonce != gate.nonce, "it is an answer to another gate, or to one that was asked before"),
        (answer.digest != gate.digest, "what would be done is not what was read: look at the gate again"),
        (bool(ended), ended),
        (answer.verdict not in possible, f"{answer.verdict!r} is no answer to it; say {listed(possible, 3)}"),
        (
            bool(approvers) and answer.author not in approvers and answer.channel != "expiry",
            f"{answer.author} may not answer it; {listed(approvers, MAX_NAMED)} may",
        ),
        (begins and bool(holding), _held_by(holding)),
        (begins and bool(gate.action.missing) and not answer.partial, _partial(gate)),
    )
    return next((text for applies, text in objections if applies), "")


def answer_by_default(gate: GateRecord, holding: Sequence[ConcernRecord]) -> GateAnswer:
    """Return the answer that counts where nobody gave one in time: no, unless the job says yes and nothing is amiss."""
    assert gate.expires is not None, "what has no end has no default"
    yes = AnswerWish(verdict="approve", author="default", channel="expiry", reason="nobody answered in time")
    # At the very end of its time, whenever that is looked at.
    answer = yes.about(gate, gate.expires, holding)
    wanted = gate.terms.on_expiry == "approve"
    if wanted and not answer.refused:
        return answer
    reason = f"nobody answered in time; approved by default, but {answer.refused}" if wanted else answer.reason
    return answer.model_copy(update={"verdict": "deny", "refused": "", "reason": reason})


def more_time(hours: float) -> timedelta:
    """Return how much longer somebody wants a gate to wait; `InvalidInput` for what is no time, or too much."""
    if not 0 < hours <= MAX_HOURS:
        raise InvalidInput(f"a gate is extended by more than 0 and at most {MAX_HOURS:,} hours, not by {hours:g}")
    return timedelta(hours=hours)


def extended(expires: datetime, at: datetime, by: timedelta) -> datetime:
    """Return when a gate ends that somebody wants more time for; `InvalidInput` where that is too far away."""
    until = max(expires, at) + by
    if until - at > timedelta(hours=MAX_HOURS):
        raise InvalidInput(
            f"a gate waits for {MAX_HOURS:,} hours at most from now on, and would end on {until:%Y-%m-%d}"
        )
    return until


def _misfit(gate: GateRecord, answer: GateAnswer) -> str:
    """Say where an output cannot fit, by what is on record of its contract."""
    told = misfit_of_shape(answer.output, gate.takes) if answer.verdict == "done" else ""
    return f"{NO_FIT}: {told}; give {described(gate.takes)}" if told else ""


def _held_by(holding: Sequence[ConcernRecord]) -> str:
    named = listed([one.id for one in holding], MAX_NAMED)
    return (
        f"open concerns about it, or about what it uses, come first: {named}; look at each: echelon concerns show ID, "
        "then: echelon concerns dispose ID --as resolved|accepted|dismissed --reason WHY"
    )


def _partial(gate: GateRecord) -> str:
    return (
        f"not all of its inputs are there ({listed(gate.action.missing, MAX_NAMED)}); with --partial it begins without"
    )
