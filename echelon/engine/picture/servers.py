"""The servers that pictures are drawn into: the ones that runs name, and one of this process's own for all others."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from echelon.engine.picture.api import Api, Unreachable, open_configured, open_own
from echelon.engine.picture.request import PictureRequest
from echelon.engine.server.handle import spawn_embedded
from echelon.engine.server.kept import kept_server
from echelon.engine.server.secret import read_credentials
from echelon.engine.server.settings import configure
from echelon.engine.server.spawn import ServerProcess
from echelon.model.errors import ServerError

#: The server of a home, whichever process runs it at the moment: the records are the same.
LOCAL = "local"


class Servers:
    """Connects to servers, and runs one where none is named or kept."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._own: ServerProcess | None = None
        self._starting = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def connect(self, request: PictureRequest) -> AsyncGenerator[tuple[Api, str]]:
        """Give the API that a run is to be drawn into, and a name of the records behind it.

        Raises `Unreachable` when there is none at the moment.
        """
        if request.api_url:
            configure(self._home)  # what Prefect reads when it is imported
            async with open_configured(request.api_url) as api:
                yield api, request.api_url
            return
        kept = kept_server(self._home)
        url = kept.url if kept is not None else await self._run_own()
        async with open_own(url, read_credentials(self._home / "prefect")) as api:
            yield api, LOCAL

    async def stop(self) -> None:
        """End our own server, once it has recorded what it was sent; its records stay."""
        if self._own is not None:
            await asyncio.to_thread(self._own.stop)
            self._own = None

    async def _run_own(self) -> str:
        """Return the address of our own server, which answers; started where it is not running."""
        async with self._starting:
            if self._own is not None and self._own.has_ended:
                await self.stop()
            try:
                if self._own is None:
                    self._own = await asyncio.to_thread(spawn_embedded, self._home, share=False)
                await self._own.ready()
            except ServerError as error:
                raise Unreachable(str(error)) from error
            return self._own.url
