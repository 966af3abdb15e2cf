"""What is said of a concern beside its words: why it goes where it goes, and what became of it before. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from echelon.model.concern import ConcernRecord
from echelon.model.phrasing import count


def notes_of(record: ConcernRecord) -> tuple[str, ...]:
    """Return what raised the route of a concern, and how often it was dismissed before or taken up again."""
    return tuple(_notes(record))


def _notes(record: ConcernRecord) -> Iterator[str]:
    if record.route_reasons:
        yield f"raised to {record.route.words}, since {' and '.join(record.route_reasons)}"
    if record.dismissed_before:
        yield dismissed_said(record.dismissed_before)
    for one in record.reopened:
        ended = f"was {one.disposition.verdict} by {one.disposition.author}"
        yield f"{ended}, and reopened by {one.by}: {one.reason}"


def dismissed_said(times: int) -> str:
    """Say that something is raised that was dismissed before."""
    return f"dismissed {count(times, 'time')} before, raised again"


def filtering_lines(records: Iterable[ConcernRecord]) -> Sequence[str]:
    """Say how many concerns of a run were dismissed although they were right, and how many were raised again (O7)."""
    known = list(records)
    failed = sum(is_filtering_failure(record) for record in known)
    again = sum(bool(record.dismissed_before) and not is_filtering_failure(record) for record in known)
    were = "was" if failed == 1 else "were"
    return (
        *(
            [f"filtering failure: {count(failed, 'concern')} {were} dismissed before, and proved right"]
            if failed
            else ()
        ),
        *([f"{count(again, 'concern')} that had been dismissed before, raised again"] if again else ()),
    )


def is_filtering_failure(record: ConcernRecord) -> bool:
    """Say whether a concern was dismissed, itself or when it was raised before, and was right."""
    taken_back = any(one.disposition.verdict == "dismissed" for one in record.reopened)
    end = record.disposition
    return taken_back or bool(record.dismissed_before and end is not None and end.verdict != "dismissed")
