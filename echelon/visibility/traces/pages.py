"""A page for each agent beside the report: the end of its log, and its conversations, both within bounds (V2, X8).

A thousand of them are meant to stay below two megabytes where agents say what agents usually say.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.agents.transcript.transcript import Transcript
from echelon.model.phrasing import truncate
from echelon.model.run import Conversation, RunView
from echelon.runlog.events import Logged, RunEvent
from echelon.visibility.report import report_environment
from echelon.visibility.traces.trace import trace_command, traced_agents

#: What a page has of a log: its last lines, and the beginning of each; an error is said in full.
LINES_SHOWN = 50
LINE_CHARACTERS = 500
ERROR_CHARACTERS = 4_500

#: What a page has of conversations: the last ones, their last messages, and the beginning of each part.
CONVERSATIONS_SHOWN = 3
MESSAGES_SHOWN = 20
PART_CHARACTERS = 2_000

Read = Callable[[Conversation], Transcript | None]
"""Reads what was said; None when it was not kept, or cannot be read."""


class LogTails:
    """The last lines of the log of each agent, as the events of a run are read."""

    def __init__(self) -> None:
        self.lines: dict[str, deque[Logged]] = {}

    def see(self, events: Iterable[RunEvent]) -> None:
        """Take events in; what nobody would read of them is not kept."""
        for event in events:
            if isinstance(event, Logged):
                most = ERROR_CHARACTERS if event.source == "echelon" else LINE_CHARACTERS
                kept = event.model_copy(update={"message": truncate(event.message, most)})
                self.lines.setdefault(event.task_id, deque(maxlen=LINES_SHOWN)).append(kept)


class ShownPart(NamedTuple):
    """A part of a message as a page has it."""

    kind: str
    """What it is, with the name of its tool."""
    text: str
    """The beginning of what it says."""


class ShownMessage(NamedTuple):
    """A message as a page has it."""

    role: str
    """Sent to the model, or by it."""
    parts: tuple[ShownPart, ...]
    """What it consists of."""


class ShownConversation(NamedTuple):
    """A conversation as a page has it."""

    record: Conversation
    """What is on record of it."""
    messages: tuple[ShownMessage, ...]
    """Its last messages."""
    left_out: int
    """Messages before them."""


def pages_of(view: RunView, lines: Mapping[str, Sequence[Logged]], read: Read) -> Iterator[tuple[str, str]]:
    """Yield the pages of agents, each with the name of its file, one at a time."""
    template = report_environment().get_template("agent.html.j2")
    for trace in traced_agents(view):
        command = trace_command(view.record.run_id, trace.task_id)
        said = [_shown(one, read(one)) for one in trace.conversations[-CONVERSATIONS_SHOWN:]]
        log = lines.get(trace.task_id, ())
        yield trace.page, template.render(run=view, trace=trace, log=log, said=said, command=command)


def _shown(record: Conversation, transcript: Transcript | None) -> ShownConversation:
    messages = transcript.messages if transcript else ()
    before = (transcript.left_out_messages if transcript else 0) + max(0, len(messages) - MESSAGES_SHOWN)
    shown = tuple(
        ShownMessage(
            message.role,
            tuple(
                ShownPart(f"{part.kind} {part.tool}".rstrip(), truncate(part.text, PART_CHARACTERS))
                for part in message.parts
            ),
        )
        for message in messages[-MESSAGES_SHOWN:]
    )
    return ShownConversation(record, shown, before)
