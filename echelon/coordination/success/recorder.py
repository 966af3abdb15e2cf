"""Records what the work of one step leaves behind, over all its attempts (D11)."""

import asyncio
import shlex
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from echelon.agents.agent import Agent
from echelon.agents.call import Call, Workspace
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent
from echelon.agents.observed import COMMAND_BEGINS, OBSERVER, Observer, Stream
from echelon.agents.transcript.exchange import Exchange, heard_so_far
from echelon.coordination.success.files import EMPTY, FolderState, digests_in, look_at
from echelon.coordination.success.tools import ToolWork, work_in
from echelon.definition.facts import kind_of
from echelon.model.verification.trace import ChangedFolder, Trace, kept
from echelon.redaction import redact


class TraceRecorder:
    """What is seen of one step: one attempt is looked at by itself, but files that changed since the first one stay.

    `looks` says whether anybody asks for a trace: folders are looked at for that only, without `apart`, where runs are
    kept.
    """

    def __init__(self, agent: Agent, *, looks: bool, apart: Path) -> None:
        self._agent = agent
        self._apart = apart
        self._looks = looks
        self._folders: dict[Path, FolderState] = {}
        self.restart()

    def restart(self) -> None:
        """Begin to record another attempt."""
        self.workspace: Workspace | None = None
        """The folder that the attempt wrote in; None: it asked for none."""
        self.said: tuple[str, ...] = ()
        """The concerns that it raised while it worked."""
        self._reads: list[str] = []
        self._lines: list[str] = []
        self._commands: list[str] = []
        self._tools = ToolWork()

    @contextmanager
    def recording(self, call: Call) -> Generator[None]:
        """Record what is done in the block, which is one call of the agent."""
        outer = OBSERVER.get()
        observing = OBSERVER.set(_Tee(self, outer) if outer else None)
        beginning = COMMAND_BEGINS.set(self._command_begins if self._looks else None)
        try:
            yield
        finally:
            OBSERVER.reset(observing)
            COMMAND_BEGINS.reset(beginning)
            self._hear(call, heard_so_far())

    def workspace_made(self, workspace: Workspace) -> Workspace:
        """Note the folder that the agent writes in, which was empty."""
        self.workspace = workspace
        self._folders[workspace] = EMPTY
        return workspace

    def output_read(self, task_id: str) -> None:
        """Note that the agent reads an output."""
        self._reads.append(task_id)

    def line_written(self, line: str) -> None:
        """Note that the agent logs or prints something."""
        self._lines.append(line)

    async def trace(self) -> Trace:
        """Return what was seen of the last attempt."""
        changed = await asyncio.to_thread(self._changed) if self._looks else {}
        kind = kind_of(self._agent)
        entries = {
            "reads": (*self._reads, *self._tools.reads),
            "commands": (*self._commands, *self._tools.commands),
            "calls": (*self._tools.calls, *self._of_ours),
            "changes": (*(path for paths, _ in changed.values() for path in paths), *self._tools.changes),
            "said": (*self.said, *self._lines),
        }
        bounded = {name: kept(map(redact, found)) for name, found in entries.items()}
        return Trace.model_validate({
            "kind": kind,
            **{name: found for name, (found, _) in bounded.items()},
            "folders": [found for _, found in changed.values() if found is not None],
            "left_out": sum(left_out for _, left_out in bounded.values()),
            "leaves_trace": isinstance(self._agent, FunctionAgent | CommandAgent | ModelAgent),
        })  # fmt: skip

    @property
    def _of_ours(self) -> list[str]:
        """What a function asked of us: outputs that it read, a folder to write in. What it prints is its own word."""
        if not isinstance(self._agent, FunctionAgent):
            return []
        return [*(f"read {task}" for task in self._reads), *(["made a workspace"] if self.workspace else [])]

    async def _command_begins(self, argv: Sequence[str], folder: Path) -> None:
        self._commands.append(shlex.join(argv))
        if folder not in self._folders:  # in the first attempt: what it changed is still changed in the next
            self._folders[folder] = await asyncio.to_thread(look_at, folder, self._apart)

    def _hear(self, call: Call, exchanges: Iterable[Exchange]) -> None:
        earlier = {part.call_id for message in call.so_far.messages for part in message.parts} if call.so_far else ()
        for exchange in exchanges:
            work = work_in(exchange.messages, earlier)
            for name in ("reads", "commands", "calls", "changes"):
                getattr(self._tools, name).extend(getattr(work, name))

    def _changed(self) -> dict[Path, tuple[list[str], ChangedFolder | None]]:
        """Return for each folder the files that changed, and what is in them."""
        found: dict[Path, tuple[list[str], ChangedFolder | None]] = {}
        for folder, before in self._folders.items():
            now = look_at(folder, self._apart)
            paths = now.changed_since(before) if now.is_whole and before.is_whole else []
            files = digests_in(folder, [path for path in paths if redact(path) == path])
            known = ChangedFolder(folder=redact(str(folder)), tree=before.tree, files=files) if files else None
            found[folder] = (paths, known)
        return found


class _Tee:
    """Lets a recorder hear what the observer of a step hears."""

    def __init__(self, recorder: TraceRecorder, outer: Observer) -> None:
        self._recorder = recorder
        self._outer = outer

    def __getattr__(self, name: str) -> object:
        return getattr(self._outer, name)

    def output_read(self, task_id: str, version: str) -> None:
        self._recorder.output_read(task_id)
        self._outer.output_read(task_id, version)

    def logged(self, level: int, message: str) -> None:
        self._recorder.line_written(message)
        self._outer.logged(level, message)

    def wrote(self, stream: Stream, text: str) -> None:
        for line in text.splitlines():
            self._recorder.line_written(line)
        self._outer.wrote(stream, text)
