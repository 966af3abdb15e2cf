"""The duplication survey: what arid finds more than once."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from contracts.scans import BatchScan
from contracts.surveys import Clone, DuplicationSurvey
from echelon import Handoffs, Outcome, Workspace, agent
from tasks.discovery import discover
from tasks.scanning.scanned import unread_in
from tasks.sources import CleanCopy, clean_copy
from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool, unread_concerns

#: Lines, without comments, docstrings and imports, from which on two pieces of code count as the same.
MIN_LINES = 8
#: How many other places a clone names.
_NAMED = 3
_ARID = ("arid", "--no-config", "--json", "--keep-going", "--no-fail-on-findings", "--no-ignore-files", "--hidden")


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS + 60)
def duplication(
    scan: Handoffs[BatchScan], path: Path, exclude: Sequence[str], max_bytes: int, workspace: Workspace
) -> Outcome[DuplicationSurvey]:
    """Find code that exists more than once."""
    with clean_copy(path, discover(path, exclude), max_bytes, workspace, unread_in(scan)) as copy:
        survey, pieces = find_copies(copy)
        return Outcome(
            output=survey,
            summary=f"{pieces} pieces of code exist more than once, {survey.percent:.1f} % of all code",
            concerns=unread_concerns("duplication", survey, told=copy.unread),
        )


def find_copies(copy: CleanCopy) -> tuple[DuplicationSurvey, int]:
    """Return what arid finds in a copy, and how many pieces of code that is."""
    # Exit code 2 tells of files that it left out; the report is there all the same.
    done = run_tool(*_ARID, f"--min-lines={MIN_LINES}", ".", cwd=copy.root, allowed=(0, 2))
    report = json.loads(done.stdout)
    found: dict[str, list[Clone]] = defaultdict(list)
    for group in report["findings"]:
        for module, clone in _clones(copy, group["locations"]):
            found[module].append(clone)
    survey = DuplicationSurvey(
        modules={module: tuple(sorted(clones, key=lambda clone: clone.line)) for module, clones in found.items()},
        percent=report["duplication_percent"],
        unread={**copy.unread, **_unread(copy, report["errors"])},
    )
    return survey, len(report["findings"])


def _clones(copy: CleanCopy, locations: list[dict[str, Any]]) -> Iterator[tuple[str, Clone]]:
    places = [(copy.module_of(where["path"]), where) for where in locations]
    known = [(module, where) for module, where in places if module is not None]
    for module, where in known:
        others = [f"{other}:{place['start_line']}" for other, place in known if place is not where]
        yield module, Clone(line=where["start_line"], end_line=where["end_line"], others=tuple(others[:_NAMED]))


def _unread(copy: CleanCopy, errors: list[dict[str, Any]]) -> dict[str, str]:
    named = [(copy.module_of(error["path"]), error) for error in errors if error.get("path")]
    return {module: f"arid: {error.get('message', error)}" for module, error in named if module is not None}
