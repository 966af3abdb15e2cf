"""Everything that can go wrong, by who must act on it. Only exception classes may live here.

EchelonError
├── CallerError            the person who wrote the job or typed the command must act
│   ├── InvalidInput           a parameter, path or option is wrong
│   ├── InvalidJob             the job's definition contradicts itself
│   ├── NestingRefused         a job would run itself, or jobs lie too deep in one another
│   ├── RunHeld                another process is at work on the run (F8)
│   ├── RunSkipped             an earlier run waits for a person, and the job says that no other begins then (O8)
│   └── IllegalTransition      a status was asked to change in a way that has no meaning (C2)
├── AgentError             the agent did not deliver; only its consumers are concerned
│   ├── EffectUncertain        it may have done already what must not be done twice (F8)
│   ├── ApprovalPending        a person has to say whether it may begin (O5)
│   ├── ApprovalDenied         a person, or the default, said that it may not (O5)
│   ├── AgentFailed            it says itself that it cannot do the task
│   │   └── AgentBlocked           it says itself that it cannot do the task yet
│   ├── ReplicaStopped         others delivered what it was doing (F9)
│   ├── ReplicasDisagree       too few of those who did the same delivered the same (F9)
│   ├── ContractViolation      it delivered something that is not the contract (C3, C5)
│   ├── NotAccepted            it delivered something that a check of its success rejects (D11)
│   ├── AgentTimeout           it took longer than it was given (F4)
│   └── BudgetExhausted        it asked for more than is left (F4)
└── InfrastructureError    something around the agents is broken
    ├── DependencyFailed       a provider, tool or service that an agent needs did not do its part
    ├── BreakerOpen            a dependency failed too often; calls are refused for a while (F1)
    ├── QuotaExhausted         a limit of a dependency is used up, and resets at a stated time (F10)
    ├── NotDelivered           a message to a person did not reach it (O8)
    ├── BulkheadFull           too many calls wait already for the same places (F5)
    ├── JournalError           the durable memory cannot be read or written
    │   └── LeaseLost              another process took the run over; this one must not write any more (F8)
    └── ServerError            the Prefect server cannot be started or reached
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from echelon.model.phrasing import count

if TYPE_CHECKING:
    from echelon.model.concern import Concern
    from echelon.model.usage import Usage
    from echelon.model.verification.verification import Verification


class EchelonError(Exception):
    """Something Echelon can explain: what was done, why it failed, what to do next."""

    #: Can the same call succeed when it is simply made again later?
    passing: bool = False
    #: What it cost nevertheless; None when that is not known.
    usage: "Usage | None" = None
    #: What a person can do about this very error; empty when nothing is known beyond its class.
    next_step: str = ""
    #: When the same call can be made again; None when that is not known (F10).
    until: datetime | None = None
    #: What that waits for, in a few words; empty when nothing is waited for (F10).
    waits_for: str = ""


class CallerError(EchelonError):
    """The job or the command is wrong; nothing was run."""


class InvalidInput(CallerError):
    """A parameter, path or option is wrong."""


class InvalidJob(CallerError):
    """The definition of a job contradicts itself."""


class NestingRefused(CallerError):
    """A job at work would run itself on the same inputs, or jobs lie too deep in one another."""


class RunHeld(CallerError):
    """Another process is at work on the run; nothing was done here (F8)."""


class RunSkipped(CallerError):
    """No run is begun: an earlier one waits for a person, and the job says `when_waiting="skip"` (O8)."""

    def __init__(self, job: str, waiting_run: str, gates: Sequence[str]) -> None:
        asked = f"look at it: echelon gates show {gates[0]}" if gates else f"look at it: echelon show {waiting_run}"
        super().__init__(f"{job!r} was not begun: run {waiting_run} waits for a person; {asked}")
        #: The run that waits.
        self.waiting_run = waiting_run


class IllegalTransition(CallerError):
    """A status cannot change that way (C2)."""

    def __init__(self, current: object, wanted: object) -> None:
        super().__init__(f"a step that is {current!s} cannot become {wanted!s}")
        self.current = current
        self.wanted = wanted


class AgentError(EchelonError):
    """An agent did not deliver; its consumers go on without it or fail with it, nobody else."""


class AgentFailed(AgentError):
    """The agent itself says that it cannot do the task, with the concerns it wants on record."""

    #: What a command printed that failed; empty for all others.
    printed: str = ""
    #: Is that said for it, since it ended in another process without saying so itself? Then it may have done a part.
    cut_off: bool = False

    def __init__(self, message: str, *, concerns: "Sequence[Concern]" = (), passing: bool = False) -> None:
        super().__init__(message)
        self.concerns = tuple(concerns)
        self.passing = passing


class AgentBlocked(AgentFailed):
    """The agent itself says that it cannot do the task yet, and what it waits for."""


class ReplicaStopped(AgentError):
    """Others delivered what a replica was doing, so that it was stopped; what it used until then is paid (F9)."""


class ReplicasDisagree(AgentError):
    """Replicas of one task delivered different outputs, and not enough of them agree (F9)."""

    next_step = (
        "look at the outputs of the replicas; compare only what must be equal with `agree_on`, let a third replica "
        "decide, or do the task again with `echelon retry RUN TASK`"
    )


class ContractViolation(AgentError):
    """The output is not what the contract says."""

    #: The output itself, where it could be read at all: one value or none. A flexible contract repairs it (C5).
    delivered: "tuple[object, ...]" = ()


class NotAccepted(AgentError):
    """A check of success rejects the result; `gap` says what is missing, and the next attempt is told that (D11).

    `again`: may it be done again? What cannot be undone is not.
    """

    def __init__(
        self, agent: str, check: str, gap: str, *, again: bool, verification: "Verification | None" = None
    ) -> None:
        super().__init__(f"what {agent} delivered was rejected by {check}: {gap or 'it does not say why'}")
        self.gap = f"{check}: {gap}" if gap else check
        self.passing = again
        self.verification = verification
        #: How sure the agent had said it is of the result; None where that is not known.
        self.stated: float | None = None
        self.next_step = (
            "read what the check says is missing; change the work or the check, or allow more attempts, and resume "
            "the run"
        )


class AgentTimeout(AgentError):
    """The agent took longer than the seconds it was given (F4)."""

    passing = True

    def __init__(self, seconds: float, *, idle: bool = False, left: str | None = None) -> None:
        silent = f"idle: no output and no heartbeat for {seconds:g} s, its idle timeout"
        told = silent if idle else f"no answer within its {seconds:g} s"
        super().__init__(told if left is None else f"{told}; {left}")
        self.seconds = seconds
        #: Was it silent for too long, rather than at work for too long?
        self.idle = idle


class BudgetExhausted(AgentError):
    """The call would take more than what is left of a budget (F4)."""

    def __init__(
        self,
        what: str,
        wanted: float,
        left: float,
        whose: str,
        *,
        spent: float | None = None,
        reserved: float = 0.0,
        said: str = "",
    ) -> None:
        told = "" if spent is None else f": {_amount(spent)} spent, {_amount(reserved)} reserved for calls under way"
        super().__init__(
            said or f"the {what} budget of {whose} has {_amount(left)} left{told}; the call asks for {_amount(wanted)}"
        )
        self.what = what
        self.wanted = wanted
        self.left = left
        self.whose = whose

    @classmethod
    def while_at_work(cls, left: float, whose: str) -> "BudgetExhausted":
        """Say that the time of a budget ended while a call was under way that had what was `left` of it."""
        said = f"the seconds budget of {whose} ended while the call was at work: it had {_amount(left)} s left"
        return cls("seconds", left, 0, whose, said=said)


def _amount(number: float) -> str:
    """Write an amount of anything: whole numbers in groups, others with four digits that count."""
    return f"{number:,.0f}" if abs(number) >= 10_000 or number == int(number) else f"{number:.4g}"


class EffectUncertain(AgentError):
    """What must not be done twice was begun before, and nobody knows whether it happened (F8)."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class ApprovalPending(AgentError):
    """A step waits at its gate until a person has answered, or has disposed of concerns about it (O5)."""

    def __init__(self, message: str, next_step: str, until: "datetime | None" = None) -> None:
        super().__init__(message)
        self.next_step = next_step
        #: When the answer that counts by default is given; None: never.
        self.default_at = until


class ApprovalDenied(AgentError):
    """A step is not begun: a person said no, nobody answered in time, or what would be done was not approved (O5)."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step or "to have it asked again: echelon retry RUN TASK"


class InfrastructureError(EchelonError):
    """Something around the agents is broken."""


class DependencyFailed(InfrastructureError):
    """A provider, tool or service that an agent needs did not do its part; `passing` says whether it may recover."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class NotDelivered(InfrastructureError):
    """A message to a person did not reach it; `passing` says whether it may when it is sent again (O8)."""

    def __init__(self, message: str, *, passing: bool = True, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.passing = passing
        #: Of the answer of the receiver, which may say for how long it wants to be left alone.
        self.headers = headers or {}


class BreakerOpen(InfrastructureError):
    """A dependency failed too often, so that calls to it are refused for a while (F1)."""

    def __init__(self, name: str, reason: str, retry_in_seconds: float, waited: str = "") -> None:
        # Without an end when a person opened it.
        trial = f"next probe in {retry_in_seconds:.1f} s" if isfinite(retry_in_seconds) else "until it is reset"
        super().__init__(f"breaker {name!r} is open ({reason}); {waited}{trial}")
        self.name = name
        self.reason = reason
        self.retry_in_seconds = retry_in_seconds

    def after(self, waited_seconds: float, allowed_seconds: float, whose: str) -> "BreakerOpen":
        """Return the same for a call that waited in vain: it may wait for so long, since somebody's time is up then."""
        waited = f"waited {waited_seconds:.1f} s of the {max(0.0, allowed_seconds):.1f} s that {whose} allows; "
        return BreakerOpen(self.name, self.reason, self.retry_in_seconds, waited)


class QuotaExhausted(InfrastructureError):
    """A limit of a dependency is used up, and resets at a stated time: nobody calls it before (F10)."""

    def __init__(self, dependency: str = "", *, until: datetime, said: str = "") -> None:
        whose = f" of {dependency}" if dependency else ""
        quoted = f"; it said: {said}" if said else ""
        super().__init__(f"the quota{whose} is used up until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{quoted}")
        #: The dependency: its breaker or provider; empty: that of the agent that raises it.
        self.dependency = dependency
        #: When it takes calls again.
        self.until = self.resets = until
        self.waits_for = f"quota{whose}" if dependency else "a quota"
        #: Its own words; hostile text.
        self.said = said


class BulkheadFull(InfrastructureError):
    """So many calls wait for the same slots that no more may join them (F5)."""

    passing = True

    def __init__(self, name: str, slots: int, waiting: int) -> None:
        super().__init__(
            f"{name!r} is full: it allows {count(slots, 'call')} at work and {waiting:,} waiting; try again later, or "
            "raise max_concurrency or max_queue of its bulkhead"
        )
        self.name = name
        self.slots = slots
        self.waiting = waiting


class JournalError(InfrastructureError):
    """The durable memory cannot be read or written."""


class LeaseLost(JournalError):
    """Another process took the run over: nothing that this one writes is accepted any more (F8)."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"another process took run {run_id!r} over while this one was not heard of; nothing more is written here. "
            f"`echelon show {run_id}` shows its progress"
        )
        self.run_id = run_id


class ServerError(InfrastructureError):
    """The Prefect server cannot be started or reached."""
