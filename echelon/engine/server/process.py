"""The process of a local Prefect server. Run as a file, never imported by the package.

It must start fast, so it imports nothing of Echelon. Its one argument is a JSON object:

    socket      number of the inherited listening socket, or null
    port        the loopback port to bind when there is no socket to inherit
    parent      id of the process whose end is this one's end too, or null
    lock        the lock file of the database, or null
    template    where to leave a copy of the freshly migrated database, or null
    database    the SQLite file, or null
    noted       where to note the version of Prefect that migrated the database, or null
    temporary   a folder to remove at the end, or null
    hosts       names that it goes by, besides those of this machine for itself
    ephemeral   true without UI, scheduler and the other services of a server that is kept
"""

import asyncio
import contextlib
import gc
import json
import os
import select
import shutil
import socket
import sqlite3
import sys
import threading
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import uvicorn

from echelon.engine.server.loopback import LOOPBACK
from echelon.model.adapter import JsonObject

#: How long the last records may take to be written after the run has ended, in seconds.
DRAIN_SECONDS = 20.0

#: How long a process that should end may take for it all before it is cut off, in seconds.
LAST_RESORT_SECONDS = DRAIN_SECONDS + 5

STDIN = 0

#: Header of a request that says when what it tells happened.
AT_HEADER = b"x-echelon-at"


class RunServer(uvicorn.Server):
    """A server that ends when its parent does, after it has written what it was told."""

    def __init__(self, config: uvicorn.Config, boot: JsonObject, parent_gone: threading.Event) -> None:
        super().__init__(config)
        self.boot = boot
        self.parent_gone = parent_gone

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave the start-up's objects out of garbage collection for good."""
        await super().startup(sockets)
        gc.freeze()
        gc.enable()
        note_migrations(self.boot)

    async def on_tick(self, counter: int) -> bool:
        """End when asked to, or when the parent is gone and nothing is left to write (called every 0.1 s)."""
        if self.parent_gone.is_set() and not self.should_exit:
            await self.drain()
            self.should_exit = True
        return await super().on_tick(counter)

    async def drain(self) -> None:
        """Wait until every event received so far has been handled, at most DRAIN_SECONDS."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_SECONDS
        # Prefect's queues offer no event to wait for.
        while loop.time() < deadline and (self.server_state.tasks or waiting_events()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def waiting_events() -> int:
    """Count the events that the recorder has not taken yet."""
    from prefect.server.utilities.messaging.memory import Topic

    events: Any = Topic.by_name("events")
    return sum(subscription._queue.qsize() + subscription._retry.qsize() for subscription in events._subscriptions)  # noqa: SLF001


def note_migrations(boot: JsonObject) -> None:
    """Note which Prefect migrated the database, and leave an empty copy for the next new home."""
    if not boot["noted"]:
        return
    import prefect

    if boot["template"] and not Path(boot["template"]).exists():
        copy_database(Path(boot["database"]), Path(boot["template"]))
    Path(boot["noted"]).write_text(json.dumps({"prefect": prefect.__version__}))


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database that is in use; the target appears complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_suffix(f".{os.getpid()}")
    with sqlite3.connect(source) as live, sqlite3.connect(arriving) as copy:
        live.backup(copy)
    live.close()
    copy.close()
    arriving.replace(target)


def watch_parent(parent: int, on_end: Callable[[], None]) -> None:
    """Call `on_end` when the parent has closed its end of the pipe, or has died while a fork of it holds the pipe."""
    while os.name == "nt" or os.getppid() == parent:
        if os.name == "nt" or select.select([STDIN], [], [], 1.0)[0]:
            os.read(STDIN, 1)
            break
    on_end()


def end_with_parent(boot: JsonObject) -> threading.Event:
    """Return an event that is set when the parent is gone; a process that cannot end in time is cut off."""
    gone = threading.Event()

    def on_end() -> None:
        gone.set()
        last_resort = threading.Timer(LAST_RESORT_SECONDS, os._exit, [1])
        last_resort.daemon = True
        last_resort.start()
        if boot["lock"]:
            with contextlib.suppress(OSError):  # the home was removed: nobody can be waiting for it
                # A run that starts now waits for the records instead of leaving.
                Path(boot["lock"]).write_text("closing")

    if boot["parent"] is not None:
        threading.Thread(target=watch_parent, args=(boot["parent"], on_end), daemon=True).start()
    return gone


class GivenTimes:
    """Lets a request say when what it tells happened, in place of now: an HTTP header, a time in ISO 8601.

    Prefect's API has no field for when a flow run entered a state, so a run that is drawn from its log would begin
    when it is drawn. Prefect gives each state the time of its own `now`, which is asked for here. Remove when the API
    takes a time.
    """

    def __init__(self, app: Any) -> None:
        from prefect.server.schemas import states
        from prefect.types import DateTime
        from pydantic import TypeAdapter

        self.app = app
        self.read: Callable[[str], Any] = TypeAdapter(DateTime).validate_python
        self.given: ContextVar[Any] = ContextVar("given", default=None)
        module: Any = states
        clock = module.now

        def now(*zone: object) -> object:
            return self.given.get() or clock(*zone)

        module.now = now

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle a request, at the time it gives."""
        given = next((value for name, value in scope.get("headers", ()) if name == AT_HEADER), None)
        token = self.given.set(self.read(given.decode())) if given else None
        try:
            await self.app(scope, receive, send)
        finally:
            if token is not None:
                self.given.reset(token)


class OwnPagesOnly:
    """Refuses what a page of somebody else lets a browser ask for: it is on this machine too, and could start jobs.

    A page has no business with another origin than its own, and a name that is not one of this machine leads here only
    when somebody else's name server says so. What is no browser sends neither Origin nor Sec-Fetch-Site.
    """

    def __init__(self, app: Any, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = LOOPBACK | set(hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        why = self.why_refused(headers, scope["path"])
        if not why:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403, "reason": why})
        else:
            kind = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": kind})
            await send({"type": "http.response.body", "body": f"{why}\n".encode()})

    def why_refused(self, headers: Mapping[bytes, str], path: str) -> str:
        """Say why a request is refused; empty for one that is not."""
        host = headers.get(b"host", "")
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        if name not in self.hosts:
            return f"this server does not go by the name {name!r}; start it with --host to allow that"
        origin = headers.get(b"origin")
        if origin is not None:
            return "" if self._is_ours(origin, host) else "pages of another origin may not use this server"
        # A link may lead to the page of this server; nothing of it is anybody else's to load or send.
        if path.startswith("/api") and headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            return "pages of another site may not use this server"
        return ""

    def _is_ours(self, origin: str, host: str) -> bool:
        """Say whether a page came from this server, by whichever of its names."""
        asked, page = urllib.parse.urlsplit(f"//{host}"), urllib.parse.urlsplit(origin)
        return page.scheme in ("http", "https") and page.hostname in self.hosts and page.port == asked.port


def listening_socket(boot: JsonObject) -> socket.socket:
    """Return the socket to listen on: the parent's, so that requests made before now are answered too."""
    if boot["socket"] is not None:
        return socket.socket(fileno=boot["socket"])
    listener = socket.socket()
    listener.bind(("127.0.0.1", boot["port"]))
    return listener


def main() -> None:
    """Serve Prefect's API until told to stop."""
    gc.disable()  # 15 % of the start-up, for objects that all stay
    boot = json.loads(sys.argv[1])
    gone = end_with_parent(boot)
    if boot["lock"]:
        Path(boot["lock"]).write_text(str(os.getpid()))
    from prefect.server.api.server import create_app

    if gone.is_set():
        return
    app = create_app(ephemeral=boot["ephemeral"], final=True)
    config = uvicorn.Config(
        OwnPagesOnly(GivenTimes(app), boot["hosts"]),
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    RunServer(config, boot, gone).run(sockets=[listening_socket(boot)])
    if boot["temporary"]:
        shutil.rmtree(boot["temporary"], ignore_errors=True)


if __name__ == "__main__":
    main()
