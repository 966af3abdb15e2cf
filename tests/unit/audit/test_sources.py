import contextlib
from pathlib import Path

import pytest

from contracts.modules import Module
from echelon import AgentFailed
from echelon.journal.outputs import OutputStore
from tasks.discovery import discover
from tasks.scanning.scanned import unread_in
from tasks.sources import UnreadableError, clean_copy, parse, read_source
from tests.unit.audit.building import BROKEN, LIMIT, hostile, scans, tree


def module(path: str) -> Module:
    return Module(path=path, package="p")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"x = 1\n", "x = 1\n"),
        (b"", ""),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ('# coding: latin-1\nx = "é"\n'.encode("latin-1"), '# coding: latin-1\nx = "é"\n'),
        (b"x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
    ],
)
def test_source_is_decoded_as_python_does(tmp_path: Path, content: bytes, text: str) -> None:
    tree(tmp_path, {"m.py": content})

    assert read_source(tmp_path, module("m.py"), LIMIT) == text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("does_not_parse.py", r"not valid for Python 3\.\d+ \(line 1: "),
        ("null_bytes.py", r"null byte at offset 5"),
        ("latin_1_undeclared.py", r"encoding cannot be determined|cannot be decoded"),
        ("utf_16.py", r"is UTF-16"),
        ("unknown_encoding.py", r"unknown encoding: klingon"),
        ("too_large.py", r"1,200,000 bytes, the limit is 1,000,000"),
        ("too_deep.py", r"nested|too many nested parentheses"),
        ("self.py", r"a link that leads nowhere"),
        ("dangling.py", r"a link that leads nowhere"),
        ("alias.py", r"a link to empty\.py, which is audited itself"),
        ("outside.py", r"outside of the audited folder"),
        ("pipe.py", r"a named pipe"),
        ("folder.py", r"a folder"),
        ("bad\\xff.py", r"not valid UTF-8"),
    ],
)
def test_what_cannot_be_audited_says_why(tmp_path: Path, path: str, reason: str) -> None:
    hostile(tmp_path)

    with pytest.raises(UnreadableError, match=reason):
        parse(read_source(tmp_path, module(path), LIMIT))


def test_warnings_about_audited_code_are_not_ours(tmp_path: Path) -> None:
    assert parse('x = "\\d"\nif x is 1: pass\n').body


def test_the_copy_has_all_that_is_readable_and_says_what_is_not(tmp_path: Path, store: OutputStore) -> None:
    modules = discover(hostile(tmp_path / "tree"))
    unread = unread_in(scans(tmp_path / "tree", store))
    with clean_copy(tmp_path / "tree", modules, LIMIT, tmp_path / "copy", unread) as copy:
        assert {found.path for found in copy.modules.values()} | copy.unread.keys() == {found.path for found in modules}
        assert {f"{name}.py" for name in BROKEN} < copy.unread.keys()
        assert all(path.is_file() and not path.is_symlink() for path in map(copy.root.joinpath, copy.modules))


@pytest.mark.parametrize("error", [None, AgentFailed("no tool"), KeyboardInterrupt()])
def test_nothing_of_the_copy_is_kept_however_the_work_on_it_ends(tmp_path: Path, error: BaseException | None) -> None:
    modules = discover(tree(tmp_path / "tree", {"app/run.py": "x = 1\n"}))
    copying = clean_copy(tmp_path / "tree", modules, LIMIT, tmp_path / "copy", {})
    with contextlib.suppress(AgentFailed, KeyboardInterrupt), copying as copy:
        assert list(copy.root.rglob("*.py"))
        if error is not None:
            raise error

    assert not (tmp_path / "copy").exists()


def test_the_copy_is_utf_8_under_harmless_names_below_its_package(tmp_path: Path) -> None:
    latin = '# coding: latin-1\nx = "é"\n'
    tree(tmp_path / "app", {"__init__.py": "", "new\nline.py": latin.encode("latin-1")})
    with clean_copy(tmp_path / "app", discover(tmp_path / "app"), LIMIT, tmp_path / "copy", {}) as copy:
        assert sorted(copy.modules) == ["app/__init__.py", "app/new%0aline.py"]
        assert (copy.root / "app" / "new%0aline.py").read_text("utf-8") == latin
        assert copy.module_of(str(copy.root / "app" / "new%0aline.py")) == "new\nline.py"
        assert copy.module_of("app/unknown.py") is None
