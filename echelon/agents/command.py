"""A command-line tool as an agent: filled arguments in, validated output out, no shell in between."""

import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar, Unpack, cast, overload

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from echelon.agents.agent import Effect
from echelon.agents.call import Call, CallShape
from echelon.agents.fallback import Fallback, fallbacks_of
from echelon.agents.outcome import Outcome
from echelon.agents.placeholders import ITEM, WORKSPACE, Template, as_text, fill_arguments, template, values_of
from echelon.agents.processes.process import Finished, run_process
from echelon.agents.shortcuts import AgentOptions, check_known, shortcuts
from echelon.model.adapter import adapter_of
from echelon.model.edges import is_object
from echelon.model.errors import AgentFailed, ContractViolation, InvalidInput, InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience
from echelon.model.usage import Usage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: How much a command may write to stdout, in bytes.
DEFAULT_LIMIT_BYTES = 32 * 1024 * 1024

#: How much of stderr is quoted in an error, in characters.
QUOTED_CHARACTERS = 2000

#: Variable in which a command that changes the world finds its idempotency key.
IDEMPOTENCY_KEY = "ECHELON_IDEMPOTENCY_KEY"

#: The key by which coding agents say in JSON that they failed, with exit code 0.
_IS_ERROR = '"is_error"'

Format = Literal["json", "lines", "text"]
Parse = Format | Callable[[str], object]

#: The contract when none is stated; JSON may be anything, which pydantic knows as `Any`.
_DEFAULT_OUTPUT: dict[str, object] = {"json": Any, "lines": list[str], "text": str}


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
    env: tuple[tuple[str, str], ...] = ()
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    fallback: tuple[Fallback, ...] = ()
    failed_when: Callable[[Any], bool | str] | None = None
    kind: WorkerKind = WorkerKind.COMMAND

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every name that needs a value."""
        templates = (*self.arguments, *(extra for extra in (self.cwd, self.stdin) if extra is not None))
        return tuple(dict.fromkeys(name for each in templates for name in each.names))

    def bind(self, shape: CallShape) -> Self:
        """Check that every placeholder has a source; with an item only its first call can tell."""
        known = {*shape.inputs_type.model_fields, WORKSPACE, *((ITEM,) if shape.takes_item else ())}
        unknown = [name for name in self.placeholders if name not in known]
        if unknown and not shape.takes_item:
            raise InvalidJob(
                f"command {self.name!r}: nothing gives {{{unknown[0]}}} a value. It is not an input of the job "
                f"(inputs: {', '.join(shape.inputs_type.model_fields) or 'none'}); rename it, or give the phase items"
            )
        return self

    async def perform(self, call: Call) -> Outcome[T_co]:
        """Run the command once."""
        values = values_of(call, self.placeholders)
        finished = await self._run(
            fill_arguments(self.arguments, values),
            _filled(self.cwd, values),
            _filled(self.stdin, values),
            dict(self.env) | _told(call),
        )
        stdout = self._stdout(finished)
        if self.failed_when is None and self.parse == "json":
            self._check(_says_error(stdout), stdout)
        output = self._output(stdout)
        if self.failed_when is not None:
            self._check(self.failed_when(output), stdout)
        return Outcome(output=output, usage=Usage(calls=1))

    async def _run(self, argv: list[str], cwd: str | None, stdin: str | None, env: dict[str, str]) -> Finished:
        folder = None if cwd is None else Path(cwd)
        if folder is not None and not folder.is_dir():
            raise InvalidInput(f"command {self.name!r} cannot run in {str(folder)!r}: the folder does not exist")
        program = find_program(argv[0], dict(self.env).get("PATH"))
        if program is None:
            raise AgentFailed(_not_installed(self.name, argv[0]))
        content = None if stdin is None else stdin.encode()
        try:
            return await run_process(
                [program, *argv[1:]], cwd=folder, env=env, stdin=content, limit_bytes=self.limit_bytes
            )
        except OSError as error:
            raise AgentFailed(f"command {self.name!r}: {program} cannot be started: {error}") from error

    def _stdout(self, finished: Finished) -> str:
        if finished.stdout is None:
            raise AgentFailed(
                f"command {self.name!r} wrote more than {self.limit_bytes} bytes and was stopped; let it write less, "
                "or raise limit_bytes"
            )
        if finished.exit_code not in self.ok_exit_codes:
            tail = finished.stderr_tail.decode(errors="replace")[-QUOTED_CHARACTERS:].strip()
            said = tail or "and wrote nothing to stderr"
            raise AgentFailed(f"command {self.name!r} {_how_it_ended(finished.exit_code)}: {said}")
        return finished.stdout.decode(errors="replace")

    def _output(self, stdout: str) -> T_co:
        contract = cast("TypeAdapter[T_co]", adapter_of(self.output_type))
        try:
            if self.parse == "json":
                return contract.validate_json(stdout, strict=True)
            parse = self.parse if callable(self.parse) else _PARSERS[self.parse]
            return contract.validate_python(parse(stdout))
        except ValidationError as error:
            violation = ContractViolation(f"command {self.name!r}: {_mismatch(error, self.output_type, stdout)}")
            violation.delivered = _readable(self.parse, stdout)
            raise violation from error
        except Exception as error:
            raise ContractViolation(
                f"command {self.name!r}: its output could not be parsed: {type(error).__name__}: {error}"
            ) from error

    def _check(self, failed: bool | str, stdout: str) -> None:
        """Raise `AgentFailed` where the output says that the command failed, whatever its exit code says."""
        if failed:
            said = failed if isinstance(failed, str) else stdout[:QUOTED_CHARACTERS].strip()
            raise AgentFailed(f"command {self.name!r} ended well, and its output says that it failed: {said}")


class CommandOptions(AgentOptions, total=False):
    """What a command may be told beside its output."""

    ok_exit_codes: Sequence[int]
    """Exit codes of a call that delivered."""
    cwd: str | Path | None
    """The folder to run in."""
    env: Mapping[str, str] | None
    """Added to the environment."""
    stdin: str | None
    """Written to its stdin, which is empty otherwise."""
    limit_bytes: int
    """How much it may write to stdout."""
    failed_when: Callable[[Any], bool | str] | None
    """Says of an output that fits whether the command failed all the same: true, or why."""


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
    job, with `{item}` (an item that is text, a number or a path) and `{workspace}` (a folder to write in).
    Stdout is read as `parse` says and validated against `output`; without both it is text, with `output` it is JSON.
    JSON is taken as strictly as a contract is; `contract="flexible"` mends it where that takes no guess (C5).
    Stdin is empty; `env` is added to the environment; `timeout` is in seconds for one attempt, `idle` without any
    output; then the command and its children are killed. `budget` is what one task may use (F4), `fallback` stands in
    when it finally does not deliver (F2). `resilience` says more about how it is guarded. A command has failed when
    its exit code says so, or `failed_when` does of its output; without it, JSON that says `"is_error": true`.

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
    cwd, stdin = options.get("cwd"), options.get("stdin")
    return CommandAgent(
        name=options.get("name") or program,
        goal=options.get("goal") or f"run {program}",
        arguments=arguments,
        output_type=output if output is not None else _default_output(chosen),
        parse=chosen,
        effect=options.get("effect", "read"),
        resilience=shortcuts(options),
        ok_exit_codes=tuple(options.get("ok_exit_codes", (0,))),
        cwd=None if cwd is None else template(str(cwd)),
        stdin=None if stdin is None else template(stdin),
        env=tuple((options.get("env") or {}).items()),
        limit_bytes=options.get("limit_bytes", DEFAULT_LIMIT_BYTES),
        failed_when=options.get("failed_when"),
        fallback=fallbacks_of(options.get("fallback")),
    )


def _says_error(stdout: str) -> bool:
    """Say whether JSON says that it is an error; what is no JSON is the contract's affair."""
    if _IS_ERROR not in stdout:
        return False
    try:
        document = from_json(stdout)
    except ValueError:
        return False
    return is_object(document) and document.get("is_error") is True


def _default_output(parse: Parse) -> object:
    """Return the contract when none is stated."""
    return _DEFAULT_OUTPUT[parse] if isinstance(parse, str) and parse in _DEFAULT_OUTPUT else Any


def find_program(program: str, search_path: str | None = None) -> str | None:
    """Return where a program is: beside the running Python first, then on the path; None when nowhere."""
    if Path(program).name != program:
        return shutil.which(program)
    return shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program, path=search_path)


_PARSERS: dict[Format, Callable[[str], object]] = {"lines": str.splitlines, "text": str}


def _readable(parse: Parse, stdout: str) -> tuple[object, ...]:
    """Return what was written to stdout, for a flexible contract to mend (C5); nothing when it is no JSON."""
    try:
        return (from_json(stdout),) if parse == "json" else ()
    except ValueError:
        return ()


def _told(call: Call) -> dict[str, str]:
    """Return what the environment of a command tells it: how its receivers know an order they got before (F8)."""
    key = call.brief.idempotency_key
    return {IDEMPOTENCY_KEY: key} if key else {}


def _filled(source: Template | None, values: Mapping[str, object]) -> str | None:
    return None if source is None else source.fill(lambda name: as_text(name, values[name]))


def _how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _not_installed(name: str, program: str) -> str:
    return (
        f"command {name!r}: {program!r} is not installed: it is neither beside {sys.executable} nor on PATH. Install "
        f"it so that it is; a Python tool with: {sys.executable} -m pip install {program}"
    )


def _mismatch(error: ValidationError, output_type: object, stdout: str) -> str:
    if not stdout.strip():
        return "it wrote nothing to stdout"
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "its output"
    contract = getattr(output_type, "__name__", str(output_type))
    return f"its output is not a {contract}: {error.error_count()} mismatches, the first at {where}: {first['msg']}"
