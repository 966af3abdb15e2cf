"""Files are written as a whole or not at all, never over what nobody expects, and never out of the folder."""

import os
from pathlib import Path

import pytest

from echelon import AgentFailed
from tasks.writing import NOTHING, NewContent, content_of, digest_of_bytes, write_files
from tests.unit.audit.building import tree

OLD, NEW = b"old\n", b"new\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two files, and outside of it one that nobody may touch."""
    tree(tmp_path / "outside", {"file.py": OLD})
    return tree(tmp_path / "root", {"a.py": OLD, "app/b.py": OLD})


def over(name: str, expected: bytes | None = OLD) -> NewContent:
    return NewContent(name, NOTHING if expected is None else digest_of_bytes(expected), NEW)


def files(root: Path) -> dict[str, bytes]:
    """Return all files of a folder, with what is left over of writing."""
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_files_are_replaced_and_new_ones_made_and_nothing_is_left_over(root: Path) -> None:
    (root / "a.py").chmod(0o750)
    write_files(root, [over("a.py"), over("app/b.py"), over("app/new.py", None)])

    assert files(root) == {"a.py": NEW, "app/b.py": NEW, "app/new.py": NEW}
    assert (root / "a.py").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    ("name", "expected", "why"),
    [
        ("app/b.py", b"other\n", "app/b.py was changed meanwhile"),
        ("app/b.py", None, "app/b.py is there already"),
        ("app/gone.py", OLD, "app/gone.py is gone"),
        ("gone/b.py", OLD, "gone/b.py cannot be written: No such file or directory"),
        ("../outside/file.py", OLD, "'../outside/file.py' is no path below"),
        ("app/../../outside/file.py", OLD, "is no path below"),
        ("link.py", OLD, "link.py is a link, or cannot be read"),
        ("linked/file.py", OLD, "linked/file.py is below a link"),
        ("a.py/b.py", OLD, "a.py/b.py is below a link, or below what is no folder"),
        ("pipe", OLD, "pipe is no regular file"),
        ("app", OLD, "app is no regular file"),
        ("", OLD, "'' is no path below"),
    ],
)
def test_when_one_cannot_be_written_none_is(root: Path, name: str, expected: bytes | None, why: str) -> None:
    (root / "link.py").symlink_to(root.parent / "outside/file.py")
    (root / "linked").symlink_to(root.parent / "outside", target_is_directory=True)
    os.mkfifo(root / "pipe")
    before = files(root.parent)

    with pytest.raises(AgentFailed, match=r"nothing was written: .*; run again") as error:
        write_files(root, [over("a.py"), over(name, expected)])
    assert why in str(error.value)
    assert files(root.parent) == before


def test_an_absolute_path_is_not_below_the_folder(root: Path) -> None:
    with pytest.raises(AgentFailed, match="is no path below"):
        write_files(root, [over(str(root.parent / "outside/file.py"))])


@pytest.mark.skipif(os.geteuid() == 0, reason="who administers a machine may write everywhere")
def test_a_folder_that_cannot_be_written_into_changes_nothing(root: Path) -> None:
    (root / "app").chmod(0o500)
    with pytest.raises(AgentFailed, match="Permission denied"):
        write_files(root, [over("a.py"), over("app/b.py")])
    assert files(root) == {"a.py": OLD, "app/b.py": OLD}


def test_what_is_there_is_read_and_a_link_is_not_followed(root: Path) -> None:
    (root / "link.py").symlink_to(root / "a.py")

    assert content_of(root, "a.py") == OLD
    assert content_of(root, "nothing.py") is None
    assert content_of(root / "nowhere", "a.py") is None
    with pytest.raises(AgentFailed, match="is a link"):
        content_of(root, "link.py")
