"""The check of fixes: the tools of the audit look at a copy with them, and a command of the project tries it.

Nobody takes the word of who made them: that a fix is safe is what the linter says; what the tools find counts.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from contracts.fixes import CheckedFixes, FixProposal
from contracts.surveys import AnySurvey
from echelon import Handoffs, Outcome, Workspace, agent
from echelon.model.phrasing import count
from tasks.fixes.audited import AuditedTree
from tasks.fixes.comparing import Sifted
from tasks.fixes.trial import why_it_fails
from tasks.fixes.wanted import shortfall_of
from tasks.tools import TOOL_TIMEOUT_SECONDS


@agent(timeout=6 * TOOL_TIMEOUT_SECONDS, attempts=1)  # a command of the project may take its time
async def recheck_fixes(
    *,
    fix: Handoffs[FixProposal],
    survey: Handoffs[AnySurvey],
    path: Path,
    exclude: Sequence[str],
    max_bytes: int,
    check: Sequence[str],
    workspace: Workspace,
) -> Outcome[CheckedFixes]:
    """Look at the tree with the fixes as the audit looked at it without, and refuse those that make anything worse."""
    fixes = tuple(one for made in fix.outputs() for one in made.files)
    sifted = Sifted()
    if fixes:
        tree = AuditedTree(path=path, exclude=exclude, max_bytes=max_bytes, survey=survey, workspace=workspace)
        sifted = await asyncio.to_thread(tree.sift, fixes)
    if sifted.kept and check:
        failure = await why_it_fails(check, path, exclude, sifted.kept, workspace / "project")
        sifted = sifted.refusing_all(failure) if failure else sifted
    return _outcome(sifted)


def _outcome(sifted: Sifted) -> Outcome[CheckedFixes]:
    made = CheckedFixes(files=sifted.kept, gone=dict(sifted.gone), refused=dict(sifted.refused))
    said = f"{count(len(made.files), 'file')} to change, {count(sum(made.gone.values()), 'finding')} gone with that"
    return Outcome(
        output=made,
        summary=f"{said}, {count(len(made.refused), 'file')} refused" if made.refused else said,
        shortfall=shortfall_of(made.refused),
    )
