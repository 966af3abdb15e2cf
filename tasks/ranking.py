"""Ranking: which modules deserve attention first.

`score = risk × f(churn) × f(reach)` with `f(x) = 0.4 + 0.6·x`, so that a risky module that rests, or that nothing
depends on, still counts. Churn is `log(1 + commits) / log(1 + most commits)` of the history looked at, reach the same
of the modules that depend on a module, directly or not; the most is taken as ten at least, so that in a small tree one
commit or one dependent is not much. Without history the score is risk × f(reach).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.fixes import CheckedFixes, FixProposal
from contracts.modules import Kind, Module, Observation
from contracts.reports import AreaReport, AuditReport, Hotspot, ModuleRow, Tile
from contracts.surveys import AnySurvey, FileChanges, HistorySurvey, ImportSurvey, InventorySurvey, Links
from echelon import Handoffs, Outcome, Previous, agent
from echelon.model.phrasing import count
from tasks.areas import area_of
from tasks.baseline.comparing import compare, standing_parts, standing_signals
from tasks.baseline.scoping import scope_of
from tasks.baseline.tracking import track
from tasks.fixes.reporting import fixes_of
from tasks.lookup import survey_of
from tasks.scoring import by_weight
from tasks.verdict import notes_of, package_rows, tool_rows, verdict_of

#: How many modules are ranked; from a risk below the bound on nobody needs to act.
MAX_HOTSPOTS = 20
MIN_RISK = 0.1
#: What is left of a score when nothing changes, or nothing depends on it.
_FLOOR = 0.4
#: What counts as much at least, of commits and of dependents.
_MUCH = 10

#: The weightiest part of the risk → what to do first.
_ACTIONS: dict[Kind, str] = {
    Kind.COMPLEXITY: "Write tests that pin what {function} does today, then split it along its branches.",
    Kind.DEFECTS: "Go through the findings line by line, the most severe first; most are a change of one line.",
    Kind.SIZE: "Find the two or three subjects in this file and give each a module of its own.",
    Kind.MAINTAINABILITY: "Shorten and name: move long blocks into functions that say what they do.",
    Kind.DUPLICATION: "Move the longest piece that exists twice into one place, and use it from both.",
    Kind.CYCLE: "Break the cycle: move what both sides need into a module that imports neither.",
    Kind.DEAD_CODE: "Delete what is not used; version control keeps it.",
}


@dataclass(frozen=True)
class Standing:
    """A module with what its score is made of."""

    row: ModuleRow
    """What the inspection says."""
    churn: float | None
    """How often it changes, relative to the others; None without history."""
    reach: float
    """How much depends on it, relative to the others."""

    @property
    def score(self) -> float:
        """Risk × churn × reach, see the top of the module."""
        churn = 1.0 if self.churn is None else _FLOOR + (1 - _FLOOR) * self.churn
        return round(self.row.risk * churn * (_FLOOR + (1 - _FLOOR) * self.reach), 4)


@agent(timeout=120)
def rank_hotspots(
    *,
    inspect: Handoffs[AreaReport],
    survey: Handoffs[AnySurvey],
    previous: Previous[AuditReport],
    fix: Handoffs[FixProposal],
    recheck: Handoffs[CheckedFixes],
    path: Path,
    changed_since: str | None = None,
) -> Outcome[AuditReport]:
    """Rank what deserves attention first, and say what changed since the last run and what may be mended."""
    area = area_of(inspect)
    imports, history = survey_of(survey, ImportSurvey), survey_of(survey, HistorySurvey)
    standings = rank(area.rows, imports.modules, history.modules)
    hotspots = tuple(hotspot(standing, imports, history) for standing in hottest(standings))
    before, inventory = previous.load(), survey_of(survey, InventorySurvey)
    scope = scope_of(path, area, survey, before, changed_since)
    comparison = compare(area, before, scope)
    report = AuditReport(
        root=str(path),
        verdict=verdict_of(path, area, hotspots, comparison, len(inventory.modules)),
        hotspots=hotspots,
        tiles=tuple(_tile(standing) for standing in standings),
        parts=standing_parts(before, scope) | {row.path: row.parts for row in area.rows},
        findings=track(area.findings, before.findings if before else None, scope),
        files={name: file.sha256 for name, file in inventory.modules.items()},
        commit=inventory.commit,
        prefix=inventory.prefix,
        since=inventory.since,
        packages=package_rows(area.rows, imports.packages),
        cycles=imports.cycles,
        signals=(*area.signals, *standing_signals(before, scope)),
        comparison=comparison,
        tools=tool_rows(survey),
        notes=notes_of(survey, history, changed_since),
        missing=(*area.missing, *survey.missing),
        fixes=fixes_of(fix, recheck),
    )
    return Outcome(output=report, summary=" ".join(report.verdict))


def rank(rows: Sequence[ModuleRow], links: Mapping[str, Links], changes: Mapping[str, FileChanges]) -> list[Standing]:
    """Put modules in order, the highest score first."""
    most_commits = max((change.commits for change in changes.values()), default=0)
    most_reach = max((link.reach for link in links.values()), default=0)
    standings = [
        Standing(
            row,
            _relative(changes[row.path].commits if row.path in changes else 0, most_commits) if changes else None,
            _relative(links[row.path].reach if row.path in links else 0, most_reach),
        )
        for row in rows
    ]
    return sorted(standings, key=lambda standing: (-standing.score, -standing.row.risk, standing.row.path))


def hottest(standings: Sequence[Standing]) -> list[Standing]:
    """Return those that are hotspots, of modules in order."""
    return [standing for standing in standings[:MAX_HOTSPOTS] if standing.row.risk >= MIN_RISK]


def _relative(value: int, most: int) -> float:
    return round(math.log1p(value) / math.log1p(max(most, _MUCH)), 4)


def hotspot(standing: Standing, imports: ImportSurvey, history: HistorySurvey) -> Hotspot:
    """Say why a module ranks where it does, with everything that this rests on."""
    row = standing.row
    links, changes = imports.modules.get(row.path, Links()), history.modules.get(row.path)
    return Hotspot(
        path=row.path,
        package=row.package,
        lines=row.lines,
        score=standing.score,
        risk=row.risk,
        churn=standing.churn,
        reach=standing.reach,
        reason=_reason(row, links, changes),
        action=_action(row),
        evidence=(*row.evidence, *_around(links, changes, history.commits)),
    )


def _reason(row: ModuleRow, links: Links, changes: FileChanges | None) -> str:
    worst = [kind.value.replace("_", " ") for kind in by_weight(row.parts)[:2]]
    parts = [f"Risk {row.risk:.2f}, mainly {' and '.join(worst)}"]
    if changes:
        parts.append(f"{count(changes.commits, 'commit')} by {count(changes.authors, 'author')}")
    parts.append(f"{count(links.reach, 'module')} may break with it" if links.reach else "nothing here depends on it")
    return "; ".join(parts) + "."


def _action(row: ModuleRow) -> str:
    order = by_weight(row.parts)
    function = next((fact.text.split()[0] for fact in row.evidence if fact.kind is Kind.COMPLEXITY), "its functions")
    return _ACTIONS[order[0]].format(function=function) if order else "Nothing to do."


def _around(links: Links, changes: FileChanges | None, commits: int) -> tuple[Observation, ...]:
    found: list[Observation] = []
    if changes:
        text = f"changed in {changes.commits} of {commits} commits by {count(changes.authors, 'author')}"
        if changes.together_with:
            text += f", usually together with {', '.join(changes.together_with)}"
        found.append(Observation(kind=Kind.CHURN, text=text))
    if links.reach:
        text = f"{count(links.reach, 'module')} depend{'s' * (links.reach == 1)} on it, {links.imported_by} directly"
        found.append(Observation(kind=Kind.REACH, text=text))
    return tuple(found)


def _tile(standing: Standing) -> Tile:
    row = standing.row
    module = Module(path=row.path, package=row.package)
    return Tile(module=module, lines=row.lines, risk=row.risk, score=standing.score)
