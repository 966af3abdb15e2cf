"""The report of the audit: one page that needs nothing else, the same as Markdown, and what a CI system takes."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from markupsafe import Markup

from contracts.findings import FindingState
from contracts.reports import AuditReport, Hotspot, Tile
from echelon import RunView
from echelon.model.phrasing import tally
from echelon.visibility.pictures import TreemapItem, treemap_svg
from echelon.visibility.report import default_report, report_context, report_environment
from echelon.visibility.svg import standalone
from tasks.fixes.reporting import audit_in, outcome_of
from tasks.sarif import sarif
from tasks.severities import WORST_FIRST

_TEMPLATES = Path(__file__).parent / "templates"
#: So many of each kind are named in the summary of a job.
_SUMMED_UP = 10


def render(run: RunView) -> dict[str, str | bytes]:
    """Return report.md, report.html, hotspots.svg, fixes.patch, and for CI systems summary.md and audit.sarif.

    Of a run without a result there is what is known about the run, and no SARIF: an empty one would say that all is
    well.
    """
    environment = report_environment(_TEMPLATES)
    if run.output is None:
        summary = environment.get_template("audit.failed.md.j2").render(_summed_up(run))
        return {**default_report(run), "summary.md": summary}
    report = AuditReport.model_validate(audit_in(run.output))
    fixed = outcome_of(run, report.fixes)
    context = {**report_context(run), **_context(report), "fixed": fixed}
    files: dict[str, str | bytes] = {"hotspots.svg": standalone(context["treemap"])} if report.tiles else {}
    for name in ("report.md", "report.html"):
        files[name] = environment.get_template(f"audit.{name}.j2").render(context)
    summed_up = {**_summed_up(run), **_states(report), "report": report, "fixed": fixed}
    files["summary.md"] = environment.get_template("audit.summary.md.j2").render(summed_up)
    files["audit.sarif"] = sarif(report, run.missing, version("echelon"))
    if report.fixes and report.fixes.patch:
        files["fixes.patch"] = report.fixes.patch
    return files


def _summed_up(run: RunView) -> dict[str, Any]:
    return {
        "run": run,
        "outcome": run.record.status.value,
        "counted": tally(run.launched, run.returned, len(run.missing)),
        "most": _SUMMED_UP,
    }


def _states(report: AuditReport) -> dict[str, Any]:
    """Return how many findings there are in each state, and those that came and went, the most severe first."""
    counted = Counter(one.state for one in report.findings)
    ordered = sorted(report.findings, key=lambda one: (WORST_FIRST.index(one.severity), one.path, one.line))
    return {
        "states": {state.value: counted[state] for state in FindingState},
        "new": [one for one in ordered if one.state is FindingState.NEW],
        "closed": [one for one in ordered if one.state is FindingState.CLOSED],
    }


def _context(report: AuditReport) -> dict[str, Any]:
    tiles = treemap_svg((_item(tile) for tile in report.tiles), title="Modules by size and hotspot score")
    return {
        "report": report,
        **_states(report),
        "lines": sum(tile.lines for tile in report.tiles),
        "treemap": Markup(tiles) if report.tiles else "",  # noqa: S704 - built from escaped elements
        "meters": _meters,
    }


def _item(tile: Tile) -> TreemapItem:
    name = tile.module.path.rpartition("/")[2]
    return TreemapItem(
        group=tuple(tile.module.package.split(".")),
        label=name.removesuffix(".py"),
        size=tile.lines,
        heat=tile.score,
        title=f"{tile.module.path}: {tile.lines:,} lines, risk {tile.risk:.2f}, hotspot score {tile.score:.2f}",
    )


def _meters(hotspot: Hotspot) -> list[tuple[str, float]]:
    """Return what a score is made of, as far as it is known."""
    named = (("risk", hotspot.risk), ("churn", hotspot.churn), ("reach", hotspot.reach))
    return [(name, value) for name, value in named if value is not None]
