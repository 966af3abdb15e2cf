"""A command-line tool as an agent: filled arguments in, validated output out, no shell in between.

It is told what every agent is told, in a file whose path it finds in its environment and in `{brief}` (D7, D8, D9, C6).
"""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar, Unpack, cast, overload

from echelon.agents.agent import Effect
from echelon.agents.asides.asides import NOTHING_ASKED, Asides, asides_of
from echelon.agents.call import Call, CallShape
from echelon.agents.checks.criterion import Criterion, criteria_stated
from echelon.agents.checks.verdict import Verdict
from echelon.agents.command_output import CommandOutput, Parse, default_output
from echelon.agents.environment import BRIEF_FILE, IDEMPOTENCY_KEY, Env, Environment, environment_of
from echelon.agents.fallback import Fallback, fallbacks_of
from echelon.agents.handoffs import Received
from echelon.agents.observed import command_begins
from echelon.agents.outcome import Outcome
from echelon.agents.placeholders import (
    BRIEF,
    BRIEF_TEXT,
    BRIEFS,
    WORKSPACE,
    Template,
    as_text,
    check_briefs,
    fields_of,
    fill_arguments,
    template,
    values_of,
)
from echelon.agents.printed_usage import ReadUsage, check_places
from echelon.agents.processes.process import Finished, run_process
from echelon.agents.prompt import brief_text
from echelon.agents.shortcuts import ReaderOptions, check_known, reader_shortcuts
from echelon.agents.voice.file import VOICE_FILE
from echelon.journal.private import write_private
from echelon.model.errors import AgentFailed, InvalidInput, InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience
from echelon.model.voice.speaking import VOICE

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: How much a command may write to stdout, in bytes.
DEFAULT_LIMIT_BYTES = 32 * 1024 * 1024

#: What the file with the brief is called, in a folder of its own.
BRIEF_NAME = "brief.md"


@dataclass(frozen=True, kw_only=True)
class CommandAgent(Generic[T_co]):
    """A command that does a task."""

    name: str
    goal: str
    arguments: tuple[Template, ...]
    output_type: object
    parse: Parse
    effect: Effect = "read"
    resilience: Resilience = Resilience()
    ok_exit_codes: tuple[int, ...] = (0,)
    cwd: Template | None = None
    stdin: Template | None = None
    env: Environment = Environment()
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    fallback: tuple[Fallback, ...] = ()
    success: tuple[Criterion, ...] = ()
    asides: Asides = NOTHING_ASKED
    failed_when: Callable[[Any], bool | str] | None = None
    usage: ReadUsage | None = None
    kind: WorkerKind = WorkerKind.COMMAND
    judges: bool = False

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every name that needs a value."""
        templates = (*self.arguments, *(extra for extra in (self.cwd, self.stdin) if extra is not None))
        return tuple(dict.fromkeys(name for each in templates for name in each.names))

    def asked_of_item(self, shape: CallShape) -> tuple[str, ...]:
        """Return the placeholders that only an item can fill."""
        known = {*shape.inputs_type.model_fields, WORKSPACE, *BRIEFS}
        return tuple(name for name in self.placeholders if name not in known)

    def as_check(self) -> "CommandAgent[Verdict]":
        """Return it as one whose exit code says whether work passes, and whose text says what is missing (D11)."""
        return cast("CommandAgent[Verdict]", replace(self, output_type=Verdict, judges=True))

    def bind(self, shape: CallShape) -> Self:
        """Check that every placeholder has a source; with items of any type only its first call can tell."""
        check_briefs(self.placeholders, shape.inputs_type.model_fields)
        given = {*shape.inputs_type.model_fields, WORKSPACE, *BRIEFS}
        item = fields_of(shape.item_type)
        unknown = [name for name in self.placeholders if name not in given | set(item)]
        if unknown and item:
            raise InvalidJob(
                f"command {self.name!r}: nothing gives {{{unknown[0]}}} a value; known are {', '.join((*given, *item))}"
            )
        if unknown and not shape.takes_item:
            fix = "give the phase items"
            if shape.integrates:
                fix = "read what is to be integrated from {brief}"
            raise InvalidJob(
                f"command {self.name!r}: nothing gives {{{unknown[0]}}} a value. It is not an input of the job "
                f"(inputs: {', '.join(shape.inputs_type.model_fields) or 'none'}); rename it, or {fix}"
            )
        return replace(self, asides=self.asides.bind(shape)) if self.asides is not NOTHING_ASKED else self

    async def perform(self, call: Call) -> Outcome[T_co]:
        """Run the command once."""
        with call.make_scratch() as folder:
            brief, text = folder / BRIEF_NAME, self._brief(call)
            write_private(brief, text.encode())
            values = values_of(call, self.placeholders, {BRIEF: brief, BRIEF_TEXT: text})
            finished = await self._run(
                fill_arguments(self.arguments, values),
                _filled(self.cwd, values),
                _filled(self.stdin, values),
                {**self.env.of(), BRIEF_FILE: str(brief), **_voice(), **_told(call)},
            )
        stdout, stderr = self.env.hide(finished.stdout), self.env.hide(finished.stderr_tail) or b""
        finished = replace(finished, stdout=stdout, stderr_tail=stderr)
        absent = ", ".join(self.env.absent())
        hint = f"; its env passes on {absent}, which is not set here" if absent else ""
        return cast("Outcome[T_co]", self._output.outcome(finished, hint))

    @property
    def _output(self) -> CommandOutput:
        return CommandOutput(
            command=self.name,
            contract=self.output_type,
            parse=self.parse,
            ok_exit_codes=self.ok_exit_codes,
            limit_bytes=self.limit_bytes,
            failed_when=self.failed_when,
            usage=self.usage,
            judges=self.judges,
        )

    def _brief(self, call: Call) -> str:
        """Return what the agent is told; outputs in it are given by value where the command asks for it (C6)."""
        asked = not set(BRIEFS).isdisjoint(self.placeholders)
        text = brief_text(call, call.give if asked else _unread)
        return text.encode(errors="backslashreplace").decode()  # halves of characters, which no file can have

    async def _run(self, argv: list[str], cwd: str | None, stdin: str | None, env: dict[str, str]) -> Finished:
        folder = None if cwd is None else Path(cwd)
        if folder is not None and not folder.is_dir():
            raise InvalidInput(f"command {self.name!r} cannot run in {str(folder)!r}: the folder does not exist")
        program = find_program(argv[0], self.env.search_path)
        if program is None:
            raise AgentFailed(_not_installed(self.name, argv[0]))
        content = None if stdin is None else stdin.encode()
        await command_begins(argv, folder)
        try:
            return await run_process(
                [program, *argv[1:]], cwd=folder, env=env, stdin=content, limit_bytes=self.limit_bytes
            )
        except OSError as error:
            raise AgentFailed(f"command {self.name!r}: {program} cannot be started: {error}") from error


class CommandOptions(ReaderOptions, total=False):
    """What a command may be told beside its output."""

    ok_exit_codes: Sequence[int]
    """Exit codes of a call that delivered."""
    cwd: str | Path | None
    """The folder to run in."""
    env: Env | None
    """Names of variables that are passed on; or values by name, None passing on what there is."""
    stdin: str | None
    """Written to its stdin, which is empty otherwise."""
    limit_bytes: int
    """How much it may write to stdout."""
    failed_when: Callable[[Any], bool | str] | None
    """Says of an output that fits whether the command failed all the same: true, or why."""
    usage: ReadUsage | None
    """Reads tokens, calls and cost from stdout: a function that returns a `Usage`, or the place of each in JSON."""


@overload
def command(
    args: Sequence[str], *, output: type[T], parse: Parse | None = None, **options: Unpack[CommandOptions]
) -> "CommandAgent[T]": ...
@overload
def command(
    args: Sequence[str], *, output: None = None, parse: Literal["text"] | None = None, **options: Unpack[CommandOptions]
) -> "CommandAgent[str]": ...
@overload
def command(
    args: Sequence[str], *, output: None = None, parse: Literal["lines"], **options: Unpack[CommandOptions]
) -> "CommandAgent[list[str]]": ...
@overload
def command(
    args: Sequence[str], *, output: None = None, parse: Callable[[str], Outcome[T]], **options: Unpack[CommandOptions]
) -> "CommandAgent[T]": ...
@overload
def command(
    args: Sequence[str], *, output: None = None, parse: Callable[[str], T], **options: Unpack[CommandOptions]
) -> "CommandAgent[T]": ...
@overload
def command(
    args: Sequence[str], *, output: object = None, parse: Parse | None = None, **options: Unpack[CommandOptions]
) -> "CommandAgent[object]": ...
def command(
    args: Sequence[str], *, output: object = None, parse: Parse | None = None, **options: Unpack[CommandOptions]
) -> "CommandAgent[object]":
    """Make a command an agent.

    `{placeholders}` in arguments, `cwd` and `stdin` are filled by name: from fields of the item, from inputs of the
    job, with `{item}` (an item that is text, a number or a path), `{workspace}` (a folder to write in), `{brief}` (a
    file with the assignment and what earlier phases delivered, also named by `ECHELON_BRIEF`, gone when the command has
    ended) and `{brief_text}`, what that file says.
    Stdout is read as `parse` says and validated against `output`; without both it is text, with `output` it is JSON.
    JSON is taken as strictly as a contract is; `contract="flexible"` mends it where that takes no guess (C5).
    `parse` may be a function, which may return an `Outcome`; `usage` reads what was used, from text or by places in
    JSON. Stdin is empty. The environment is a clean one: PATH, HOME, the language and the like, and what `env` states,
    names to pass on or values to set. `timeout` is in seconds for one attempt, `idle` without any output; then the
    command and its children are killed. `budget` is what one task may use (F4), `fallback` stands in when it finally
    does not deliver (F2), `success` what must be true of its results (D11). `resilience` says more about how it is
    guarded. A command has failed when its exit code says so, or `failed_when` does of its output; without it, JSON that
    says `"is_error": true`.

        lint = command(["ruff", "check", "--output-format=json", "--", "{path}"], output=list[Finding],
                       ok_exit_codes=(0, 1))
    """
    check_known(options, CommandOptions, "command")
    if isinstance(args, str) or not args:
        raise InvalidJob(f"a command is a list of arguments, the program first; {args!r} is not")
    arguments = tuple(template(str(each)) for each in args)
    if arguments[0].names:
        raise InvalidJob(f"the program of a command is fixed; {args[0]!r} contains a placeholder")
    chosen: Parse = parse or ("text" if output is None else "json")
    program = Path(args[0]).name
    name = options.get("name") or program
    check_places(options.get("usage"), name)
    cwd, stdin = options.get("cwd"), options.get("stdin")
    return CommandAgent(
        name=name,
        goal=options.get("goal") or f"run {program}",
        arguments=arguments,
        output_type=output if output is not None else default_output(chosen),
        parse=chosen,
        effect=options.get("effect", "read"),
        resilience=reader_shortcuts(options),
        ok_exit_codes=tuple(options.get("ok_exit_codes", (0,))),
        cwd=None if cwd is None else template(str(cwd)),
        stdin=None if stdin is None else template(stdin),
        env=environment_of(options.get("env"), name),
        limit_bytes=options.get("limit_bytes", DEFAULT_LIMIT_BYTES),
        failed_when=options.get("failed_when"),
        usage=options.get("usage"),
        fallback=fallbacks_of(options.get("fallback")),
        success=criteria_stated(f"command {name!r}", options.get("success")),
        asides=asides_of(name, options.get("preview"), options.get("ready")),
    )


def find_program(program: str, search_path: str | None = None) -> str | None:
    """Return where a program is: beside the running Python first, then on the path; None when nowhere."""
    if Path(program).name != program:
        return shutil.which(program)
    return shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program, path=search_path)


def _unread(received: Received[object]) -> str:
    """Return an output that the command may read, and perhaps never does."""
    return received.json()


def _voice() -> dict[str, str]:
    """Return where a command says what somebody should know while it works (X15)."""
    voice = VOICE.get()
    return {} if voice is None or voice.path is None else {VOICE_FILE: str(voice.path.absolute())}


def _told(call: Call) -> dict[str, str]:
    """Return what the environment of a command tells it: how its receivers know an order they got before (F8)."""
    key = call.brief.idempotency_key
    return {IDEMPOTENCY_KEY: key} if key else {}


def _filled(source: Template | None, values: Mapping[str, object]) -> str | None:
    return None if source is None else source.fill(lambda name: as_text(name, values[name]))


def _not_installed(name: str, program: str) -> str:
    return (
        f"command {name!r}: {program!r} is not installed: it is neither beside {sys.executable} nor on PATH. Install "
        f"it so that it is; a Python tool with: {sys.executable} -m pip install {program}"
    )
