"""A server that runs in a thread, for as long as a block of a test takes."""

import socketserver
import threading
from types import TracebackType
from typing import Self, cast


class ServedInThread:
    """Serves from the beginning of a block to its end; `closing` is set when that is reached."""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self.closing = threading.Event()
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        """Where it listens."""
        return cast("tuple[str, int]", self._server.server_address)[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
