"""What changed in a folder, and what is in it now: bounded, and nothing outside of it is read (D11, X9)."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from echelon.coordination.success import files
from echelon.coordination.success.files import EMPTY, digests_in, look_at


def test_copies_of_one_tree_are_known_by_names_and_sizes(tmp_path: Path) -> None:
    for name, content in (("one", "x = 1"), ("copy", "x = 2"), ("other", "x = 10")):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "app.py").write_text(content)
    trees = {name: look_at(tmp_path / name).tree for name in ("one", "copy", "other")}

    assert trees["one"] == trees["copy"] != trees["other"]
    assert EMPTY.tree == ""


def test_a_file_that_is_gone_has_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")

    assert digests_in(tmp_path, ["a.py", "b.py"]) == {"a.py": sha256(b"x").hexdigest(), "b.py": ""}


def test_what_is_no_file_of_the_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "work" / "pipe")

    assert digests_in(tmp_path / "work", ["link", "pipe"]) == {}


def test_what_is_too_large_or_behind_the_first_ones_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_DIGESTED_BYTES", 3)
    monkeypatch.setattr(files, "MAX_DIGESTS", 2)
    for name, content in (("a", "four"), ("b", "x"), ("c", "x")):
        (tmp_path / name).write_text(content)

    assert digests_in(tmp_path, ["a", "b", "c"]).keys() == {"b"}
