"""The entry point: runs a command, and turns whatever stops it into one line and an exit code."""

import contextlib
import errno
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from typing import cast

from cyclopts import CycloptsError

from echelon.agents.threads import end_within
from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.refusals import refusal
from echelon.cli.commands import build_app
from echelon.cli.streams import secure_streams
from echelon.engine.bytecode import use_bytecode_cache
from echelon.journal.failpoints import arm
from echelon.journal.private import private_folder, write_private
from echelon.model.errors import CallerError, EchelonError, InvalidInput, RunSkipped
from echelon.model.phrasing import one_line, printable, truncate
from echelon.model.run import EXIT_CODES, RunStatus
from echelon.redaction import redact
from echelon.resilience.errors import first_cause
from echelon.resilience.stoppable import GRACE_SECONDS

#: The command or the job was wrong; nothing was run.
WRONG_USE = 2
#: It was tried, and failed.
FAILED = 1
#: Ended by Ctrl-C, as shells count it.
STOPPED = 130

#: What ends with a process, such as threads of agents and caches of libraries, has so many seconds.
END_SECONDS = 2 * GRACE_SECONDS

#: What the file behind a standard stream may say; every other file is named by its error.
_OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong use, 3 partial, 4 waiting for a person.

    Every error is one line on stderr that says what, where and what to do. What nobody foresaw goes with its traceback
    to a file under the home folder; with ECHELON_DEBUG=1 the traceback is shown.
    """
    code = _run(arguments)
    if arguments is None:  # this process was started for the command
        end_within(END_SECONDS, code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """Run one command, and turn what stops it into a line and a code."""
    secure_streams()
    use_bytecode_cache()
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    code: object = 0
    try:
        arm(os.environ)
        _check_texts(tokens)
        code = build_app()(tokens)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say("stopped", STOPPED)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback on the console
        return _end_of(cast("Exception", first_cause(error)), code if isinstance(code, int) else 0)
    return code if isinstance(code, int) else 0


def _check_texts(tokens: Sequence[str]) -> None:
    """Refuse arguments that are no text; `InvalidInput` names the first one.

    What a shell hands over that is not UTF-8 cannot be put on record, nor looked for there.
    """
    for number, token in enumerate(tokens, start=1):
        if not token.isascii() and token != token.encode(errors="replace").decode():
            raise InvalidInput(f"argument {number}, {token!r}, is not UTF-8; write it in UTF-8")


def _end_of(error: Exception, known: int) -> int:
    """Say what stopped a command, and return its exit code: the one that is `known` where only its reader has gone."""
    if isinstance(error, CycloptsError):
        return _say(refusal(error), WRONG_USE)
    if isinstance(error, RunSkipped):
        return _say(str(error), EXIT_CODES[RunStatus.WAITING])
    if isinstance(error, EchelonError):
        return _say(str(error), WRONG_USE if isinstance(error, CallerError) else FAILED)
    if isinstance(error, BrokenPipeError):
        _reader_gone()
        return known
    if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT_ERRORS:
        _reader_gone()  # or Python would try once more at its end, and say so
        return _say(
            f"the output cannot be written: {error.strerror}; what was done is kept, see `echelon runs`", FAILED
        )
    return _say(_unforeseen(error), FAILED)


def _say(line: str, code: int) -> int:
    if os.environ.get("ECHELON_DEBUG") == "1":
        traceback.print_exc()
    sys.stderr.write(f"echelon: {printable(redact(line))}\n")
    return code


def _reader_gone() -> None:
    """The reader of our output has seen enough, as in `echelon runs | head`: that is no failure."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unforeseen(error: Exception) -> str:
    text = truncate(one_line(error), 200)
    return (
        f"an unexpected error, {type(error).__name__}: {text}; the traceback is in {_write_log()}. "
        "Please report it with that file"
    )


def _write_log() -> str:
    """Write the traceback that is being handled where only this user reads it; say where, or that it could not be."""
    told = redact(traceback.format_exc()).encode(errors="backslashreplace")
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        log = private_folder(read_settings().home / "logs") / f"{name}.log"
        write_private(log, told)
    except (OSError, EchelonError):
        pass
    else:
        return str(log)
    try:
        handle, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".log")  # a name that nobody can take before
        with os.fdopen(handle, "wb") as file:
            file.write(told)
    except OSError as error:
        return f"no file, none could be written ({error.strerror}); ECHELON_DEBUG=1 shows it"
    return path
