"""The dead-code survey: what the scans of all modules together say nothing in the tree uses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.scans import BatchScan, ModuleScan
from contracts.surveys import DeadCodeSurvey, DeadItem
from echelon import Handoffs, Outcome, agent
from tasks.discovery import discover
from tasks.scanning.scanned import scanned, unread_in
from tasks.tools import TOOL_TIMEOUT_SECONDS, unread_concerns

#: What is dead whoever uses its name.
_UNREACHABLE = "unreachable code"


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS)
def dead_code(scan: Handoffs[BatchScan], path: Path, exclude: Sequence[str]) -> Outcome[DeadCodeSurvey]:
    """Find code that nothing in the tree uses."""
    modules = scanned(scan, discover(path, exclude))
    found = unused_in(modules)
    survey = DeadCodeSurvey(
        modules=found,
        unread={path: why for path, module in modules.items() if (why := module.unread or module.unseen)},
    )
    total = sum(map(len, found.values()))
    return Outcome(
        output=survey,
        summary=f"{total} unused pieces of code in {len(found)} modules",
        confidence=0.8,  # what is reached by name only, such as a plugin, looks unused
        concerns=unread_concerns("dead code", survey, told=unread_in(scan)),
    )


def unused_in(modules: Mapping[str, ModuleScan]) -> dict[str, tuple[DeadItem, ...]]:
    """Return what no module of a tree uses, by the module that it is in."""
    used = {name for module in modules.values() for name in module.used}
    return {path: unused for path, module in modules.items() if (unused := _unused(module, used))}


def _unused(module: ModuleScan, used: set[str]) -> tuple[DeadItem, ...]:
    return tuple(item for item in module.defined if item.what == _UNREACHABLE or item.name not in used)
