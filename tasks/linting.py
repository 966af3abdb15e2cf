"""The lint survey: what ruff finds, by a fixed set of rules."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.surveys import LintHit, LintSurvey
from echelon import Outcome, Workspace, agent
from tasks.discovery import discover
from tasks.severities import IGNORE, SELECT, severity_of
from tasks.sources import clean_copy
from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool

#: Code under audit is judged by fixed rules, never by its own configuration.
_RUFF = ("ruff", "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--exit-zero", "--output-format=json")


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS + 60)
def lint(path: Path, exclude: Sequence[str], max_bytes: int, workspace: Workspace) -> Outcome[LintSurvey]:
    """Find broken rules and security problems in all modules."""
    with clean_copy(path, discover(path, exclude), max_bytes, workspace) as copy:
        done = run_tool(*_RUFF, "--config=exclude=[]", f"--select={SELECT}", f"--ignore={IGNORE}", ".", cwd=copy.root)
        found: dict[str, list[LintHit]] = defaultdict(list)
        for hit in json.loads(done.stdout or "[]"):
            module = copy.module_of(hit["filename"])
            if module is not None:
                found[module].append(_hit(hit))
        survey = LintSurvey(modules={module: tuple(hits) for module, hits in found.items()}, unread=copy.unread)
        total = sum(map(len, found.values()))
        return Outcome(
            output=survey,
            summary=f"{total} lint findings in {len(found)} of {len(copy.modules)} modules",
        )


def _hit(hit: dict[str, Any]) -> LintHit:
    rule = hit["code"] or "E999"
    return LintHit(
        rule=rule,
        name=hit.get("name") or "invalid-syntax",
        line=max(1, hit["location"]["row"]),
        message=hit["message"],
        severity=severity_of(rule),
    )
