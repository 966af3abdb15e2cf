"""What a run looked at, against what the one before knew: the one place that looks at the disk and asks git for it."""

import os
from collections.abc import Collection
from pathlib import Path

from contracts.reports import AreaReport, AuditReport
from contracts.surveys import (
    AnySurvey,
    DeadCodeSurvey,
    DuplicationSurvey,
    ImportSurvey,
    InventorySurvey,
    LintSurvey,
    Survey,
)
from echelon import Handoffs
from tasks.baseline.since import moved_modules, renamed_between
from tasks.baseline.tracking import Scope
from tasks.lookup import absent, survey_of, tool_of

#: Surveys that find something in a module.
_FINDING: tuple[type[Survey], ...] = (LintSurvey, DeadCodeSurvey, DuplicationSurvey, ImportSurvey)


def scope_of(
    path: Path, area: AreaReport, survey: Handoffs[AnySurvey], before: AuditReport | None, changed_since: str | None
) -> Scope:
    """Return what was looked at, and what became of the modules that the run before knew."""
    inventory = survey_of(survey, InventorySurvey)
    inspected = {row.path for row in area.rows}
    listed = inventory.modules.keys() | inspected
    known = before.parts.keys() | before.files.keys() | {one.path for one in before.findings} if before else set[str]()
    unlisted = sorted(known - listed)
    there = {name for name in unlisted if os.path.lexists(path / name)}
    moved = _moved(path, inventory, set(unlisted) - there, before) if before else {}
    failed = {one.task_id.partition("/")[2] for one in area.missing}
    since = f"it has not changed since {changed_since}" if changed_since else "it was not inspected"
    return Scope(
        inspected=inspected,
        listed=listed,
        excluded=there,
        unseen=_unseen(survey),
        moved=moved,
        failed=failed,
        why_not=since,
    )


def _unseen(survey: Handoffs[AnySurvey]) -> dict[str, Collection[str]]:
    lacking = absent(survey)
    said = {tool_of(contract): survey_of(survey, contract).unread.keys() for contract in _FINDING}
    return {tool: ("*",) if tool in lacking else tuple(unread) for tool, unread in said.items()}


def _moved(path: Path, inventory: InventorySurvey, gone: Collection[str], before: AuditReport) -> dict[str, str]:
    """Return what was renamed: what git says between the two commits, and what has the same content."""
    added = inventory.modules.keys() - before.files.keys()
    if not gone or not added:
        return {}
    now = {name: file.sha256 for name, file in inventory.modules.items()}
    same = moved_modules(gone, added, before.files, now)
    told: dict[str, str] = {}
    if before.commit and inventory.commit and before.commit != inventory.commit:
        told = renamed_between(path, before.commit, inventory.commit)
    taken = set(same.values())
    return {old: new for old, new in told.items() if old in gone and new in added and new not in taken} | same
