"""All open concerns, unfiltered: each by itself, whoever raised it and however often the same was said (O6). Pure."""

from collections.abc import Iterable

from echelon.model.concern import URGENCY, ConcernRecord
from echelon.oversight.briefing.lines import brief_line
from echelon.runlog.state import RunState

#: Concerns that a brief spells out at a flat moment; the rest is named with the command that lists it.
MAX_FLAT = 50


def open_concerns(state: RunState) -> list[ConcernRecord]:
    """Return everything that is open, the most urgent first."""
    found = (record for record in state.concerns.values() if record.is_open)
    return sorted(found, key=lambda record: URGENCY.index(record.route))


def is_behind_flat(state: RunState, needs: Iterable[str]) -> bool:
    """Say whether a flat moment stood behind one of the phases that another one needs."""
    return any(state.phases[name].flat is not None for name in needs if name in state.phases)


def flat_lines(state: RunState) -> tuple[str, ...]:
    """Return all open concerns for a brief, each on a line of its own."""
    found = open_concerns(state)
    rest = found[MAX_FLAT:]
    more = [f"and {len(rest):,} more: echelon concerns --run {rest[0].run_id} --all"] if rest else []
    return (*map(_line, found[:MAX_FLAT]), *more)


def _line(record: ConcernRecord) -> str:
    return brief_line(f"{record.id} {record.said}")
