"""What may be changed, for the report of the audit; and what became of that, when the report is written. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from contracts.fixes import CheckedFixes, FixProposal, FixReport
from echelon import Handoffs, RunView

#: The phases that deliver something at the end of an audit that mends.
_REPORTS, _APPLIES = "rank", "apply"


class FixOutcome(NamedTuple):
    """What became of the fixes."""

    applied: bool
    """Are the files changed?"""
    why_not: str
    """Why they are not; empty when they are."""


def fixes_of(fix: Handoffs[FixProposal], recheck: Handoffs[CheckedFixes]) -> FixReport | None:
    """Return what may be changed; None for an audit that was not to mend."""
    missing = (*fix.missing, *recheck.missing)
    if not fix and not missing:
        return None
    checked = CheckedFixes() if not recheck else recheck[0].load()
    left = {name: why for made in fix.outputs() for name, why in made.left.items()}
    nothing = missing[0].reason if missing else "nothing could be mended safely"
    return FixReport(
        nothing="" if checked.files else nothing,
        gone=checked.gone,
        refused=left | checked.refused,
        patch=checked.patch,
    )


def audit_in(output: object) -> object:
    """Return the report in the output of an audit: beside it, that of one that mends says what was changed."""
    return cast("Mapping[str, Any]", output).get(_REPORTS, output)


def outcome_of(run: RunView, fixes: FixReport | None) -> FixOutcome | None:
    """Return what became of the fixes; None for an audit that was not to mend."""
    if fixes is None:
        return None
    delivered = cast("Mapping[str, Any]", run.output)
    if delivered.get(_APPLIES):
        return FixOutcome(applied=True, why_not="")
    lost = next((one.reason for one in run.missing if one.task_id.startswith(f"{_APPLIES}/")), "it was not begun")
    return FixOutcome(applied=False, why_not=fixes.nothing or lost)
