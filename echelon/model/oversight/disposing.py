"""Who may end a concern, or take its end back, and what must be said for it: a law of the journal (O1, O7, O10). Pure.

Each function returns why something is refused, in one line, and an empty text where it is not.
"""

from collections.abc import Sequence

from echelon.model.concern import ConcernRecord, Disposition


def why_not_disposed(record: ConcernRecord, wanted: Disposition) -> str:
    """Say why a concern cannot be ended so: it has an end, nothing was looked at, or it is about whoever decides."""
    named = f"concern {record.id!r}"
    if (end := record.disposition) is not None:
        return (
            f"{named} was {end.verdict} by {end.author} on {end.at:%Y-%m-%d %H:%M} UTC ({end.reason}); a disposition "
            f"is final unless it proves wrong: echelon concerns reopen {record.id}"
        )
    if is_about(record, wanted.author):
        return f"{named} is about {wanted.author!r}, who cannot end it; somebody else has to look: --by NAME"
    if wanted.verdict == "dismissed" and not is_said(wanted.looked_at):
        return (
            f"{named} cannot be dismissed, since nothing says what was looked at; say it: --looked-at FILE, an output, "
            "a measurement"
        )
    return ""


def why_not_reopened(record: ConcernRecord, evidence: Sequence[str]) -> str:
    """Say why a concern cannot be opened again: it is open, or nothing says what shows that its end was wrong."""
    if record.disposition is None:
        return f"concern {record.id!r} is open; there is no disposition to take back"
    if not is_said(evidence):
        return (
            f"concern {record.id!r} cannot be reopened, since nothing says what shows that its end was wrong; say it: "
            "--looked-at FILE, an output, a measurement"
        )
    return ""


def is_about(record: ConcernRecord, author: str) -> bool:
    """Say whether a concern is about somebody: named by it, or one of the nodes that it was found to be about."""
    return canonical(author) in names_in(record)


def names_in(record: ConcernRecord) -> frozenset[str]:
    """Return everything that a concern is about: what it names, and the nodes that it was found to be about."""
    return frozenset(map(canonical, (record.concern.about, *record.about_nodes)))


def canonical(name: str) -> str:
    """Return a name as names are compared: whoever writes them may add blanks, or use other letters."""
    return name.strip().casefold()


def is_said(lines: Sequence[str]) -> bool:
    """Say whether any of the lines says something."""
    return any(line.strip() for line in lines)
