"""How many items a phase is expected to find: fewer, or more, look like success and are none (D4)."""

from collections.abc import Callable, Iterable
from typing import Any

from echelon.agents.binding import Binding
from echelon.agents.function import FunctionAgent
from echelon.model.errors import AgentFailed, InvalidInput, InvalidJob
from echelon.model.phrasing import count
from echelon.model.policy import Resilience

Range = tuple[int, int]
"""The fewest and the most items that are expected."""

#: Name of what stands for items that were not found. No agent may have it: what holds for that agent would hold here.
TOO_FEW = "too-few-items"


def check_agent_name(phase: str, agent: str) -> None:
    """Raise `InvalidJob` for the one name that is taken."""
    if agent == TOO_FEW:
        raise InvalidJob(f"phase {phase!r}: an agent cannot be called {agent!r}, which stands for items not found")


def check_range(phase: str, items: Range | None) -> None:
    """Raise `InvalidJob` unless a range makes sense."""
    if items is not None and not 0 <= items[0] <= items[1]:
        raise InvalidJob(
            f"phase {phase!r}: items={items!r} must be the fewest and the most that are expected, as (1, 500)"
        )


def listed_items(phase: str, found: Iterable[object]) -> list[object]:
    """Return what `over` found, as a list; `InvalidJob` for a text, whose letters are no items."""
    if isinstance(found, str | bytes):
        raise InvalidJob(f"phase {phase!r}: `over` returned the text {found[:40]!r}; return a list of items")
    return list(found)


def check_most(phase: str, found: int, items: Range) -> None:
    """Raise `InvalidInput` for more items than are expected, before one of them costs anything."""
    if found > items[1]:
        raise InvalidInput(
            f"phase {phase!r} found {found:,} items, and at most {items[1]:,} are expected; look at what finds them, "
            f"or allow more with items=({items[0]}, {found})"
        )


def too_few(phase: str, found: int, items: Range) -> "FunctionAgent[..., Any]":
    """Return an agent that stands for the items that were not found: it fails, so that nobody takes them for done."""
    message = (
        f"phase {phase!r} found {count(found, 'item')}, and at least {items[0]:,} are expected; look at what finds them"
    )
    return FunctionAgent(
        function=_failing(message),
        name=TOO_FEW,
        goal=f"Find the items of phase {phase}",
        output_type=Any,
        resilience=Resilience(attempts=1),
        binding=Binding({}),
    )


def _failing(message: str) -> Callable[[], Any]:
    def find_items() -> Any:
        raise AgentFailed(message)

    return find_items
