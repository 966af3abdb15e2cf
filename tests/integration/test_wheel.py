"""The wheel carries the starter: a project made from an installed Echelon is the one of this repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel of this repository is unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_a_project_made_by_an_installed_echelon_has_a_job_that_can_be_planned(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed), "ECHELON_HOME": str(tmp_path / "home")}

    def echelon(*arguments: str, cwd: Path) -> str:
        command = [sys.executable, "-m", "echelon", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, check=True, capture_output=True, text=True, timeout=100
        ).stdout

    echelon("init", "thing", cwd=tmp_path)
    planned = echelon("plan", "flows/audit.py:audit", "--param", "path=.", "--json", cwd=tmp_path / "thing")

    assert '"structure"' in planned
    assert {path.name for path in (tmp_path / "thing").iterdir()} >= {"flows", "tasks", "contracts", "deployments"}


def test_the_starter_in_the_wheel_is_the_one_in_the_repository(installed: Path) -> None:
    for folder in ("flows", "tasks", "contracts", "deployments"):
        ours = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if _belongs(path)}
        theirs = {path.relative_to(installed / "echelon/starter" / folder) for path in _files(installed, folder)}

        assert theirs == ours


def _files(installed: Path, folder: str) -> list[Path]:
    return [path for path in (installed / "echelon/starter" / folder).rglob("*") if path.is_file()]


def _belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
