"""Folders in which agents may write files."""

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from echelon.agents.call import Workspace, temporary_folder
from echelon.journal.private import private_folder

#: Characters of a task's id that a folder is named by.
MAX_NAME = 60


@dataclass(frozen=True)
class Workspaces:
    """The workspaces of one run, below its folder."""

    folder: Path
    """The folder of the run."""

    def make(self, task_id: str) -> Workspace:
        """Make a folder for one attempt at a task: readable, safe on any file system, empty, never that of another."""
        readable = re.sub(r"[^A-Za-z0-9_-]+", "-", task_id)[:MAX_NAME]
        work = self.folder / "work"
        private_folder(work)
        # An attempt that was given up on may still write into its own, in a thread that nobody can end.
        return Workspace(tempfile.mkdtemp(prefix=f"{readable}-", dir=work))

    @contextmanager
    def scratch(self) -> Generator[Path]:
        """Make a folder for what one call needs itself; it is gone after the block."""
        with temporary_folder(private_folder(self.folder)) as folder:
            yield folder.absolute()
