"""`Autonomy`: how far the agents of a job proceed on their own, and who decides where they do not (X6, X7, X11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from echelon.agents.checks.check import check_of
from echelon.agents.checks.criterion import Check
from echelon.model.autonomy.terms import DEFAULT_TERMS, AutonomyTerms
from echelon.model.errors import InvalidJob
from echelon.oversight.autonomy.batches import DEFAULT_BATCH


@dataclass(frozen=True, kw_only=True)
class Autonomy:
    """Lets results proceed by the record of their agents; others are looked at, or decided by who has the authority.

    The record is kept by fingerprint over the runs of the job: what checks, verifiers and people said of results,
    beside what the agent had stated of them.
    """

    peers: Sequence[Check] = ()
    """Who looks at results in the middle band, one of them each, and never its author; each answers with a verdict."""
    lead: Check | None = None
    """Who may approve inside of a domain and its budget, batch by batch: its verdict may name single results."""
    terms: AutonomyTerms = DEFAULT_TERMS
    """From where on a result proceeds, is looked at, or is asked about."""
    batch: int = DEFAULT_BATCH
    """So many results are decided together."""

    def __post_init__(self) -> None:
        """Take a list of peers for a tuple; refuse who cannot judge, and a batch of nothing, `InvalidJob`."""
        if not _is_count(self.batch):
            raise InvalidJob(f"Autonomy(batch={self.batch!r}): a batch has 1 result or more; state a whole number")
        if not _are_terms(self.terms):
            raise InvalidJob(f"Autonomy(terms={self.terms!r}): give AutonomyTerms(...), or leave it out")
        given: object = self.peers
        if not isinstance(given, list | tuple):
            raise InvalidJob(
                "Autonomy(peers=) takes a list of functions, commands or agents that answer with a verdict"
            )
        object.__setattr__(self, "peers", tuple(cast("Sequence[Any]", given)))
        for one in self.peers:
            check_of("Autonomy(peers=)", one)
        if self.lead is not None:
            check_of("Autonomy(lead=)", self.lead)


def _is_count(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 1


def _are_terms(given: object) -> bool:
    return isinstance(given, AutonomyTerms)
