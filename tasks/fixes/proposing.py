"""What the linter can mend safely in the hotspots of an audit, on a copy: nothing in the audited folder is changed."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from contracts.fixes import FileFix, FixProposal
from contracts.modules import Module
from contracts.reports import AreaReport
from contracts.surveys import AnySurvey, HistorySurvey, ImportSurvey, InventorySurvey, LintSurvey
from echelon import AgentFailed, Handoffs, Outcome, Workspace, agent
from echelon.model.phrasing import count
from tasks.areas import area_of
from tasks.diffs import unified
from tasks.fixes.wanted import shortfall_of
from tasks.linting import RUFF, RULES
from tasks.lookup import survey_of
from tasks.ranking import hottest, rank
from tasks.sources import UnreadableError, decode, harmless, parse, read_as_listed
from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool
from tasks.writing import digest_of_bytes

#: Fixes that keep what the code does, by the word of ruff; it has others, which may not.
_FIX = ("--fix-only", "--no-unsafe-fixes", "--quiet")


@agent(timeout=TOOL_TIMEOUT_SECONDS + 60)
def fix_hotspots(
    inspect: Handoffs[AreaReport], survey: Handoffs[AnySurvey], path: Path, max_bytes: int, workspace: Workspace
) -> Outcome[FixProposal]:
    """Mend in the hotspots what the linter can mend safely, on a copy."""
    listed, hits = survey_of(survey, InventorySurvey).modules, survey_of(survey, LintSurvey).modules
    originals: dict[str, str] = {}
    left: dict[str, str] = {}
    for name in sorted(set(hotspots_in(inspect, survey)) & hits.keys()):
        try:
            module = Module(path=name, package=listed[name].package)
            originals[name] = utf8(read_as_listed(path, module, max_bytes, listed[name].sha256))
        except (AgentFailed, UnreadableError) as reason:
            left[name] = str(reason)
    mended = {name: text for name, text in mend_copies(originals, workspace).items() if text != originals[name]}
    left |= {name: why for name, text in mended.items() if (why := why_no_python(text))}
    files = [_fix(name, originals[name], text) for name, text in mended.items() if name not in left]
    return Outcome(
        output=FixProposal(files=tuple(files), left=left),
        summary=f"{count(len(files), 'hotspot')} can be mended safely" + (f", {len(left)} left" if left else ""),
        shortfall=shortfall_of(left),
    )


def hotspots_in(inspect: Handoffs[AreaReport], survey: Handoffs[AnySurvey]) -> list[str]:
    """Return the modules that the audit will call hotspots."""
    links, changes = survey_of(survey, ImportSurvey).modules, survey_of(survey, HistorySurvey).modules
    return [one.row.path for one in hottest(rank(area_of(inspect).rows, links, changes))]


def utf8(raw: bytes) -> str:
    """Return a module as text, with its line ends; `UnreadableError` for one that Python reads as something else."""
    decode(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("it is not UTF-8, so that no patch can be made of it; save it as UTF-8") from error


def mend_copies(originals: Mapping[str, str], workspace: Path) -> dict[str, str]:
    """Return each text as ruff mends it."""
    if not originals:
        return {}
    copies = {name: workspace / harmless(name) for name in originals}
    try:
        for name, copy in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(originals[name].encode())
        run_tool(*RUFF, *_FIX, *RULES, ".", cwd=workspace)
        return {name: copy.read_bytes().decode() for name, copy in copies.items()}
    finally:
        shutil.rmtree(workspace)


def why_no_python(text: str) -> str:
    """Say why what ruff made is not to be used: it does not parse; empty when it does."""
    try:
        parse(text.removeprefix("\ufeff"))
    except UnreadableError as reason:
        return f"what ruff made of it cannot be used: {reason}"
    return ""


def _fix(name: str, before: str, after: str) -> FileFix:
    return FileFix(path=name, sha256=digest_of_bytes(before.encode()), text=after, patch=unified(name, before, after))
