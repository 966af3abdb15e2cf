"""The report of a run, for jobs that bring none of their own; and the page that others may extend.

A report of a job's own is a Jinja2 template that extends `page.html` or imports `sections.html`, rendered in
`report_environment`: escaping is on, because names, messages and model output are text that nobody has vouched for.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from echelon.model.adapter import JsonObject
from echelon.model.concern import URGENCY, ConcernRecord
from echelon.model.costs.measures import Measures
from echelon.model.handoff import Missing
from echelon.model.phrasing import duration, one_line, printable, size, tally
from echelon.model.run import MissingGroup, RunView
from echelon.oversight.wording import filtering_lines, notes_of
from echelon.visibility.autonomy import approvals_line, autonomy_lines
from echelon.visibility.comparison import compare
from echelon.visibility.conflicts import conflict_lines
from echelon.visibility.costs.picture import account_svg
from echelon.visibility.costs.tables import account_lines, measure_lines, success_line
from echelon.visibility.levels import age_lines, attention_lines, level_lines
from echelon.visibility.pictures import phases_svg, structure_svg, timeline_svg
from echelon.visibility.rest import rest_lines
from echelon.visibility.spent import spent_line, total_cost
from echelon.visibility.statistics import statistics_lines, statistics_of
from echelon.visibility.synchronising import drift_lines, stopped_lines, wave_lines
from echelon.visibility.traces.trace import trace_command, traced_agents
from echelon.visibility.unchecked import judged_lines, unchecked_lines
from echelon.visibility.voices.proposals import proposal_groups

_TEMPLATES = Path(__file__).parent / "templates"

#: Conflicts that a report names.
MAX_CONFLICTS = 50

#: What ends a code span, or a cell of a table, or is taken for HTML by careless readers of Markdown.
_BREAKING = frozenset("`|<>&")

#: The most that is shown of one value of an output, in characters: a report is to be read.
MAX_VALUE = 20_000


def default_report(run: RunView, budgets: Sequence[str] = ()) -> dict[str, str]:
    """Return report.md and report.html: what was asked, how it was organised, what came of it and what did not.

    `budgets` say what is left of the budgets of a day or a month (F10).
    """
    environment = report_environment()
    context = {**report_context(run), "budgets": budgets}
    return {name: environment.get_template(f"run.{name}.j2").render(context) for name in ("report.md", "report.html")}


def shown(value: object) -> str:
    """Return a value of an output as a report shows it: the beginning of one that nobody would read to its end."""
    text = str(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text):,} characters; `echelon show` has all)"


@cache
def report_environment(*folders: Path) -> Environment:
    """Return an environment that finds templates in `folders` first, then ours; everything is escaped.

    One for each choice of folders, since it keeps the templates it has compiled.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, _TEMPLATES]),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = cast("Any", environment).filters  # Jinja2 does not say of what they are
    filters.update(md=in_markdown, code=as_code, shown=shown, share=_share, seconds=duration)
    filters.update(notes=notes_of, filtering=filtering_lines)
    return environment


def report_context(run: RunView) -> JsonObject:
    """Return what the templates of every report know about a run."""
    plan = run.record.plan
    return {
        "run": run,
        "plan": plan,
        "grouped": partial(_grouped, run),
        "rest": rest_lines(run.rest, _currency(run)) if run.rest else (),
        "counted": "; ".join([tally(run.launched, run.returned, len(run.missing)), *judged_lines(run.judged)]),
        "concerns": sorted(run.concerns, key=_urgency),
        "proposals": proposal_groups(run.proposals),
        "conflicts": conflict_lines(run.conflicts, MAX_CONFLICTS),
        "measures": measure_rows(run),
        "graded": measure_lines(run.graded),
        "account": account_lines(run.account, _currency(run)) if run.account.rows else (),
        "account_picture": Markup(account_svg(run.account)),  # noqa: S704 - built from escaped elements
        "retrospective": run.retrospective.lines if run.retrospective else (),
        "traces": traced_agents(run),
        "trace_command": partial(trace_command, run.record.run_id),
        "incidents": run.incidents,
        "levels": level_lines(run.visibility),
        "attention": attention_lines(run.visibility.alerts),
        "ages": age_lines(run.visibility),
        "statistics": statistics_lines(found) if (found := statistics_of(run)) else (),
        "phase_notes": _phase_notes(run),
        "drift": drift_lines(run.sync),
        "waves": wave_lines(run.sync),
        "stopped": stopped_lines(run.sync),
        "structure": Markup(structure_svg(plan)) if plan else "",  # noqa: S704 - built from escaped elements
        "phases": Markup(phases_svg(plan)) if plan and len(plan.phases) + len(plan.open) > 1 else "",  # noqa: S704 - same
        "timeline": Markup(timeline_svg(run)) if run.steps else "",  # noqa: S704 - built from escaped elements
    }


def _phase_notes(run: RunView) -> dict[str, str]:
    """Return what is to be said of phases that were skipped or repeated (X12), and of work kept of earlier runs."""
    kept = {phase: changes.said for phase, changes in run.items.items() if changes.since_run}
    notes = {phase.name: phase.note for phase in run.phases if phase.note}
    return {**{phase: f"skipped: {reason}" for phase, reason in run.skipped.items()}, **kept, **notes}


def _waiting(found: Measures) -> Iterator[tuple[str, str, str]]:
    limited = found.waiting - found.waiting_for_person
    for name, number in (("a person", found.waiting_for_person), ("a quota or a budget", limited)):
        if number:
            yield f"Tasks waiting for {name}", f"{number:,}", ""


def measure_rows(run: RunView) -> list[tuple[str, str, str]]:
    """Return what was measured beside what was expected: name, measured, forecast or target (M)."""
    found = run.measures
    return [
        ("Wall time", duration(found.seconds), ""),
        ("From the first start to the last end", _makespan(found), _forecast_seconds(run)),
        ("Agents", f"{found.agents:,}", f"{run.record.plan.n_agents:,}" if run.record.plan else ""),
        ("Tasks completed, failed", f"{found.completed:,}, {found.failed:,}", ""),
        *_waiting(found),
        *([("Tasks that succeeded", line, "")] if (line := success_line(found.success)) else []),
        *([("Tasks kept of earlier runs", f"{found.kept:,}", "")] if found.kept else []),
        ("Coordination, share of the total", _share(found.coordination_ratio), _forecast_overhead(run)),
        ("Integration, share of working time", _share(found.integration_share), "at most 30 %"),
        ("Done at the first attempt", _share(found.first_try_rate), "above 70 %"),
        ("Tasks that raised something urgent", _share(found.escalation_rate), "5–20 %"),
        ("Working time over makespan", _times(found), ""),
        ("Tasks that a fallback stands in for", f"{found.fallbacks:,}", ""),
        ("Tasks whose checks gave no verdict", f"{found.unverified:,}", "0"),
        *((("Results judged by others", line, "")) for line in judged_lines(run.judged)),
        ("Integrations without rework", _share(found.sound_integrations), "above 90 %"),
        *(("Stated in words, checked by nobody", line, "") for line in unchecked_lines(run.unchecked)),
        *(("How far an agent proceeds", line, "") for line in autonomy_lines(run.autonomy)),
        *([("Results that somebody decides about", line, "")] if (line := approvals_line(run.approvals)) else []),
        ("Tokens", "not known" if found.tokens is None else f"{found.tokens:,}", _forecast_tokens(run)),
        ("Cost", total_cost(found, _currency(run)).removeprefix("cost "), _forecast_cost(run)),
        *(("Used", spent_line(one, _currency(run)), "") for one in found.spent),
        ("Handed on by reference", size(found.bytes_by_reference), ""),
        ("Passed by value", f"{size(found.bytes_by_value)}, about {found.tokens_by_value:,} tokens", ""),
        ("Repaired to fit the contract", f"{found.repaired:,}", ""),
    ]


def in_markdown(text: object) -> str:
    """Return text that Markdown shows as it is, on one line."""
    line = printable(one_line(text))
    safe = re.sub(r"([\\`*_{}\[\]#|~!])", r"\\\1", line)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_code(text: object) -> str:
    """Return text as a code span of Markdown; as plain text when it could break out of one."""
    line = printable(one_line(text))
    return f"`{line}`" if line and _BREAKING.isdisjoint(line) else in_markdown(line)


def _grouped(run: RunView, missing: Iterable[Missing]) -> list[tuple[MissingGroup, list[Missing]]]:
    """Return what is missing by cause: each group with those of `missing` that belong to it."""
    known = {one.task_id: one for one in missing}
    found = [(group, [known[task] for task in group.tasks if task in known]) for group in run.missing_by_cause]
    return [(group, members) for group, members in found if members]


def _urgency(record: ConcernRecord) -> tuple[int, float]:
    concern = record.concern
    return URGENCY.index(record.route), -concern.impact * concern.confidence


def _makespan(found: Measures) -> str:
    return "not known" if found.makespan_seconds is None else duration(found.makespan_seconds)


def _forecast_seconds(run: RunView) -> str:
    """Return the forecast with how far the run was off: what makes the next one worth reading."""
    if run.record.plan is None or run.record.plan.makespan.predicted is None:
        return ""
    made, (time, *_) = run.record.plan.makespan, compare(run.record.plan, run.measures)
    width = "" if made.max_concurrency is None else f" with {made.max_concurrency:,} at a time"
    off = "" if time.off is None else f" ({time.off:+.0%})"
    return f"{duration(made.predicted or 0.0)}{width}{off}"


def _forecast_tokens(run: RunView) -> str:
    tokens = run.record.plan.spending.tokens if run.record.plan else None
    return "" if tokens is None else f"{tokens.low:,.0f}–{tokens.high:,.0f}"


def _currency(run: RunView) -> str | None:
    return run.record.plan.spending.currency if run.record.plan else None


def _forecast_cost(run: RunView) -> str:
    cost = run.record.plan.spending.cost if run.record.plan else None
    return "" if cost is None else f"{cost.low:,.2f}–{cost.high:,.2f} {_currency(run) or ''}".strip()


def _forecast_overhead(run: RunView) -> str:
    return _share(run.record.plan.overhead.predicted) if run.record.plan else ""


def _times(found: Measures) -> str:
    return "not known" if found.speedup is None else f"{found.speedup:.1f} ×"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1%}".replace("%", " %")
