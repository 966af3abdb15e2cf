"""When an audit mends, and how it says what it did not. Pure."""

from collections.abc import Mapping
from pathlib import Path

from contracts.fixes import CheckedFixes
from echelon import Handoffs
from echelon.model.phrasing import listed

#: Files that a sentence names; the others are counted.
_NAMED = 5


def trees_to_mend(fix: bool, path: Path) -> list[Path]:
    """List the trees whose hotspots are to be mended: none, unless the audit was asked to."""
    return [path] if fix else []


def name_of(tree: Path) -> str:
    """Return what the task of a tree is called."""
    return tree.name or "root"


def anything_to_apply(recheck: Handoffs[CheckedFixes]) -> str:
    """Say why nothing is to be applied; empty when something is."""
    return "" if any(one.files for one in recheck.outputs()) else "nothing could be mended safely"


def shortfall_of(left: Mapping[str, str]) -> str:
    """Say which files are not mended and why, in a sentence; empty without any."""
    return listed([f"{name}: {reason}" for name, reason in left.items()], _NAMED, between="; ") if left else ""
