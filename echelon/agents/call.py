"""One call of an agent: everything that it may be given, and the shape that is known when the job is defined."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from pydantic import BaseModel

from echelon.agents.checks.rounds import Rounds
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.transcript.transcript import Transcript
from echelon.model.assignment import Brief
from echelon.model.policy import DEFAULT_BY_VALUE_TOKENS
from echelon.model.verification.trace import Trace
from echelon.model.views.items import Changes


class Workspace(type(Path())):
    """A folder of its own, empty, in which an agent may write files. It is kept with the run."""


@contextmanager
def temporary_folder(where: Path | None = None) -> Generator[Path]:
    """Make a folder, below `where` or where the system has them, for its owner only; it is gone after the block."""
    with TemporaryDirectory(prefix="call-", dir=where, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class ToBeChecked(Protocol):
    """A result that is to be checked."""

    def load(self) -> object:
        """Read it."""
        ...


@dataclass(frozen=True, kw_only=True)
class CallShape:
    """What calls of an agent will carry, known when the job is defined."""

    inputs_type: type[BaseModel]
    """Type of the inputs of the job."""
    takes_item: bool = False
    """Is there one call for each item?"""
    item_type: type | None = None
    """Type of the item, where it is known: whoever takes the item says so by this type, or says nothing."""
    upstream: tuple[str, ...] = ()
    """Phases whose handoffs it receives."""
    integrates: bool = False
    """Does it integrate what the members of one phase delivered?"""
    checks: object | None = None
    """The contract of what it checks; None for one that does work itself."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What one call carries."""

    brief: Brief
    """Assignment and strategic summary."""
    item: object = None
    """The item, when there is one call for each."""
    inputs: BaseModel
    """Inputs of the job."""
    upstream: Mapping[str, Handoffs[object]] = field(default_factory=dict[str, Handoffs[object]])
    """Handoffs received, by phase; those of the same agent from the same phase by the agent."""
    rounds: Rounds[object] = field(default_factory=Rounds[object])
    """Rounds of the same task that are over, where it is repeated until a check passes (X12)."""
    output: ToBeChecked | None = None
    """What is to be checked, for a check of a single task."""
    trace: Trace | None = None
    """What the work that is to be checked left behind, as far as that was looked at."""
    previous: Previous[object] = field(default_factory=Previous[object])
    """The same phase of the last run on the same inputs."""
    changes: Callable[[], Changes] = Changes
    """What became of the items of its phase, or of the phases that it needs, against an earlier run."""
    notes: list[object] = field(default_factory=list[object])
    """What an agent keeps of an attempt that may be cut off, to write it down when its budget is used up (F4)."""
    by_value_tokens: int = DEFAULT_BY_VALUE_TOKENS
    """Tokens of earlier outputs that stand in its brief; 0: none (C6)."""
    by_value: dict[str, int] = field(default_factory=dict[str, int])
    """Outputs that it was given by value so far, with their bytes, by task (C6)."""
    so_far: Transcript | None = None
    """The conversation in which the same model did the task that this one continues; None: there is none (D1)."""
    can_open: bool = False
    """Can the agent open outputs that its brief only names?"""
    make_workspace: Callable[[], Workspace]
    """Makes the folder to write files in; called when an agent asks for it."""
    make_scratch: Callable[[], AbstractContextManager[Path]] = temporary_folder
    """Makes a folder that only its owner may enter, and that is gone after the block: for what a call needs itself."""

    def give(self, received: Received[object]) -> str:
        """Return an output as JSON, to be given by value; it is counted as given, and as read (C6)."""
        content = received.json()
        received.observe()
        self.by_value[received.task_id] = received.size_bytes
        return content
