"""What can be read of each agent of a run, and the command that shows it: for wherever it is shown (V2, X8). Pure."""

import hashlib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from echelon.model.adapter import JsonObject
from echelon.model.run import Conversation, RunView, StepRecord

#: Pages made at most; the commands show the others.
MAX_PAGES = 2_000

#: Where the pages of agents lie, beside the report.
FOLDER = "agents"

#: How much of the name of a task is in that of its page.
NAME_CHARACTERS = 60


class AgentTrace(NamedTuple):
    """What is on record of the work of one agent or coordinator."""

    task_id: str
    """The task; for an integration what it is recorded as."""
    agent: str
    """The agent or coordinator."""
    phase: str
    """The phase; empty before it has ended anything."""
    status: str
    """How it ended, or `at work`."""
    log_lines: int
    """Lines that it logged."""
    conversations: tuple[Conversation, ...]
    """What its model was asked and answered, in the order that ended."""

    @property
    def is_worth_reading(self) -> bool:
        """Is anything of it on record?"""
        return bool(self.log_lines or self.conversations)

    @property
    def page(self) -> str:
        """The file beside the report in which it is read; the name of a task may be anything, that of a file not."""
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.task_id).strip("-")[:NAME_CHARACTERS]
        return f"{FOLDER}/{name}-{hashlib.sha256(self.task_id.encode()).hexdigest()[:8]}.html"

    @property
    def document(self) -> JsonObject:
        """The same for machines."""
        said = [
            {
                "agent": one.agent,
                "model": one.model,
                "answers": one.answers,
                "error": one.error,
                "transcript": one.transcript.location if one.transcript else None,
            }
            for one in self.conversations
        ]
        return {**self._asdict(), "conversations": said}


def traces_of(view: RunView) -> tuple[AgentTrace, ...]:
    """Return what can be read of everybody who ended something, in the order they last did, then of who is at work."""
    conversations: defaultdict[str, list[Conversation]] = defaultdict(list)
    for one in view.conversations:
        conversations[one.task_id].append(one)
    return tuple(
        AgentTrace(task, agent, phase, status, view.log_lines.get(task, 0), tuple(conversations[task]))
        for task, agent, phase, status in _everybody(view)
    )


def traced_agents(view: RunView) -> tuple[AgentTrace, ...]:
    """Return those of whom there is a page, those who delivered nothing first."""
    found = [trace for trace in traces_of(view) if trace.is_worth_reading]
    return tuple(sorted(found, key=lambda trace: trace.status == "completed")[:MAX_PAGES])


def _everybody(view: RunView) -> Iterator[tuple[str, str, str, str]]:
    last: dict[str, StepRecord] = {}
    for step in view.steps:
        last.pop(step.handoff.task_id, None)
        last[step.handoff.task_id] = step
    owners = view.record.plan.agent_of if view.record.plan else {}
    for task, step in last.items():
        if task not in view.at_work:
            yield task, step.node, step.phase, step.handoff.status.value
    for task in view.at_work:
        yield task, owners.get(task, task), last[task].phase if task in last else "", "at work"


def show_command(run_id: str, task: str, *options: str) -> str:
    """Return the command that shows an agent; whatever the name of a task is, a shell takes it as a name."""
    return shlex.join(["echelon", "show", run_id, task, *options])


def trace_command(run_id: str, task: str) -> str:
    """Return the command that shows what an agent logged, and what its model was asked and answered."""
    return show_command(run_id, task, "--log", "--messages")
