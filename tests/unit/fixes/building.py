"""A tree with surveys and inspections of it, as the audit hands them on to whoever mends."""

from pathlib import Path
from typing import Any

from contracts.fixes import FileFix
from echelon import Handoffs
from echelon.journal.outputs import OutputStore
from tasks.areas import sum_up
from tasks.dead_code import dead_code
from tasks.diffs import unified
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.duplicates import duplication
from tasks.importing import imports
from tasks.inspecting import inspect_module
from tasks.inventory import inventory
from tasks.linting import lint
from tasks.shares import inspections
from tasks.writing import digest_of_bytes
from tests.unit.audit.building import LIMIT, handoffs, surveyed

SURVEYS = (lint, dead_code, duplication, imports)


def survey(root: Path, folder: Path, *without: str) -> Handoffs[Any]:
    """Return what the tools say of a tree, but for surveys that are not there."""
    listed = inventory(path=root, exclude=DEFAULT_EXCLUDE, max_bytes=LIMIT, changed_since=None)
    found = {f"survey/{one.name}": surveyed(one, root, folder / "copy") for one in SURVEYS if one.name not in without}
    return handoffs(OutputStore(str(folder / "surveys")), {"survey/inventory": listed, **found})


def inspected(root: Path, folder: Path, found: Handoffs[Any]) -> Handoffs[Any]:
    """Return what inspections say of a tree, as one report."""
    made: dict[str, Any] = {}
    for one in inspections(found):
        made[f"inspect/{one.module.path}"] = inspect_module(one, path=root, max_bytes=LIMIT)
    store = OutputStore(str(folder / "inspections"))
    return handoffs(store, {"primary": sum_up(handoffs(store, made))})


def fix_of(path: str, before: str, after: str) -> FileFix:
    return FileFix(path=path, sha256=digest_of_bytes(before.encode()), text=after, patch=unified(path, before, after))
