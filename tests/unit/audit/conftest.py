from pathlib import Path

import pytest

from echelon.journal.outputs import OutputStore


@pytest.fixture
def store(tmp_path: Path) -> OutputStore:
    return OutputStore(str(tmp_path / "outputs"))
