"""`Oversight`: how a job judges its own work, in one value."""

from dataclasses import dataclass

from echelon.agents.checks.criterion import Check
from echelon.definition.conflicts.settle import Settle
from echelon.definition.oversight.autonomy import Autonomy
from echelon.definition.success.criteria import Verifiers
from echelon.model.errors import InvalidJob
from echelon.model.plan import ALERTS_AN_HOUR


@dataclass(frozen=True, kw_only=True)
class Audit:
    """How integrations are audited: a sample of them is held to what their contracts promise (O4).

    `Key` and `Complete` in a contract are such promises. It works in jobs of 10 agents and more.
    """

    rate: float | None = None
    """Share of the integrations of a phase that is looked at, 0 to 1, some of every domain; None: by their number."""
    by: Check | None = None
    """Judges each of them besides: a function, a command or an agent that gets the integration as `output`, and its
    parts as `Handoffs[...]`."""
    seed: int = 0
    """Draws the sample: the same seed always draws the same ones."""

    def __post_init__(self) -> None:
        """Refuse a rate that is none; `InvalidJob`."""
        rate: object = self.rate
        is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if rate is not None and not (is_number and 0 <= rate <= 1):
            raise InvalidJob(f"audit: rate={rate!r} is no share; state a number from 0 to 1, or leave it out")


@dataclass(frozen=True, kw_only=True)
class Oversight:
    """How a job judges its own work, below the people who decide: `Job("audit", ..., oversight=Oversight(…))`."""

    verify: Verifiers | None = None
    """Who judges the results that everything rests on, beside what phases state themselves: those on the critical path
    and in front of gates (O3). Never an agent of the job, which would judge its own work. From 10 agents on."""
    audit: Audit | None = None
    """How integrations are audited; None: by what contracts promise, from 50 agents on."""
    autonomy: Autonomy | None = None
    """How far agents proceed on their own; None: by what they state alone, so that an open doubt reaches a person."""
    settle: Settle | None = None
    """Decides which of two contradicting outputs counts, in phases that state nothing else: a rule that is given the
    `Conflict`, or an agent. None: a person is asked (X9)."""
    alerts_an_hour: int = ALERTS_AN_HOUR
    """Alerts that each level is shown one by one in an hour; the others are counted, critical ones never (V7)."""

    def __post_init__(self) -> None:
        """Refuse what is no autonomy, no audit, and fewer alerts than one; `InvalidJob`."""
        _check_kind("autonomy", self.autonomy, Autonomy)
        _check_kind("audit", self.audit, Audit)
        if self.alerts_an_hour < 1:
            raise InvalidJob(f"Oversight(alerts_an_hour={self.alerts_an_hour}) shows nothing; state 1 or more")


def _check_kind(name: str, given: object, kind: type[object]) -> None:
    if given is not None and not isinstance(given, kind):
        raise InvalidJob(f"Oversight({name}=) takes {kind.__name__}(...), and got {given!r}")


#: What is done where nothing is stated.
DEFAULT_OVERSIGHT = Oversight()


def oversight_stated(job: str, given: object) -> Oversight:
    """Return what a job states of its oversight; `InvalidJob` for what is none."""
    if given is None:
        return DEFAULT_OVERSIGHT
    if not isinstance(given, Oversight):
        raise InvalidJob(f"job {job!r}: oversight= takes an Oversight(...), not a {type(given).__name__}")
    return given
