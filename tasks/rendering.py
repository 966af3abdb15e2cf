"""The report of the audit: one page that needs nothing else, and the same as Markdown."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from contracts.reports import AuditReport, Hotspot, Tile
from echelon import RunView
from echelon.visibility.pictures import TreemapItem, treemap_svg
from echelon.visibility.report import default_report, report_context, report_environment
from echelon.visibility.svg import standalone

_TEMPLATES = Path(__file__).parent / "templates"


def render(run: RunView) -> dict[str, str | bytes]:
    """Return report.md, report.html and hotspots.svg; of a run without a result, what is known about the run."""
    if run.output is None:
        return {**default_report(run)}
    report = AuditReport.model_validate(run.output)
    environment = report_environment(_TEMPLATES)
    context = {**report_context(run), **_context(report)}
    files: dict[str, str | bytes] = {"hotspots.svg": standalone(context["treemap"])} if report.tiles else {}
    for name in ("report.md", "report.html"):
        files[name] = environment.get_template(f"audit.{name}.j2").render(context)
    return files


def _context(report: AuditReport) -> dict[str, Any]:
    tiles = treemap_svg((_item(tile) for tile in report.tiles), title="Modules by size and hotspot score")
    return {
        "report": report,
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
