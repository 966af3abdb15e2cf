"""What a run reads and makes is its owner's alone, and nothing is written through a link."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from echelon import Job, agent
from echelon.definition.definition import NoInputs
from echelon.engine.run import RunOptions, run_job
from echelon.journal.private import make_private, private_folder, write_private

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


@agent
def look() -> str:
    """Make something that is kept in a file."""
    return "x" * 20_000


def looking() -> Job:
    job = Job("looking", goal="Look")
    job.phase("look", agent=look)
    return job


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "homes" / "mine"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    before = os.umask(0o022)
    yield tmp_path / "homes" / "mine"
    os.umask(before)


def run(**options: object) -> None:
    asyncio.run(run_job(looking(), NoInputs(), RunOptions(**options)))  # type: ignore[arg-type]


def test_a_home_is_for_its_owner_only(home: Path, tmp_path: Path) -> None:
    run(out=tmp_path / "elsewhere" / "report")

    made = [home, *home.rglob("*"), *(tmp_path / "elsewhere").rglob("*")]
    assert len(made) > 8
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in made if path.stat().st_mode & 0o077} == {}


def test_a_home_that_others_may_enter_is_taken_back(home: Path) -> None:
    home.mkdir(parents=True)
    home.chmod(0o755)
    (home / "journal.db").touch(0o644)
    run()

    assert [path.stat().st_mode & 0o777 for path in (home, home / "journal.db")] == [0o700, 0o600]


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_a_report_that_is_a_link_is_replaced_and_not_followed(home: Path, tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / name).symlink_to(precious)
    run(out=folder)

    assert precious.read_text() == "precious"
    assert not (folder / name).is_symlink()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        write_private(tmp_path / "taken", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_folders_above_are_private_too_and_others_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o755)
    private_folder(tmp_path / "theirs" / "a" / "b")
    make_private(tmp_path / "missing")

    modes = [(tmp_path / "theirs" / part).stat().st_mode & 0o777 for part in ("", "a", "a/b")]
    assert modes == [0o755, 0o700, 0o700]


def test_threads_that_make_one_folder_at_the_same_time_all_have_it(tmp_path: Path) -> None:
    """One found it missing, and a moment later in its way."""
    start = threading.Barrier(8)

    def make(number: int) -> Path:
        start.wait()
        return private_folder(tmp_path / str(number // 8) / "a" / "b")

    with ThreadPoolExecutor(8) as pool:
        assert all(folder.is_dir() for folder in pool.map(make, range(400)))
