"""What an agent says at one moment as one line, for whoever follows a run (X15). Pure."""

from echelon.model.phrasing import one_line, truncate
from echelon.model.voice.said import blocked_on
from echelon.runlog.events import BlockedReported, ConcernRaised

#: How much of what was said is told, in characters.
SAID_CHARACTERS = 300


def raised_said(event: ConcernRaised | BlockedReported) -> str:
    """Return who raised what and where it goes, or who waits for what."""
    if isinstance(event, BlockedReported):
        return f"{one_line(event.task_id)} is {_words(blocked_on(event.on, event.reason))}"
    record, concern = event.record, event.record.concern
    said = _words(f"{concern.about}: {concern.message}")
    return f"concern {record.id} of {one_line(record.source)}, {record.route.words}: {said}"


def _words(said: str) -> str:
    return truncate(one_line(said), SAID_CHARACTERS)
