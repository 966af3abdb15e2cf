"""Items of a phase that agents of earlier phases propose while they work (D10, X15)."""

from dataclasses import dataclass
from types import GenericAlias

from pydantic import ValidationError

from echelon.agents.binding import Binding
from echelon.agents.function import FunctionAgent
from echelon.contract.complaint import misfits
from echelon.model.adapter import adapter_of
from echelon.model.errors import InvalidJob
from echelon.model.voice.said import Proposal

#: Proposed tasks that a phase takes, unless it says otherwise.
DEFAULT_LIMIT = 20


@dataclass(frozen=True)
class Proposals:
    """Let a phase do what agents of the phases that it needs propose: `over=Proposals(of=Module)`.

    At the sync point each proposal is taken or declined, with the reason on record: it must have an item that fits
    `of`, which has not been done yet, and be within `limit` and the budget. Without `of` the items are the proposals
    themselves; with `str` they are their goals.
    """

    of: object = Proposal
    """What the agent of the phase takes as its item."""
    limit: int = DEFAULT_LIMIT
    """The most that are taken; the first ones are."""

    @property
    def items(self) -> tuple[int, int]:
        """The fewest and the most that are taken: nobody may propose anything."""
        return (0, self.limit)

    def item_of(self, proposal: Proposal) -> object:
        """Return what a proposed task is to be done on; `ValueError` says why it does not fit."""
        if self.of is Proposal:
            return proposal
        if self.of is str and proposal.item is None:
            return proposal.goal
        name = getattr(self.of, "__name__", str(self.of))
        if proposal.item is None:
            raise ValueError(f"it has no item, and {name} is wanted")
        try:
            return adapter_of(self.of).validate_python(proposal.item)
        except ValidationError as error:
            raise ValueError(f"its item is no {name}: {misfits(error)}") from error


def finder_of(phase: str, proposals: Proposals) -> FunctionAgent[..., object]:
    """Return what finds the items of a phase on record; who does it is given what was taken.

    Raises `InvalidJob` for a limit that makes no sense.
    """
    if proposals.limit < 1:
        raise InvalidJob(f"phase {phase!r}: Proposals(limit={proposals.limit}) takes nothing; allow 1 or more")
    return taking((), proposals, phase)


def check_most_taken(phase: str, over: object, items: tuple[int, int] | None) -> None:
    """Raise `InvalidJob` where fewer items are expected than proposed tasks are taken."""
    if isinstance(over, Proposals) and items is not None and items[1] < over.limit:
        raise InvalidJob(
            f"phase {phase!r}: it takes up to {over.limit} proposed tasks, and items={items!r} allows no more than "
            f"{items[1]}; say it once, with Proposals(limit={items[1]})"
        )


def taking(items: tuple[object, ...], proposals: Proposals, phase: str) -> FunctionAgent[..., object]:
    """Return the function that returns the items which were taken."""
    return FunctionAgent(
        function=lambda: list(items),
        name="proposals",
        goal=f"Take or decline the tasks that are proposed for phase {phase}",
        output_type=GenericAlias(list, (proposals.of,)),
        binding=Binding({}),
    )
