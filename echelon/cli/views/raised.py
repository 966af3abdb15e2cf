"""What agents raise, as a person sees it: while the run is at work, and when it has ended (V7, O11)."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from echelon.model.concern import CRITICAL, ConcernRecord
from echelon.model.phrasing import count
from echelon.oversight.attention import LINES_A_LEVEL, levels_of
from echelon.oversight.ledger import Sense, sense_of
from echelon.oversight.wording import filtering_lines
from echelon.runlog.events import BlockedReported, ConcernRaised
from echelon.visibility.voices.lines import raised_said


class Raised:
    """Prints what is raised as it is raised: all that is critical, each once, and a few lines of each other level."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = Counter[str]()
        self._critical: set[Sense] = set()

    def say(self, event: ConcernRaised | BlockedReported) -> None:
        """Print it, unless there was enough of its level; all of it is on record."""
        if isinstance(event, ConcernRaised) and event.record.route in CRITICAL:
            self.say_critical(event.record)
            return
        level = event.record.route.value if isinstance(event, ConcernRaised) else event.kind
        self._said[level] += 1
        if self._said[level] < LINES_A_LEVEL:
            self._console.print(raised_said(event))
        elif self._said[level] == LINES_A_LEVEL:
            is_blocked = isinstance(event, BlockedReported)
            more = "more are blocked" if is_blocked else f"more was raised, {event.record.route.words}"
            self._console.print(f"{more}: echelon show {event.run_id}")

    def say_critical(self, record: ConcernRecord) -> None:
        """Print what cannot wait, once."""
        if sense_of(record) not in self._critical:
            self._critical.add(sense_of(record))
            self._console.print(raised_said(ConcernRaised(run_id=record.run_id, at=record.at, record=record)))


def show_open(console: Console, records: Iterable[ConcernRecord]) -> None:
    """Print the open ones of some concerns of a run: all that are critical, the first of the others."""
    known = list(records)
    waiting = [one for one in known if one.is_open]
    if waiting:
        console.print(Text(f"{count(len(waiting), 'open concern')}:", style="yellow"))
    for level in levels_of(waiting):
        for line in level.lines:
            console.print(f"  {line}")
    for line in filtering_lines(known):
        console.print(Text(line, style="yellow"))
