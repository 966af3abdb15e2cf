"""Concerns as lists, as one in full, and as documents: with their age, their count and what became of them (O1, O7)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.text import Text

from echelon.cli.views.output import facts, out
from echelon.model.adapter import JsonObject
from echelon.model.concern import CRITICAL, ConcernRecord, Disposition, Route
from echelon.model.phrasing import age, count, moment
from echelon.oversight.ageing import is_overdue
from echelon.oversight.attention import LINES_A_LEVEL, more_of
from echelon.oversight.conflicts.answered import is_about_conflict
from echelon.oversight.ledger import LedgerEntry
from echelon.oversight.wording import dismissed_said

STYLES = {Route.IMMEDIATE: "bold red", Route.HUMAN_REVIEW: "yellow", Route.NORMAL: "", Route.PATTERN_LOG: "dim"}


def document_of(record: ConcernRecord, entry: LedgerEntry, now: datetime) -> JsonObject:
    """Return one concern with what the ledger says of all that say the same."""
    return record.model_dump(mode="json") | {
        "job": entry.job,
        "count": entry.count,
        "runs": entry.runs,
        "first_seen": entry.first_seen.isoformat(),
        "last_seen": entry.last_seen.isoformat(),
        "age_seconds": (now - record.open_since).total_seconds() if record.is_open else None,
        "overdue": is_overdue(record, now),
        "dismissed_before": entry.dismissed_before(record),
        "filtering_failures": entry.filtering_failures,
    }


def show_entries(entries: Sequence[LedgerEntry], now: datetime, *, everything: bool) -> None:
    """Print entries, the overdue first; all that are critical, and of each other level a few unless all are wanted."""
    ordered = sorted(entries, key=lambda entry: not _is_overdue(entry, now))
    widest = max(len(_named(entry, now)) for entry in ordered)
    shown = {id(entry) for entry in (ordered if everything else _first(ordered))}
    rest = [record for entry in ordered if id(entry) not in shown for record in entry.open]
    for entry in ordered:
        if id(entry) in shown:
            _show_entry(entry, now, widest)
    if more := more_of(rest):
        out().print(more)


def _first(entries: Iterable[LedgerEntry]) -> Iterator[LedgerEntry]:
    """Yield what is shown of many: all that is critical, and the first of each other level."""
    told: dict[Route, int] = {}
    for entry in entries:
        told[entry.route] = told.get(entry.route, 0) + 1
        if entry.route in CRITICAL or told[entry.route] <= LINES_A_LEVEL:
            yield entry


def _show_entry(entry: LedgerEntry, now: datetime, widest: int) -> None:
    """Print two lines: what it says, and where it comes from."""
    record, concern = entry.last, entry.last.concern
    route = Text(_named(entry, now).ljust(widest), style=STYLES[entry.route])
    out().print(Text.assemble(f"{record.id}  ", route, f"  {concern.line}"))
    origin = (
        f"job {entry.job}" if entry.job else "",
        f"run {record.run_id}",
        _repeats(entry),
        f"confidence {concern.confidence:.2f}, impact {concern.impact:.2f}",
        _standing(entry, now),
        _history(record, entry),
    )
    out().print(Text(" " * (len(record.id) + 2) + ", ".join(filter(None, origin)), style="dim"))


def show_one(record: ConcernRecord, entry: LedgerEntry, now: datetime) -> None:
    """Print one concern in full."""
    concern, console = record.concern, out()
    console.print(Text.assemble(f"{record.id}: {concern.line}"))
    reached = f"{record.lead or 'no lead'}, and the {record.line}"
    facts(
        console,
        [
            ("about", concern.about if concern.about not in concern.line else ""),
            ("message", concern.message if concern.message not in concern.line else ""),
            ("route", record.route.words),
            ("raised to it", "\n".join(record.route_reasons)),
            ("raised", f"{moment(record.at)} by {record.source} in run {record.run_id}"),
            ("reached", reached),
            ("job", entry.job),
            ("repeats", _repeats(entry)),
            ("seen", f"first {moment(entry.first_seen)}, last {moment(entry.last_seen)}" if entry.count > 1 else ""),
            ("confidence", f"{concern.confidence:.2f}"),
            ("impact", f"{concern.impact:.2f}"),
            ("evidence", "\n".join(concern.evidence)),
            ("before", _history(record, entry)),
            (
                "taken back",
                "\n".join(
                    f"{_ended(one.disposition)}; {one.by}, {moment(one.at)}: {one.reason}" for one in record.reopened
                ),
            ),
            ("ended", _ended(record.disposition) if record.disposition else ""),
            ("open", _waiting(record, now) if record.is_open else ""),
            ("to settle", _how_to_settle(record)),
        ],
    )


def _how_to_settle(record: ConcernRecord) -> str:
    """Say with which commands a person decides a conflict; empty for other concerns."""
    if not record.is_open or not is_about_conflict(record):
        return ""
    dispose = f"echelon concerns dispose {record.id} --as resolved --counts TASK --reason WHY"
    return f"{dispose}; then: echelon resume {record.run_id}"


def _ended(end: Disposition) -> str:
    looked = f" (looked at {', '.join(end.looked_at)})" if end.looked_at else ""
    counts = f"; {end.counts} counts" if end.counts else ""
    return f"{end.verdict} by {end.author}, {moment(end.at)}: {end.reason}{looked}{counts}"


def _standing(entry: LedgerEntry, now: datetime) -> str:
    """Say how long the oldest of them waits, or who ended the last one."""
    if entry.open:
        return f"open {_waiting(min(entry.open, key=lambda record: record.open_since), now)}"
    end = entry.last.disposition
    return f"{end.verdict} by {end.author}" if end else ""


def _waiting(record: ConcernRecord, now: datetime) -> str:
    return f"for {age(now - record.open_since)}" + (", overdue" if is_overdue(record, now) else "")


def _history(record: ConcernRecord, entry: LedgerEntry) -> str:
    """Say how often the same was dismissed before, and how often that was wrong (O7)."""
    before = entry.dismissed_before(record)
    failed = entry.filtering_failures
    return ", ".join(
        filter(
            None,
            (
                dismissed_said(before) if before else "",
                f"reopened {count(len(record.reopened), 'time')}" if record.reopened else "",
                f"{count(failed, 'filtering failure')}" if failed else "",
            ),
        )
    )


def _is_overdue(entry: LedgerEntry, now: datetime) -> bool:
    return any(is_overdue(record, now) for record in entry.open)


def _named(entry: LedgerEntry, now: datetime) -> str:
    return entry.route.words + (" (overdue)" if _is_overdue(entry, now) else "")


def _repeats(entry: LedgerEntry) -> str:
    """Say how often the same was raised; empty when it was once."""
    return f"{count(entry.count, 'time')} in {count(entry.runs, 'run')}" if entry.count > 1 else ""
