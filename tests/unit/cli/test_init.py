import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from echelon.cli.starter import FOLDERS, starter_files, starter_root


def test_the_starter_is_found_in_this_checkout():
    assert all((starter_root() / folder).is_dir() for folder in ("flows", "tasks", "contracts"))


def test_the_starter_has_no_compiled_and_no_hidden_files():
    paths = [path for path, _ in starter_files("demo", "audit")]

    assert "flows/audit.py" in paths
    assert not [path for path in paths if "__pycache__" in path or path.endswith(".pyc") or "/." in path]
    assert {path.partition("/")[0] for path in paths if "/" in path} <= set(FOLDERS)


def test_a_new_project_gets_the_starter_and_a_project_file_of_its_own(echelon, tmp_path):
    folder = tmp_path / "My Project"

    said = echelon("init", str(folder), "--template", "audit", "--json")

    created = json.loads(said.out)["created"]
    assert said.code == 0
    assert (folder / "flows/audit.py").read_bytes() == (starter_root() / "flows/audit.py").read_bytes()
    assert 'name = "my-project"' in (folder / "pyproject.toml").read_text()
    assert sorted(created) == sorted(path for path, _ in starter_files("my-project", "audit"))


@pytest.mark.parametrize(
    ("template", "extra", "source", "inputs"),
    [
        ("research", "llm", "flows/research.py:research", ("--param", "folder=.", "--param", "question=Which folder?")),
        ("mend", "audit", "flows/mend.py:mend", ("--param", "path=.")),
    ],
)
def test_a_job_that_comes_with_echelon_is_a_project_by_itself(tmp_path, echelon, template, extra, source, inputs):
    """Nothing of the others is in it, and nothing of it is missing: it runs."""
    folder = tmp_path / template
    echelon("init", str(folder), "--template", template)
    paths = {path for path, _ in starter_files(template, template)}
    ran = json.loads(in_project(folder, "echelon", "run", source, *inputs, "--json"))

    assert f"flows/{template}.py" in paths
    assert not [path for path in paths if "audit" in path or path.startswith("deployments/")]
    assert f"echelon[{extra}]" in (folder / "pyproject.toml").read_text()
    assert ran["status"] == "completed"


def test_the_audit_has_nothing_of_the_other_jobs():
    paths = [path for path, _ in starter_files("demo", "audit")]

    assert [path for path in paths if "research" in path or "mend" in path] == []
    assert "deployments/prefect.yaml" in paths


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
    assert (tmp_path / "flows/words.py").is_file()


@pytest.fixture
def small(echelon, tmp_path: Path) -> Path:
    """A new project, as it is made without saying more."""
    folder = tmp_path / "small"
    assert echelon("init", str(folder)).code == 0
    return folder


def test_a_new_project_is_small(small):
    files = {file.relative_to(small).as_posix() for file in small.rglob("*") if file.is_file()}
    code = [line for line in (small / "flows/words.py").read_text().splitlines() if line.strip()]

    assert files == {path for path, _ in starter_files("small")}
    assert not [name for name in files if name.endswith(".txt")]
    assert 'name = "small"' in (small / "pyproject.toml").read_text()
    assert len(code) <= 25


def in_project(folder: Path, *command: str) -> str:
    """Run a command in a project, as its owner would, and return what it printed."""
    foreign = ("PREFECT_", "ECHELON_", "OPENAI_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = {"ECHELON_HOME": str(folder.parent / "home"), "ECHELON_PICTURE": "false"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=kept | own,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_tests_of_a_new_project_pass_as_they_are(small):
    assert "3 passed" in in_project(small, "pytest", "-q", "-W", "error", "-p", "no:llmock")


def test_the_job_of_a_new_project_runs_and_both_can_be_planned_without_a_key(small):
    ran = json.loads(in_project(small, "echelon", "run", "flows/words.py:words", "--json"))
    planned = json.loads(in_project(small, "echelon", "plan", "flows/summaries.py:summaries", "--json"))

    assert (ran["status"], ran["output"]) == ("completed", 10)
    assert planned["n_agents"] == 2
    assert "nothing found" in in_project(small, "echelon", "lint", "flows/words.py:words")


def test_the_code_of_a_new_project_is_in_shape(small):
    in_project(small, "ruff", "check", "--isolated", "--extend-select=I,B,UP,SIM,RUF", "--ignore=E402", ".")
    in_project(small, "ruff", "format", "--isolated", "--line-length=120", "--check", ".")


def test_what_does_not_exist_is_no_template(echelon, tmp_path):
    said = echelon("init", str(tmp_path / "new"), "--template", "large")

    assert said.code == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_way_is_wrong_use(echelon, tmp_path, place):
    (tmp_path / "file").write_text("mine")

    said = echelon("init", str(tmp_path / place))

    assert said.code == 2
    assert said.err.count("\n") == 1
