"""What the calls of a model's tools say of its work: what was read, run and changed. Pure.

A tool is known by its name and the names of its arguments, since nothing else says what it does:

- what only speaks, such as `raise_concern`, is no work, and `read_output` reads what it refers to,
- it changes what its path arguments name when its name has a word like `write`, `edit`, `delete` or `patch`,
- else it reads what they name;
- it runs the text of an argument called `command`, `cmd`, `argv` and the like, and of `code` or `script` where its
  name has a word like `run`, `bash` or `exec`.

Only calls that returned count: one that was refused or failed did nothing. The answer of a model in the form of a call
of a tool is no work.
"""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from echelon.agents.voice.tools import READING, SPEAKING
from echelon.model.edges import Foreign, is_listing, is_object

_WRITES = frozenset({
    *("write", "edit", "create", "patch", "replace", "apply", "delete", "remove", "move", "rename", "save", "insert"),
    *("append", "update"),
})  # fmt: skip
_RUNS = frozenset({"run", "bash", "sh", "shell", "exec", "execute", "command", "cmd", "terminal", "process"})
_PATHS = frozenset({
    *("path", "paths", "file", "files", "filename", "filepath", "file_path", "file_name", "directory", "dir", "folder"),
    *("target", "source", "uri"),
})  # fmt: skip
_COMMANDS = frozenset({"command", "cmd", "commands", "argv", "command_line", "cmdline", "shell_command"})
_COMMANDS_OF_RUNNERS = _COMMANDS | {"code", "script", "args", "input"}

#: What pydantic-ai returns for a call that is the answer itself.
_ANSWERS = ("Final result processed.", "Output tool not used")

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


@dataclass
class ToolWork:
    """What calls of tools did."""

    reads: list[str] = field(default_factory=list[str])
    commands: list[str] = field(default_factory=list[str])
    calls: list[str] = field(default_factory=list[str])
    changes: list[str] = field(default_factory=list[str])

    def add(self, tool: str, arguments: Mapping[str, object]) -> None:
        """Add one call."""
        if tool in SPEAKING:
            return  # whatever it claims, saying so is not doing it
        if tool == READING:
            self.reads.append(str(arguments.get("reference", "")))
        words = {word.lower() for word in _WORD.findall(tool)}
        self.calls.append(f"{tool}({json.dumps(arguments, ensure_ascii=False, default=str)})")
        runs = _COMMANDS_OF_RUNNERS if words & _RUNS else _COMMANDS
        for name, value in arguments.items():
            if name.lower() in runs:
                self.commands.append("; ".join(_line_of(value).splitlines()))
            elif name.lower() in _PATHS:
                (self.changes if words & _WRITES else self.reads).extend(_texts(value))


def work_in(messages: Sequence[Foreign], known: Collection[str] = ()) -> ToolWork:
    """Return what the calls of tools in a conversation did; `known` are ids of calls that belong to earlier work."""
    work, returned = ToolWork(), _returned(messages)
    for message in messages:
        for part in message.parts:
            if part.part_kind == "tool-call" and part.tool_call_id in returned and part.tool_call_id not in known:
                work.add(part.tool_name, _arguments(part.args))
    return work


def _returned(messages: Sequence[Foreign]) -> set[str]:
    """Return the ids of the calls that returned, and are no answers."""
    parts = [part for message in messages for part in message.parts if part.part_kind == "tool-return"]
    return {part.tool_call_id for part in parts if getattr(part, "outcome", "success") == "success" and _is_work(part)}


def _is_work(part: Foreign) -> bool:
    return not (isinstance(part.content, str) and part.content.startswith(_ANSWERS))


def _arguments(args: object) -> Mapping[str, object]:
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except ValueError:
            return {"": args}
    return args if is_object(args) else {}


def _line_of(value: object) -> str:
    return shlex.join(map(str, value)) if is_listing(value) else str(value)


def _texts(value: object) -> Iterator[str]:
    if is_listing(value):
        yield from map(str, value)
    elif value is not None:
        yield str(value)
