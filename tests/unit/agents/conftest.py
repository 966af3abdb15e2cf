"""What tests of agents share."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Give a pipe through which a family of processes tells who it is, which is no output of a command."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"
