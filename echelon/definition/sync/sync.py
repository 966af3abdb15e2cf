"""`Sync`: a wide phase is done in waves, with a light sync point between them (X3, X14)."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

from pydantic import ValidationError

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of, check_whole, shape_of_check
from echelon.agents.checks.criterion import Check
from echelon.contract.complaint import described
from echelon.model.errors import InvalidJob
from echelon.model.graph import ErrorConsequence
from echelon.model.sync.policy import FAILURE_SHARE, Level, SyncEvent, SyncPolicyTerms
from echelon.oversight.sync.adaptive import first_pace


@dataclass(frozen=True, kw_only=True)
class Sync:
    """When a phase synchronises.

    Between two waves it is looked at what the tasks so far have revealed: what failed, what nobody could verify, what
    is urgent. Agents of the next wave are told in their brief. Something urgent ends a wave early: tasks that have not
    begun wait for the light sync point. The sync point of the phase stays behind the last wave.
    """

    terms: SyncPolicyTerms
    by: Callable[[Any], object] | None = None
    """Which milestone an item belongs to; None for other policies."""

    @classmethod
    def every(cls, tasks: int) -> "Sync":
        """Synchronise each so many tasks."""
        return cls(terms=_terms(policy="interval", every=tasks))

    @classmethod
    def on(cls, *events: SyncEvent, failures: float = FAILURE_SHARE) -> "Sync":
        """Synchronise when something happens.

        Something `urgent` is said, so large a share of the tasks `failures`, or results are in `conflict`: they
        contradict each other about what their contracts mark with `Key`. Without names it is each of them.
        """
        named = events or get_args(SyncEvent)
        return cls(terms=_terms(policy="event", events=named, failure_share=failures))

    @classmethod
    def adaptive(
        cls,
        *,
        velocity: Level = "medium",
        drift_cost: Level | None = None,
        sync_cost: Level = "medium",
        detectability: Level | None = None,
        least: int = 2,
        most: int = 100,
    ) -> "Sync":
        """Synchronise less often while sync points reveal little, and more often when they reveal much.

        The ratings say where to begin: how fast things change, how dear work on something outdated is (None: by the
        error consequence of the phase), how dear a sync point is, and how well drift is seen without one (None: well
        where results are checked). There are at `least` and at `most` so many tasks from one to the next.
        """
        stated = {"velocity": velocity, "sync_cost": sync_cost, "drift_cost": drift_cost}
        stated |= {"detectability": detectability}
        ratings = {name: level for name, level in stated.items() if level is not None}
        if least > most:
            raise InvalidJob(f"Sync.adaptive: least={least} is more than most={most}")
        return cls(terms=_terms(policy="adaptive", ratings=ratings, least=least, most=most))

    @classmethod
    def milestone(cls, by: Callable[[Any], object]) -> "Sync":
        """Synchronise at milestones: `by` says to which one an item belongs; they come in the order of their items."""
        return cls(terms=_terms(policy="milestone"), by=by)


def _terms(**stated: Any) -> SyncPolicyTerms:
    try:
        return SyncPolicyTerms.model_validate(stated)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidJob(f"Sync: {where}={first['input']!r}: {first['msg'].lower()}") from error


SyncName: TypeAlias = Literal["phase", "adaptive", "domains"]
"""Policies that need nothing else: only at the end of the phase, as often as is of use, each domain as planned."""

SyncLike: TypeAlias = Sync | SyncName
"""When to synchronise."""

StatedSync: TypeAlias = SyncLike | Mapping[str, SyncLike]
"""The same for all of a phase, or by domain, `*` for all others (X14)."""

#: The name under which a rhythm is stated for all domains that are not named.
ALL_OTHERS = "*"

#: When a phase synchronises where nothing is stated.
AT_THE_END = Sync(terms=SyncPolicyTerms())

#: How dear work on something outdated is, by how bad a wrong output is.
_DRIFT_COST: dict[ErrorConsequence, Level] = {
    "minor": "medium",
    "significant": "high",
    "catastrophic": "high",
}


@dataclass(frozen=True, kw_only=True)
class PhaseSync:
    """How a phase is done in waves."""

    rhythms: Mapping[str, Sync]
    """When each domain synchronises, `*` for all others; one for `*` alone is that of the whole phase."""
    stop: Agent | None = None
    """Says between waves whether what is there is enough; None: everything is done."""
    by_plan: Sync | None = None
    """The rhythm of domains of which the plan says that they begin with intervals; None: the plan does not decide."""

    @property
    def by_domain(self) -> bool:
        """Has each domain a rhythm of its own?"""
        return self.by_plan is not None or set(self.rhythms) != {ALL_OTHERS}

    def of(self, domain: str, planned: str = "") -> Sync:
        """Return when a domain synchronises, given what the plan of the domain says of that."""
        if self.by_plan is not None:
            return self.by_plan if planned == "interval" else AT_THE_END
        return self.rhythms.get(domain) or self.rhythms.get(ALL_OTHERS) or AT_THE_END

    def check_item(self, item: object) -> None:
        """Find the milestone of an item, so that a function that cannot tell is found before anything runs."""
        for one in self.rhythms.values():
            if one.by is not None:
                _check_milestone(one.by(item), one.by(item))

    @property
    def policy(self) -> str:
        """Name the policies, for a plan."""
        if self.by_plan is not None:
            return "domains"
        return ", ".join(dict.fromkeys(one.terms.policy for one in self.rhythms.values()))


def _check_milestone(one: object, again: object) -> None:
    """Refuse a milestone that cannot be told from others, `ValueError`: items are of the same one where it is equal."""
    if inspect.isawaitable(one):
        for each in (one, again):
            getattr(each, "close", str)()  # nobody waits for it
        raise ValueError("nobody waits for an async function here; make it a plain one")
    if not bool(one == again):
        raise ValueError(
            f"it is {described(one)}, and not equal to itself when asked again, so that no two items were of the same "
            "one; return a text, a number or a date"
        )


def inherited_sync(of_job: SyncLike, domain: object) -> SyncLike:
    """Return when a phase synchronises that says nothing: as the job says, where it has what that needs."""
    return "phase" if of_job == "domains" and domain is None else of_job


def check_sync(
    phase: str, stated: StatedSync | None, stop: Check | None, *, has_domains: bool, has_items: bool
) -> None:
    """Refuse what is no policy, and a condition that nobody would ask about; `InvalidJob`."""
    if (isinstance(stated, Mapping) or stated == "domains") and not has_domains:
        raise InvalidJob(f"phase {phase!r}: sync= states it by domain, and the phase has none: add `domain=`")
    several = cast("Mapping[str, object]", stated) if isinstance(stated, Mapping) else {ALL_OTHERS: stated}
    for one in several.values():
        if isinstance(one, Sync) and one.by is not None and not has_items:
            raise InvalidJob(
                f"phase {phase!r}: milestones are of items, and it has none; use Sync.every, or add `over=`"
            )
        if not (one is None or isinstance(one, Sync) or one in get_args(SyncName)):
            known = ", ".join(map(repr, get_args(SyncName)))
            raise InvalidJob(f"phase {phase!r}: sync={one!r} is not known; use {known}, or a Sync, as Sync.every(20)")
    if isinstance(stated, Mapping) and "domains" in stated.values():
        raise InvalidJob(
            f"phase {phase!r}: sync='domains' is for all of them; name a policy for each, or leave it at that"
        )
    if stop is not None and (isinstance(stated, Mapping) or stated == "domains"):
        raise InvalidJob(f"phase {phase!r}: stop= looks at the whole phase, and its domains synchronise by themselves")
    if stop is not None and (_sync(stated).terms.policy if not isinstance(stated, Mapping) else "") == "phase":
        raise InvalidJob(
            f"phase {phase!r}: stop= is asked between waves, and there is one only; say how often, as in "
            "sync=Sync.every(20)"
        )


def sync_of(
    phase: str,
    stated: StatedSync | None,
    stop: Check | None,
    shape: CallShape,
    *,
    error_consequence: ErrorConsequence,
    is_checked: bool,
) -> PhaseSync | None:
    """Return how a phase is done in waves; None where it synchronises at its end only."""
    if stated == "domains":
        size = first_pace(_rated(Sync.adaptive(), error_consequence, is_checked).terms).size
        return PhaseSync(rhythms={}, by_plan=Sync.every(size))
    several = stated if isinstance(stated, Mapping) else {ALL_OTHERS: stated}
    rhythms = {domain: _rated(_sync(one), error_consequence, is_checked) for domain, one in several.items()}
    if all(one.terms.policy == "phase" for one in rhythms.values()):
        return None
    return PhaseSync(rhythms=rhythms, stop=_stop(phase, stop, shape))


def _sync(stated: object) -> Sync:
    if isinstance(stated, Sync):
        return stated
    return Sync.adaptive() if stated == "adaptive" else AT_THE_END


def _rated(sync: Sync, consequence: ErrorConsequence, is_checked: bool) -> Sync:
    """Return a policy with what was not stated of its ratings taken from the phase."""
    if sync.terms.policy != "adaptive":
        return sync
    ratings = sync.terms.ratings
    known: dict[str, Level] = {"drift_cost": _DRIFT_COST[consequence]}
    known |= {"detectability": "high"} if is_checked else {}
    left = {name: level for name, level in known.items() if name not in ratings.model_fields_set}
    return Sync(terms=sync.terms.model_copy(update={"ratings": ratings.model_copy(update=left)}), by=sync.by)


def _stop(phase: str, stop: Check | None, shape: CallShape) -> Agent | None:
    if stop is None:
        return None
    check = check_of(f"phase {phase!r}", stop)
    check_whole(f"phase {phase!r}", check)
    return check.bind(shape_of_check(CallShape(inputs_type=shape.inputs_type), phase, object))
