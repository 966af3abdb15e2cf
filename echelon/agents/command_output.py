"""What a command left becomes an outcome: exit code, stdout as it is parsed and validated, and what it used.

That a command ended well does not say that it did its task: its output may say that it failed. What it used is told
with its errors too: what failed has been paid for.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import from_json

from echelon.agents.checks.verdict import Verdict
from echelon.agents.outcome import Outcome, outcome_of
from echelon.agents.printed_usage import ReadUsage, counted, usage_in
from echelon.agents.processes.process import Finished
from echelon.model.adapter import adapter_of
from echelon.model.edges import is_object
from echelon.model.errors import AgentFailed, ContractViolation, EchelonError
from echelon.model.status import Status
from echelon.model.usage import Usage

#: How much of stderr is quoted in an error, in characters.
QUOTED_CHARACTERS = 2000

#: The key by which coding agents say in JSON that they failed, with exit code 0.
_IS_ERROR = '"is_error"'

Format = Literal["json", "lines", "text"]
Parse = Format | Callable[[str], object]

#: The contract when none is stated; JSON may be anything, which pydantic knows as `Any`.
_DEFAULT_OUTPUT: dict[str, object] = {"json": Any, "lines": list[str], "text": str}

_PARSERS: dict[Format, Callable[[str], object]] = {"lines": str.splitlines, "text": str}


#: How much of what a check wrote says what is missing, in characters of each stream: its end.
GAP_CHARACTERS = 4_000


@dataclass(frozen=True, kw_only=True)
class CommandOutput:
    """How what a command left is read."""

    command: str
    """Its name, for errors."""
    contract: object
    """The type of its output."""
    parse: Parse
    """How stdout is read."""
    ok_exit_codes: tuple[int, ...]
    """Exit codes of a call that delivered."""
    limit_bytes: int
    """How much it may write to stdout."""
    failed_when: Callable[[Any], bool | str] | None
    """Says of an output whether the command failed."""
    usage: ReadUsage | None
    """Reads what it used; None: what its outcome says, or nothing."""
    judges: bool = False
    """Does its exit code say whether work passes, instead of whether it has worked itself (D11)?"""

    def outcome(self, finished: Finished, hint: str = "") -> Outcome[object]:
        """Return what came of a command.

        `AgentFailed` where it failed, with `hint` behind its exit code; `ContractViolation` where its output is not
        what it promises.
        """
        stdout = (finished.stdout or b"").decode(errors="replace")
        used = Usage(calls=1) if self.usage is None else usage_in(stdout, self.usage, self.command)
        if self.judges and finished.stdout is not None and finished.exit_code >= 0:
            return Outcome(output=self._verdict(finished, stdout), usage=used)
        with _charging(used):
            self._check_exit(finished, hint)
            outcome = self._parsed(stdout)
        if self.usage is None:
            used = counted(outcome.usage)
        with _charging(used):
            return replace(self._checked(outcome, stdout), usage=used)

    def _verdict(self, finished: Finished, stdout: str) -> Verdict:
        """Return what a check found: what it wrote says what is missing."""
        if finished.exit_code in self.ok_exit_codes:
            return Verdict.accepted()
        written = (stdout.strip(), finished.stderr_tail.decode(errors="replace").strip())
        said = "\n".join(text[-GAP_CHARACTERS:] for text in written if text)
        return Verdict.rejected(said or f"it {_how_it_ended(finished.exit_code)} and wrote nothing")

    def _check_exit(self, finished: Finished, hint: str) -> None:
        if finished.stdout is None:
            raise AgentFailed(
                f"command {self.command!r} wrote more than {self.limit_bytes} bytes and was stopped; let it write "
                "less, or raise limit_bytes"
            )
        if finished.exit_code not in self.ok_exit_codes:
            tail = finished.stderr_tail.decode(errors="replace")[-QUOTED_CHARACTERS:].strip()
            said = f": {tail}" if tail else " and wrote nothing to stderr"
            ended = f"command {self.command!r} {_how_it_ended(finished.exit_code)}{said}{hint}"
            raise _failed(ended, tail, finished.stdout.decode(errors="replace"))

    def _parsed(self, stdout: str) -> Outcome[object]:
        """Return what stdout says, as the outcome of the call; an output that is JSON is validated already."""
        if self.parse == "json":
            if self.failed_when is None:
                self._refuse(_says_error(stdout), stdout)
            with self._reading(stdout):
                return Outcome(output=adapter_of(self.contract).validate_json(stdout, strict=True))
        parse = self.parse if callable(self.parse) else _PARSERS[self.parse]
        with self._reading(stdout):
            return outcome_of(parse(stdout))

    def _checked(self, outcome: Outcome[object], stdout: str) -> Outcome[object]:
        """Return an outcome that fits the contract, or says itself that the task is not done."""
        if outcome.status is not Status.COMPLETED:
            return outcome
        if self.parse != "json":
            with self._reading(stdout):
                outcome = replace(outcome, output=adapter_of(self.contract).validate_python(outcome.output))
        if self.failed_when is not None:
            with self._reading(stdout, "judged by failed_when"):
                failed = self.failed_when(outcome.output)
            self._refuse(failed, stdout)
        return outcome

    @contextmanager
    def _reading(self, stdout: str, done: str = "parsed") -> Generator[None]:
        """Turn errors in the block into a `ContractViolation`; what code of the user says in our words stays."""
        try:
            yield
        except EchelonError:
            raise
        except ValidationError as error:
            violation = ContractViolation(f"command {self.command!r}: {_mismatch(error, self.contract, stdout)}")
            violation.delivered = _readable(self.parse, stdout)
            raise violation from error
        except Exception as error:
            raise ContractViolation(
                f"command {self.command!r}: its output could not be {done}: {type(error).__name__}: {error}"
            ) from error

    def _refuse(self, failed: bool | str, stdout: str) -> None:
        """Raise `AgentFailed` where the output says that the command failed, whatever its exit code says."""
        if failed:
            said = failed if isinstance(failed, str) else stdout[:QUOTED_CHARACTERS].strip()
            raise _failed(f"command {self.command!r} ended well, and its output says that it failed: {said}", stdout)


def _failed(message: str, *printed: str) -> AgentFailed:
    """Return what is raised of a command that failed, with what it printed: there it may say why, and until when."""
    failure = AgentFailed(message)
    failure.printed = "\n".join(_head_and_tail(text) for text in printed if text)
    return failure


def _head_and_tail(text: str) -> str:
    """Return a text, without its middle where it is long."""
    return text if len(text) <= 2 * QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}\n{text[-QUOTED_CHARACTERS:]}"


def default_output(parse: Parse) -> object:
    """Return the contract when none is stated."""
    return _DEFAULT_OUTPUT[parse] if isinstance(parse, str) and parse in _DEFAULT_OUTPUT else Any


@contextmanager
def _charging(usage: Usage) -> Generator[None]:
    """Let an error of ours tell what was used."""
    try:
        yield
    except EchelonError as error:
        error.usage = error.usage or usage
        raise


def _says_error(stdout: str) -> bool:
    """Say whether JSON says that it is an error; what is no JSON is the contract's affair."""
    if _IS_ERROR not in stdout:
        return False
    try:
        document = from_json(stdout)
    except ValueError:
        return False
    return is_object(document) and document.get("is_error") is True


def _readable(parse: Parse, stdout: str) -> tuple[object, ...]:
    """Return what was written to stdout, for a flexible contract to mend (C5); nothing when it is no JSON."""
    try:
        return (from_json(stdout),) if parse == "json" else ()
    except ValueError:
        return ()


def _how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _mismatch(error: ValidationError, contract: object, stdout: str) -> str:
    if not stdout.strip():
        return "it wrote nothing to stdout"
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "its output"
    name = getattr(contract, "__name__", str(contract))
    return f"its output is not a {name}: {error.error_count()} mismatches, the first at {where}: {first['msg']}"
