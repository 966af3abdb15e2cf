"""`echelon serve` as a process that a test starts, listens to and stops."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.integration.conftest import Place
from tests.integration.test_deployments import WITHIN_SECONDS


class ServeProcess:
    """`echelon serve` in a folder, which may be stopped and begun again; what it says is in `serve.log`."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder, self.log = place, folder, folder / "serve.log"

    def begin(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Begin to serve, and add what it says to the log; does not wait."""
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self.place.command("echelon", "serve", *arguments),
                cwd=self.folder,
                env=self.place.environment | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)
