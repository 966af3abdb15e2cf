"""Where a shape is run: a project with the job of a user, a home, and programs that write down each call of them."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echelon import RunView
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.settings import Settings

JOBS = Path(__file__).parent / "jobs"

#: Programs that the jobs call.
PROGRAMS = ("git", "perl", "ruff")

_WRITES_DOWN = """#!/bin/sh
printf '%s\\n' "{program} $*" >> "{log}"
exec "{real}" "$@"
"""


@dataclass(frozen=True)
class Place:
    """A folder with all that one run needs."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def furnish(self, shape: str) -> None:
        """Put a job and the programs there; commands are looked for beside the running Python first."""
        flows = self.project / "flows"
        flows.mkdir(parents=True)
        shutil.copy(JOBS / f"{shape}.py", flows)
        self.python.parent.mkdir(parents=True)
        self.python.symlink_to(sys.executable)
        (self.folder / "venv" / "lib").symlink_to(Path(sys.prefix) / "lib")
        base = Path(getattr(sys, "_base_executable", sys.executable)).parent
        (self.folder / "venv" / "pyvenv.cfg").write_text(f"home = {base}\ninclude-system-site-packages = false\n")
        for program in PROGRAMS:
            real = shutil.which(program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
            assert real is not None, f"{program} is not installed"
            script = self.python.with_name(program)
            script.write_text(_WRITES_DOWN.format(program=program, log=self.log, real=real))
            script.chmod(0o755)

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    def calls(self) -> list[str]:
        """Return the calls of programs so far, without the names of folders that are only here."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.replace(f"{self.project}/", "") for line in lines]

    def echelon(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        own = {"ECHELON_HOME": str(self.folder / "home"), "ECHELON_PICTURE": "false", "OPENAI_API_KEY": "none"}
        return subprocess.run(
            [str(self.python), "-m", "echelon", *arguments, "--json"],
            cwd=self.project,
            env=os.environ | own | environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def document(self, arguments: Sequence[str], **environment: str) -> Any:
        said = self.echelon(*arguments, **environment)
        assert said.stdout, said.stderr
        return json.loads(said.stdout)

    def view(self) -> RunView:
        """Return what is on record of the only run."""
        return asyncio.run(self._view())

    async def _view(self) -> RunView:
        settings = Settings(home=self.folder / "home")
        async with SqlJournal.open(settings) as journal:
            (run,) = await journal.runs()
            events = [entry.event for entry in await journal.events(run.run_id)]
        return view_of(fold(events), OutputStore(settings.outputs_url).read_json)

    def files(self) -> dict[str, tuple[str, int]]:
        """Return the text of each file of code, and when it was written last."""
        found = sorted(self.project.glob("[co]*/*/*.py"))
        return {str(file.relative_to(self.project)): (file.read_text(), file.stat().st_mtime_ns) for file in found}
