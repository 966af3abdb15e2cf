"""Processes for CPU-bound functions: a few children that speak JSON lines, each killed when its call is.

The standard process pool cannot end one call without breaking all the others, and it pickles; this does neither.
"""

import asyncio
import atexit
import contextlib
import json
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Any, ClassVar, get_type_hints

from pydantic import ValidationError

from echelon.agents.observed import OBSERVER, Observer
from echelon.agents.outcome import Outcome
from echelon.agents.processes.owner import owned
from echelon.agents.processes.processors import processors
from echelon.agents.processes.reaper import forget, watch
from echelon.agents.processes.wire import pack, unpack_outcome
from echelon.contract.complaint import misfit
from echelon.model.adapter import JsonObject
from echelon.model.concern import Concern
from echelon.model.errors import AgentBlocked, AgentFailed
from echelon.model.policy import BulkheadPolicy
from echelon.model.voice.speaking import VOICE
from echelon.resilience.bulkhead import Bulkhead

#: The longest answer of a child, in bytes.
MAX_ANSWER_BYTES = 256 * 2**20


class Workers:
    """Children that call functions, each one call at a time. A caller takes one of `slots` first."""

    _shared: ClassVar[dict[int, "Workers"]] = {}
    _runs: ClassVar[Counter[int]] = Counter()

    def __init__(self, size: int) -> None:
        #: One call a processor. Callers wait here, where the wait does not count as working time.
        self.slots = Bulkhead("processors", BulkheadPolicy(max_concurrency=size, max_queue=None))
        self._idle: list[asyncio.subprocess.Process] = []
        self._closed = False
        atexit.register(self.close)

    @classmethod
    def shared(cls) -> "Workers":
        """Return the children of the running event loop; started when first used."""
        loop = id(asyncio.get_running_loop())
        if loop not in cls._shared:
            cls._shared[loop] = cls(processors())
        return cls._shared[loop]

    @classmethod
    @contextlib.asynccontextmanager
    async def keep_for_run(cls) -> AsyncGenerator[None]:
        """Keep the children of the running event loop during a run; they end with the last one that is at work there.

        Runs inside others begin and end all the time, and starting a child is slow.
        """
        loop = id(asyncio.get_running_loop())
        cls._runs[loop] += 1
        try:
            yield
        finally:
            cls._runs[loop] -= 1
            if cls._runs[loop] <= 0:
                del cls._runs[loop]
                await cls.close_shared()

    @classmethod
    async def close_shared(cls) -> None:
        """End the children of the running event loop; called when a run ends."""
        workers = cls._shared.pop(id(asyncio.get_running_loop()), None)
        if workers is not None:
            await workers.aclose()

    async def call(self, function: Callable[..., object], arguments: JsonObject, contract: object) -> Outcome[object]:
        """Call `function` in a child; the child is killed when this is cancelled or times out."""
        request = {
            "module": _importable(function.__module__),
            "name": function.__qualname__,
            "log_level": logging.getLogger().level,
            "arguments": _packed(function, arguments),
            "voice": _voice(),
        }
        child = self._idle.pop() if self._idle else await _start()
        try:
            answer = await _ask(child, request)
        except BaseException:
            await asyncio.shield(_end(child))
            raise
        self._idle.append(child)
        if self._closed:  # by the end of another run on this loop
            await self.aclose()
        _repeat(answer["heard"], OBSERVER.get())
        return _outcome(answer, contract)

    def close(self) -> None:
        """End the idle children, when there is no loop left to wait for them."""
        self._closed = True
        while self._idle:
            _kill(self._idle.pop())
        atexit.unregister(self.close)

    async def aclose(self) -> None:
        """End the idle children and wait until they have ended."""
        idle = tuple(self._idle)
        self.close()
        await asyncio.gather(*map(_end, idle))


async def _start() -> asyncio.subprocess.Process:
    search = [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109 - a path entry is a string
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the working folder may be a tree that nobody has looked at yet: nothing is imported from there
        "-m",
        "echelon.agents.processes.worker",
        json.dumps(search),
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MAX_ANSWER_BYTES,
        env={**os.environ, **owned(), "PYTHONPATH": os.pathsep.join(search)},
        start_new_session=True,
    )
    watch(child.pid)
    return child


async def _end(child: asyncio.subprocess.Process) -> None:
    """End a child, with whatever it has started."""
    _kill(child)
    await child.wait()
    forget(child.pid)


async def _ask(child: asyncio.subprocess.Process, request: JsonObject) -> JsonObject:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        await child.stdin.drain()
        line = await child.stdout.readline()
    except (BrokenPipeError, ConnectionResetError):
        line = b""
    if not line:
        code = await child.wait()
        died = AgentFailed(f"its process died with exit code {code} in {request['module']}.{request['name']}")
        died.cut_off = True
        raise died
    return json.loads(line)


def _packed(function: Callable[..., object], arguments: JsonObject) -> JsonObject:
    """Return arguments as the other process reads them; `AgentFailed` names one that would be something else there."""
    hints, packed = get_type_hints(function), dict[str, object]()
    for name, value in arguments.items():
        try:
            packed[name] = pack(value, hints.get(name, Any))
        except (ValueError, TypeError) as error:  # pydantic's errors among them
            told = misfit(error.errors(include_url=False)[0]) if isinstance(error, ValidationError) else error
            raise AgentFailed(
                f"its parameter {name!r} cannot be given to {function.__name__} in another process as it is: {told}"
            ) from error
    return packed


def _voice() -> str | None:
    """Return the file to which a child adds what the function says while it works; None where nobody hears it."""
    voice = VOICE.get()
    return None if voice is None or voice.path is None else str(voice.path)


def _importable(module: str) -> str:
    """Return how another process finds a module: by its name; a script that was started as one, by its path."""
    main = sys.modules["__main__"]
    if module != "__main__":
        return module
    if main.__spec__ is not None:  # python -m
        return main.__spec__.name
    return str(main.__file__)


def _outcome(answer: JsonObject, contract: object) -> Outcome[object]:
    failure = answer.get("error")
    if failure is None:
        return unpack_outcome(answer["outcome"], contract)
    concerns = [Concern.model_validate(concern) for concern in failure["concerns"]]
    kind = AgentBlocked if failure["blocked"] else AgentFailed
    failed = kind(failure["message"], concerns=concerns, passing=failure["passing"])
    failed.cut_off = failure["cut_off"]
    if failure["whole"]:
        failed.add_note(failure["whole"])  # where in its code the function failed cannot be seen from here
    raise failed


def _repeat(heard: list[list[Any]], observer: Observer | None) -> None:
    """Let the observer of the call hear what the child heard."""
    if observer is None:
        return
    for what, *arguments in heard:
        match what:
            case "output_read":
                observer.output_read(*arguments)
            case "logged":
                observer.logged(*arguments)
            case _:
                observer.wrote(*arguments)


def _kill(child: asyncio.subprocess.Process) -> None:
    # It leads a group of its own, where there are groups.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
