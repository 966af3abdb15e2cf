"""The child of `workers`: reads one JSON request a line, calls the function, answers with one JSON line."""

import ctypes
import importlib
import json
import logging
import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_type_hints

from echelon.agents.capture import capturing
from echelon.agents.function import FunctionAgent
from echelon.agents.observed import OBSERVER, Stream
from echelon.agents.processes.wire import pack_outcome, unpack
from echelon.agents.voice.file import VoiceFile
from echelon.contract.complaint import said_of
from echelon.contract.tracebacks import traceback_of
from echelon.model.adapter import JsonObject
from echelon.model.errors import AgentBlocked, AgentFailed, EchelonError, InvalidInput
from echelon.model.voice.speaking import VOICE

#: Of Linux, in <sys/prctl.h>: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1

#: Things that are noted of one call; what comes behind is lost.
MAX_HEARD = 10_000


def main() -> None:
    """Serve requests until the parent closes the pipe, or dies."""
    sys.path[:] = json.loads(sys.argv[1])
    _end_with(int(sys.argv[2]))
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What the function prints must not mix with the answers, and what it reads must not be a request.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for line in requests:
        request, heard = json.loads(line), _Heard()
        logging.getLogger().setLevel(request["log_level"])
        with capturing(pass_on=False):
            token = OBSERVER.set(heard)
            said = VOICE.set(VoiceFile(Path(request["voice"])) if request["voice"] else None)
            try:
                answer = _answer(request)
            finally:
                VOICE.reset(said)
                OBSERVER.reset(token)
        answers.write(json.dumps(answer | {"heard": heard.everything}) + "\n")
        answers.flush()


def _end_with(parent: int) -> None:
    """Let the system end this process with its parent, whatever it is busy with; elsewhere the reaper does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in the meantime
            os._exit(1)


class _Heard:
    """Notes what the function does, for the observer in the parent: the calls of it, in their order."""

    def __init__(self) -> None:
        self.everything: list[tuple[str, Any, str]] = []

    def output_read(self, task_id: str, version: str) -> None:
        """It reads the output of a task."""
        self._note("output_read", task_id, version)

    def logged(self, level: int, message: str) -> None:
        """It writes to a log."""
        self._note("logged", level, message)

    def wrote(self, stream: Stream, text: str) -> None:
        """It prints."""
        self._note("wrote", stream, text)

    def _note(self, *call: Any) -> None:
        if len(self.everything) < MAX_HEARD:
            self.everything.append(call)


def _answer(request: JsonObject) -> JsonObject:
    try:
        agent = _agent(request["module"], request["name"])
        hints = get_type_hints(agent.function)
        arguments = {name: unpack(value, hints.get(name, Any)) for name, value in request["arguments"].items()}
        return {"outcome": pack_outcome(agent.function(**arguments), agent.output_type)}
    except AgentFailed as failure:
        concerns: list[object] = [one.model_dump(mode="json") for one in failure.concerns]
        blocked = isinstance(failure, AgentBlocked)
        return _failure(str(failure), failure.passing, concerns, blocked=blocked)
    except EchelonError as error:
        says_so = isinstance(error, InvalidInput)
        return _failure(f"{type(error).__name__}: {error}", error.passing, cut_off=not says_so)
    except Exception as error:  # noqa: BLE001 - whatever the function raises is told to the parent
        passing = isinstance(error, OSError)
        told = f"{type(error).__name__}: {said_of(error)}"
        return _failure(told, passing, whole=traceback_of(error), cut_off=True)


def _agent(module: str, name: str) -> FunctionAgent[..., object]:
    found: Any = _module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return cast("FunctionAgent[..., object]", found) if isinstance(found, FunctionAgent) else _plain(found)


@lru_cache
def _module(name: str) -> Any:
    """Return a module by its name, or the script that the parent runs by its path, under another name than its own."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    return SimpleNamespace(**runpy.run_path(name, run_name="__echelon_main__"))


def _plain(function: Callable[..., object]) -> FunctionAgent[..., object]:
    return FunctionAgent(function=function, name=function.__name__, goal="", output_type=Any)


def _failure(
    message: str,
    passing: bool,
    concerns: Sequence[object] = (),
    *,
    blocked: bool = False,
    whole: str = "",
    cut_off: bool = False,
) -> JsonObject:
    """Return how a call failed; `cut_off` where the function did not say itself that it cannot do its task."""
    error = {"message": message, "concerns": concerns, "passing": passing, "blocked": blocked, "whole": whole}
    return {"error": error | {"cut_off": cut_off}}


if __name__ == "__main__":
    main()
