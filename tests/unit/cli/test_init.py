import json

import pytest

from echelon.cli.starter import FOLDERS, starter_files, starter_root


def test_the_starter_is_found_in_this_checkout():
    assert all((starter_root() / folder).is_dir() for folder in ("flows", "tasks", "contracts"))


def test_the_starter_has_no_compiled_and_no_hidden_files():
    paths = [path for path, _ in starter_files("demo")]

    assert "flows/audit.py" in paths
    assert not [path for path in paths if "__pycache__" in path or path.endswith(".pyc") or "/." in path]
    assert {path.partition("/")[0] for path in paths if "/" in path} <= set(FOLDERS)


def test_a_new_project_gets_the_starter_and_a_project_file_of_its_own(echelon, tmp_path):
    folder = tmp_path / "My Project"

    said = echelon("init", str(folder), "--json")

    created = json.loads(said.out)["created"]
    assert said.code == 0
    assert (folder / "flows/audit.py").read_bytes() == (starter_root() / "flows/audit.py").read_bytes()
    assert 'name = "my-project"' in (folder / "pyproject.toml").read_text()
    assert sorted(created) == sorted(path for path, _ in starter_files("my-project"))


def test_a_folder_with_files_is_left_alone(echelon, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    said = echelon("init", str(tmp_path))

    assert said.code == 2
    assert "is not empty" in said.err
    assert not (tmp_path / "flows").exists()


def test_force_adds_what_is_missing_and_changes_nothing(echelon, tmp_path):
    (tmp_path / "README.md").write_text("mine")

    said = echelon("init", str(tmp_path), "--force")

    assert said.code == 0
    assert "kept as it was: README.md" in said.out
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "flows/audit.py").is_file()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_way_is_wrong_use(echelon, tmp_path, place):
    (tmp_path / "file").write_text("mine")

    said = echelon("init", str(tmp_path / place))

    assert said.code == 2
    assert said.err.count("\n") == 1
