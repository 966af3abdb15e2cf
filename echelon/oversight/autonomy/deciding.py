"""Whether a result proceeds: by its reach, what is new about it, what was used, and the record of its agent (X6). Pure.

What an agent states of itself counts as far as its record shows that it means something; a doubt counts at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

from echelon.model.autonomy.terms import AutonomyTerms, Band
from echelon.model.autonomy.track import Reliability
from echelon.model.phrasing import count, listed
from echelon.oversight.reach import NOTHING_BEHIND, Reach

#: Domains that a reason names at most.
DOMAINS_NAMED = 3


class Situation(NamedTuple):
    """What is known of a result when it is decided about."""

    estimate: Reliability
    """How often results like it are right."""
    stated: float | None = None
    """How sure its agent says it is; None where it says nothing."""
    reach: Reach = NOTHING_BEHIND
    """What uses it."""
    crosses: tuple[str, ...] = ()
    """Other domains that it changes something for."""
    exceeded: str = ""
    """Which budget was used up for it; empty when none was."""
    novel: str = ""
    """What about it no earlier run has seen; empty when everything is known."""
    stands_in: str = ""
    """What stands in for the work itself; empty when nothing does."""
    confirmed: bool = False
    """Has somebody independent judged it already, and accepted it (O3)?"""


class Decision(NamedTuple):
    """What happens with a result, and why."""

    band: Band
    """What happens."""
    reasons: tuple[str, ...] = ()
    """Why it does not simply proceed."""
    beyond_lead: bool = False
    """Is it outside of the authority of a lead: its domain, its budget, or what can be undone (X7)?"""


def decide(situation: Situation, terms: AutonomyTerms) -> Decision:
    """Return whether a result proceeds, is looked at by another agent, or is decided by whoever has the authority."""
    margin = margin_for(situation.reach, terms)
    band = situation.estimate.band(terms, margin)
    reasons = [*_beyond(situation), *([situation.novel] if situation.novel else [])]
    if reasons or band is Band.ESCALATE:
        doubt = _doubt(situation, terms.escalate + margin) if band is Band.ESCALATE else []
        beyond = any(True for _ in _beyond(situation)) or situation.reach.irreversible
        return Decision(Band.ESCALATE, (*reasons, *doubt), beyond_lead=beyond)
    if band is Band.REVIEW and not situation.confirmed:
        needed = terms.proceed + margin
        return Decision(band, (_not_sure(situation, needed),), beyond_lead=situation.reach.irreversible)
    return Decision(Band.PROCEED)


def margin_for(reach: Reach, terms: AutonomyTerms) -> float:
    """Return what is added to the thresholds, by what is behind a result."""
    rows = (
        one.by for one in terms.margins if reach.steps >= one.steps and (reach.irreversible or not one.irreversible)
    )
    return next(rows, 0.0)


def _beyond(situation: Situation) -> Iterator[str]:
    if situation.crosses:
        yield f"it reaches into {listed(situation.crosses, DOMAINS_NAMED)}"
    if situation.exceeded:
        yield situation.exceeded


def _doubt(situation: Situation, below: float) -> list[str]:
    if situation.stands_in:
        return [f"not the work itself: {situation.stands_in} stands in"]
    said = [f"the stated confidence is {situation.stated:.2f}"] if _is_own_doubt(situation, below) else []
    return said or [_record_said(situation.estimate, below)]


def _is_own_doubt(situation: Situation, below: float) -> bool:
    return situation.stated is not None and situation.stated < below


def _not_sure(situation: Situation, needed: float) -> str:
    if situation.stated is not None and situation.stated < needed:
        return f"the stated confidence is {situation.stated:.2f}, below {needed:.2f}"
    return _record_said(situation.estimate, needed)


def _record_said(estimate: Reliability, needed: float) -> str:
    if not estimate.results:
        return "its agent has no record yet"
    known = f"{estimate.value:.2f} ± {estimate.width:.2f} by {count(estimate.results, 'result')}"
    return f"the record of its agent says {known}, and {needed:.2f} is asked for"
