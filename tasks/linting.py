"""The lint survey: what ruff finds, by a fixed set of rules."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.scans import BatchScan
from contracts.surveys import LintHit, LintSurvey
from echelon import Handoffs, Outcome, Workspace, agent
from tasks.discovery import discover
from tasks.scanning.scanned import unread_in
from tasks.severities import IGNORE, SELECT, severity_of
from tasks.sources import CleanCopy, clean_copy
from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool

#: Code under audit is judged by fixed rules, never by its own configuration.
RUFF = ("ruff", "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--exit-zero")
RULES = ("--config=exclude=[]", f"--select={SELECT}", f"--ignore={IGNORE}")

#: What a finding is called that belongs to no rule.
NO_RULE = "invalid-syntax"


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS + 60)
def lint(
    scan: Handoffs[BatchScan], path: Path, exclude: Sequence[str], max_bytes: int, workspace: Workspace
) -> Outcome[LintSurvey]:
    """Find broken rules and security problems in all modules."""
    with clean_copy(path, discover(path, exclude), max_bytes, workspace, unread_in(scan)) as copy:
        survey = lint_copy(copy)
        total = sum(map(len, survey.modules.values()))
        return Outcome(
            output=survey,
            summary=f"{total} lint findings in {len(survey.modules)} of {len(copy.modules)} modules",
        )


def lint_copy(copy: CleanCopy) -> LintSurvey:
    """Return what ruff finds in a copy."""
    done = run_tool(*RUFF, "--output-format=json", *RULES, ".", cwd=copy.root)
    found: dict[str, list[LintHit]] = defaultdict(list)
    for hit in json.loads(done.stdout or "[]"):
        module = copy.module_of(hit["filename"])
        if module is not None:
            found[module].append(_hit(hit))
    return LintSurvey(modules={module: tuple(hits) for module, hits in found.items()}, unread=copy.unread)


def _hit(hit: dict[str, Any]) -> LintHit:
    rule = hit["code"] or "E999"
    return LintHit(
        rule=rule,
        name=hit.get("name") or NO_RULE,
        line=max(1, hit["location"]["row"]),
        message=hit["message"],
        severity=severity_of(rule),
    )
