"""The entry point: runs a command, and turns whatever stops it into one line and an exit code."""

import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from cyclopts import CycloptsError

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.refusals import refusal
from echelon.cli.commands import build_app
from echelon.engine.bytecode import use_bytecode_cache
from echelon.journal.failpoints import arm
from echelon.model.errors import CallerError, EchelonError
from echelon.model.phrasing import one_line, truncate

#: The command or the job was wrong; nothing was run.
WRONG_USE = 2
#: It was tried, and failed.
FAILED = 1
#: Ended by Ctrl-C, as shells count it.
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong use, 3 partial, 4 waiting for a person.

    Every error is one line on stderr that says what, where and what to do. What nobody foresaw goes with its traceback
    to a file under the home folder; with ECHELON_DEBUG=1 the traceback is shown.
    """
    use_bytecode_cache()
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        arm(os.environ)
        code = build_app()(tokens)
        sys.stdout.flush()
    except CycloptsError as error:
        return _say(refusal(error), WRONG_USE)
    except EchelonError as error:
        return _say(str(error), WRONG_USE if isinstance(error, CallerError) else FAILED)
    except KeyboardInterrupt:
        return _say("stopped", STOPPED)
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback on the console
        return _say(_unforeseen(error), FAILED)
    return code if isinstance(code, int) else 0


def _say(line: str, code: int) -> int:
    if os.environ.get("ECHELON_DEBUG") == "1":
        traceback.print_exc()
    sys.stderr.write(f"echelon: {line}\n")
    return code


def _reader_gone() -> int:
    """The reader of our output has seen enough, as in `echelon runs | head`: that is no failure."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _unforeseen(error: Exception) -> str:
    text = truncate(one_line(error), 200)
    return (
        f"an unexpected error, {type(error).__name__}: {text}; the traceback is in {_write_log()}. "
        "Please report it with that file"
    )


def _write_log() -> Path:
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        folder = read_settings().home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, EchelonError):
        folder = Path(tempfile.gettempdir())
    log = folder / name
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return log
