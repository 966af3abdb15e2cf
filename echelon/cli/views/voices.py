"""What one agent said, as people read it: beside what it handed on, or while it is still at work (X15)."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import facts
from echelon.model.concern import Concern, ConcernRecord, Route
from echelon.model.phrasing import head
from echelon.oversight.wording import notes_of
from echelon.visibility.conflicts import conflict_lines
from echelon.visibility.voices.agents import AgentVoice
from echelon.visibility.voices.proposals import proposal_line, proposals_counted

#: Concerns and proposals of one agent shown at most; `--json` has all of them.
CONCERNS_SHOWN = 20
PROPOSALS_SHOWN = 10


def voice_facts(voice: AgentVoice) -> list[tuple[str, str]]:
    """Return how sure an agent said it is, what it waits for and what it proposed; no value for what it did not say."""
    stated, proposed = voice.stated_confidence, [proposal_line(one) for one in voice.proposals]
    return [
        ("said it is sure", "" if stated is None else f"{stated:.2f}"),
        ("waits", voice.blocked),
        ("conflicts", "\n".join(conflict_lines(voice.conflicts))),
        ("proposed", "\n".join([proposals_counted(voice.proposals), *head(proposed, PROPOSALS_SHOWN)])),
    ]


def show_at_work(console: Console, task_id: str, voice: AgentVoice) -> None:
    """Print what an agent has said that has not ended anything yet."""
    console.print(Text.assemble((task_id, "bold"), ": at work"))
    facts(console, voice_facts(voice))
    show_concerns_of(console, voice.concerns)


def show_concerns_of(console: Console, records: Sequence[ConcernRecord], others: Sequence[Concern] = ()) -> None:
    """Print what an agent raised, with what became of it; `others` are not on record by themselves."""
    known = [one.concern for one in records]
    lines = [*map(_line, records), *(_said(one, one.route) for one in others if one not in known)]
    for line in head(lines, CONCERNS_SHOWN):
        console.print(f"  {line}")


def _line(record: ConcernRecord) -> str:
    ended = record.disposition
    became = f"; {ended.verdict} by {ended.author}: {ended.reason}" if ended else ""
    notes = "".join(f"; {note}" for note in notes_of(record))
    return f"{record.id}  {_said(record.concern, record.route)}{became}{notes}"


def _said(concern: Concern, route: Route) -> str:
    return f"{route.words}: {concern.line}"
