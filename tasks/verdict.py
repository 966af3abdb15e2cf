"""What is said about the whole: the verdict, the packages, the tools, and what to keep in mind. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.reports import AreaReport, ChangeReport, Hotspot, ModuleRow, PackageRow, ToolRow
from contracts.surveys import AnySurvey, HistorySurvey, PackageLinks
from echelon import Handoffs
from echelon.model.phrasing import count
from tasks.lookup import absent


def verdict_of(
    path: Path, area: AreaReport, hotspots: Sequence[Hotspot], comparison: ChangeReport | None, modules: int = 0
) -> tuple[str, ...]:
    """Return the result in three sentences: what was looked at, what is risky, what changed.

    `modules` is how many there are, whether they are inspected or not.
    """
    if not area.rows and not area.missing and not modules:
        return (f"There are no Python files below {path}, so there is nothing to audit.",)
    return (_extent(area, modules), _danger(area, hotspots), _trend(comparison))


def _extent(area: AreaReport, modules: int) -> str:
    packages = len({row.package for row in area.rows})
    missing = len(area.missing)
    left_out = f"; {count(missing, 'module')} could not be and {'is' if missing == 1 else 'are'} listed below"
    extent = f"{count(len(area.rows), 'module')} in {count(packages, 'package')} ({area.lines:,} lines)"
    inspected = f"{extent} {_was(len(area.rows))} inspected"
    return f"{inspected}{left_out if missing else ''}{_rest(modules - len(area.rows) - missing)}."


def _rest(others: int) -> str:
    return "" if others <= 0 else f"; {count(others, 'module')} did not change, and {_was(others)} not looked at"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _danger(area: AreaReport, hotspots: Sequence[Hotspot]) -> str:
    if not hotspots:
        return "No module is risky enough to act on."
    signals = len(area.signals)
    found = count(signals, "critical finding")
    urgent = f"{found} (code or commands that are run) need{'s' * (signals == 1)} a look today" if signals else ""
    start = f"Start with {hotspots[0].path}: {hotspots[0].reason[0].lower()}{hotspots[0].reason[1:].rstrip('.')}"
    return f"{start}{f'; {urgent}' if urgent else ''}."


def _trend(comparison: ChangeReport | None) -> str:
    if comparison is None:
        return "There is no earlier run to compare with."
    worse, better = len(comparison.worse), len(comparison.better)
    if not worse and not better:
        return "No module got notably better or worse since the last run."
    return f"Since the last run {count(worse, 'module')} got worse and {better:,} better."


def package_rows(rows: Sequence[ModuleRow], links: Mapping[str, PackageLinks]) -> tuple[PackageRow, ...]:
    """Sum up modules by package, the riskiest package first."""
    members: dict[str, list[ModuleRow]] = defaultdict(list)
    for row in rows:
        members[row.package].append(row)
    made = [_package_row(name, found, links.get(name, PackageLinks())) for name, found in members.items()]
    return tuple(sorted(made, key=lambda row: (-row.risk, row.package)))


def _package_row(name: str, rows: Sequence[ModuleRow], links: PackageLinks) -> PackageRow:
    lines = sum(row.lines for row in rows)
    return PackageRow(
        package=name,
        modules=len(rows),
        lines=lines,
        risk=round(sum(row.risk * row.lines for row in rows) / lines, 4) if lines else 0.0,
        worst=max(rows, key=lambda row: row.risk).path,
        imports=len(links.imports),
        imported_by=len(links.imported_by),
    )


def tool_rows(survey: Handoffs[AnySurvey]) -> tuple[ToolRow, ...]:
    """Return what each tool said, and which ones did not answer."""
    said = [ToolRow(tool=_tool(received.task_id), said=received.summary) for received in survey]
    failed = [ToolRow(tool=_tool(missing.task_id), said=f"no answer: {missing.reason}") for missing in survey.missing]
    return (*said, *failed)


def notes_of(survey: Handoffs[AnySurvey], history: HistorySurvey, changed_since: str | None = None) -> tuple[str, ...]:
    """Return what a reader has to know to trust the numbers no further than they go."""
    notes = [f"The {name.replace('_', ' ')} survey is missing: risks are judged without it." for name in absent(survey)]
    if changed_since:
        notes.append(
            f"Only what changed since {changed_since}, and what depends on it, was inspected and is ranked; "
            "findings in all other modules stand as they did."
        )
    if history.note:
        notes.append(f"{history.note[0].upper()}{history.note[1:]}.")
    if not history.modules:
        notes.append("Without history the ranking is risk × reach; how often a module changes is not in it.")
    return tuple(notes)


def _tool(task_id: str) -> str:
    return task_id.rpartition("/")[2].replace("_", " ")
