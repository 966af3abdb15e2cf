"""A line to a PostgreSQL server that is cut at a commit: before the server gets it, or before its answer comes back."""

import asyncio
import contextlib
from types import TracebackType
from typing import Literal, Self

from sqlalchemy.engine import make_url

#: Commits are cut before they are received, or after they were carried out.
Cut = Literal["before", "after"]


class Wire:
    """The line; `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._cut: Cut | None = None
        self._cuts = 0
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        await asyncio.gather(*self._connections)
        await self._server.wait_closed()

    @property
    def cuts(self) -> int:
        """How often it was cut."""
        return self._cuts

    def cut_next(self, cut: Cut) -> None:
        """Cut the line at the next commit."""
        self._cut = cut

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._connections.add(serving)
        host, port = self._target.host or "127.0.0.1", self._target.port or 5432
        server, to_server = await asyncio.open_connection(host, port)
        back = asyncio.create_task(_pump(server, to_client))
        while data := await client.read(65536):
            if self._cut and b"COMMIT" in data:
                cut, self._cut = self._cut, None
                self._cuts += 1
                back.cancel()
                await asyncio.wait([back])
                if cut == "after":
                    to_server.write(data)
                    await server.read(65536)
                break
            to_server.write(data)
        for end in (to_server, to_client):
            end.close()
        await asyncio.wait([back])
        for end in (to_server, to_client):
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
