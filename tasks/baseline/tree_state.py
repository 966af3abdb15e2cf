"""What the surveys of a tree depend on, as one digest: its modules, its history, and the tools that look at them."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from echelon.journal.digest import digest_of
from tasks.inventory import inventory

#: The tools; another version may find something else.
_TOOLS = ("ruff", "vulture", "arid", "networkx")


def tree_state(path: Path, exclude: Sequence[str], max_bytes: int, changed_since: str | None) -> str:
    """Return a digest that is the same as long as every survey of the tree would say the same.

    The inventory has all that is read: the content of each module, the commit that is checked out, and from which one
    changes are counted.
    """
    listed = inventory(path=path, exclude=exclude, max_bytes=max_bytes, changed_since=changed_since).output
    tools = [f"{name} {version(name)}" for name in _TOOLS]
    return digest_of((listed, max_bytes, tools, sys.version_info[:2], os.fspath(path)))
