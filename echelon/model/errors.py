"""Everything that can go wrong, by who must act on it. Only exception classes may live here.

EchelonError
├── CallerError            the person who wrote the job or typed the command must act
│   ├── InvalidInput           a parameter, path or option is wrong
│   ├── InvalidJob             the job's definition contradicts itself
│   └── IllegalTransition      a status was asked to change in a way that has no meaning (C2)
├── AgentError             the agent did not deliver; only its consumers are concerned
│   ├── AgentFailed            it says itself that it cannot do the task
│   ├── ContractViolation      it delivered something that is not the contract (C3, C5)
│   ├── AgentTimeout           it took longer than it was given (F4)
│   └── BudgetExhausted        it asked for more than is left (F4)
└── InfrastructureError    something around the agents is broken
    ├── DependencyFailed       a provider, tool or service that an agent needs did not do its part
    ├── BreakerOpen            a dependency failed too often; calls are refused for a while (F1)
    ├── JournalError           the durable memory cannot be read or written
    └── ServerError            the Prefect server cannot be started or reached
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echelon.model.concern import Concern
    from echelon.model.usage import Usage


class EchelonError(Exception):
    """Something Echelon can explain: what was done, why it failed, what to do next."""

    #: Can the same call succeed when it is simply made again later?
    passing: bool = False
    #: What it cost nevertheless; None when that is not known.
    usage: "Usage | None" = None


class CallerError(EchelonError):
    """The job or the command is wrong; nothing was run."""


class InvalidInput(CallerError):
    """A parameter, path or option is wrong."""


class InvalidJob(CallerError):
    """The definition of a job contradicts itself."""


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

    def __init__(self, message: str, *, concerns: "Sequence[Concern]" = (), passing: bool = False) -> None:
        super().__init__(message)
        self.concerns = tuple(concerns)
        self.passing = passing


class ContractViolation(AgentError):
    """The output is not what the contract says."""


class AgentTimeout(AgentError):
    """The agent took longer than the seconds it was given (F4)."""

    passing = True

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within its {seconds:g} s")
        self.seconds = seconds


class BudgetExhausted(AgentError):
    """The call would take more than what is left of a budget (F4)."""

    def __init__(self, what: str, wanted: float, left: float, whose: str) -> None:
        super().__init__(f"the {what} budget of {whose} has {left:g} left, the call asks for {wanted:g}")
        self.what = what
        self.wanted = wanted
        self.left = left
        self.whose = whose


class InfrastructureError(EchelonError):
    """Something around the agents is broken."""


class DependencyFailed(InfrastructureError):
    """A provider, tool or service that an agent needs did not do its part; `passing` says whether it may recover."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class BreakerOpen(InfrastructureError):
    """A dependency failed too often, so that calls to it are refused for a while (F1)."""

    def __init__(self, name: str, reason: str, retry_in_seconds: float) -> None:
        super().__init__(f"breaker {name!r} is open ({reason}); next trial in {retry_in_seconds:.1f} s")
        self.name = name
        self.reason = reason
        self.retry_in_seconds = retry_in_seconds


class JournalError(InfrastructureError):
    """The durable memory cannot be read or written."""


class ServerError(InfrastructureError):
    """The Prefect server cannot be started or reached."""
