"""Integrating findings: a team's modules into an area, areas into larger ones (X8)."""

from collections.abc import Iterable

from contracts.modules import ModuleFinding
from contracts.reports import AreaReport, ModuleRow, Signal
from echelon import Handoffs, Outcome, integrator
from echelon.model.handoff import Missing

#: How many modules an area reports in full; the others stay behind their references.
WORST = 12
#: How many facts a row of the table keeps.
_FACTS = 6


@integrator(name="merge")
def sum_up(findings: Handoffs[ModuleFinding]) -> Outcome[AreaReport]:
    """Sum up the modules of one area, the riskiest first."""
    made = findings.outputs()
    area = AreaReport(
        rows=_ranked(_row(finding) for finding in made),
        worst=_worst(made),
        signals=tuple(Signal(path=one.module.path, evidence=fact) for one in made for fact in one.critical),
        findings=tuple(found for one in made for found in one.findings),
        missing=findings.missing,
        made_from=tuple(received.task_id for received in findings),
    )
    return Outcome(output=area, summary=_summary(area))


@sum_up.combine
def merge(reports: Handoffs[AreaReport]) -> Outcome[AreaReport]:
    """Sum up areas into a larger one; critical signals and what is missing pass as they are."""
    made = reports.outputs()
    area = AreaReport(
        rows=_ranked(row for report in made for row in report.rows),
        worst=_worst(finding for report in made for finding in report.worst),
        signals=tuple(signal for report in made for signal in report.signals),
        findings=tuple(found for report in made for found in report.findings),
        missing=_once([*(missing for report in made for missing in report.missing), *reports.missing]),
        made_from=tuple(received.task_id for received in reports),
    )
    return Outcome(output=area, summary=_summary(area))


def area_of(inspect: Handoffs[AreaReport]) -> AreaReport:
    """Return the whole of what inspections said."""
    assert merge.combiner is not None
    return merge.combiner(inspect).output


def _once(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    return tuple({one.task_id: one for one in missing}.values())


def _row(finding: ModuleFinding) -> ModuleRow:
    return ModuleRow(
        path=finding.module.path,
        package=finding.module.package,
        lines=finding.metrics.lines,
        risk=finding.risk,
        parts=finding.parts,
        evidence=finding.evidence[:_FACTS],
    )


def _ranked(rows: Iterable[ModuleRow]) -> tuple[ModuleRow, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.risk, row.path)))


def _worst(findings: Iterable[ModuleFinding]) -> tuple[ModuleFinding, ...]:
    return tuple(sorted(findings, key=lambda finding: (-finding.risk, finding.module.path))[:WORST])


def _summary(area: AreaReport) -> str:
    worst = f", worst {area.rows[0].path} ({area.rows[0].risk:.2f})" if area.rows else ""
    critical = f", {len(area.signals)} critical findings" if area.signals else ""
    missing = f", {len(area.missing)} missing" if area.missing else ""
    return f"{len(area.rows)} modules, {area.lines:,} lines{worst}{critical}{missing}"
