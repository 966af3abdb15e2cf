"""A project of a hundred files is mended by ruff: what passes is one patch, what does not is named (X12, F8)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.starters.shell import Shell, result

MEND = "flows/mend.py:mend"

#: Files that ruff can mend, that it cannot, and that have nothing to mend.
MENDED, LEFT, FINE = 80, 12, 10


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with a configuration of its own, which asks for more than ruff does by itself, and for writing."""
    folder = tmp_path / "project"
    config = '[tool.ruff]\nfix = true\nfix-only = true\n[tool.ruff.lint]\nselect = ["F", "E", "I", "UP"]\n'
    files = {
        "pyproject.toml": config,
        "shop/__init__.py": "",
        "old/latin.py": b"# coding: latin-1\nx = '\xe9'\nimport os\n",
    }
    for number in range(MENDED):
        files[f"shop/part{number % 6}/m{number}.py"] = (
            "import sys\nimport shop\nimport os\n\nfrom typing import List\n\n\n"
            f"def total_{number}(prices: List[int]) -> int:\n    return sum(prices)\n\n\nprint(shop, f'x')\n"
        )
    for number in range(LEFT):
        files[f"shop/bad{number}.py"] = f"import os\n\n\ndef pay(l):\n    return undefined_{number}\n"
    for number in range(FINE):
        files[f"shop/fine{number}.py"] = f"X = {number}\n"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def tree_of(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def ruff(folder: Path, *files: str) -> str:
    command = [str(Path(sys.executable).parent / "ruff"), "check", "--no-fix", "--no-fix-only", "--no-cache", *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False).stdout


def test_what_passes_is_one_patch_and_the_project_is_as_it_was(tmp_path: Path, project: Path) -> None:
    before, shell = tree_of(project), Shell(tmp_path / "home")
    said = shell.document("run", MEND, "--param", f"path={project}", "--out", str(tmp_path / "out"), code=3)
    patched = tmp_path / "patched"
    shutil.copytree(project, patched)
    subprocess.run(["git", "apply", str(tmp_path / "out/mend.patch")], cwd=patched, check=True, timeout=60)
    output = said["output"]

    assert tree_of(project) == before
    assert (len(output["files"]), output["mended"]) == (MENDED, MENDED * 6)
    assert "All checks passed!" in ruff(patched, *output["files"])
    assert sorted(output["left"]) == sorted(["old/latin.py", *(f"shop/bad{number}.py" for number in range(LEFT))])
    assert sorted(output["left"]) == sorted(one["task_id"].removeprefix("fix/") for one in said["missing"])
    assert "line 4: F821 Undefined name `undefined_0`" in output["left"]["shop/bad0.py"]
    assert "not UTF-8" in output["left"]["old/latin.py"]


def test_nothing_to_mend_is_an_empty_patch(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/fine.py").write_text("X = 1\n")
    said = Shell(tmp_path / "home").document("run", MEND, "--param", f"path={tmp_path / 'project'}")

    assert said["exceptions"] == []
    assert (said["output"]["text"], said["output"]["files"], said["output"]["left"]) == ("", [], {})


def test_a_linter_that_does_not_work_says_so(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/ruff.toml").write_text("select = 7\n")
    said = Shell(tmp_path / "home").document("run", MEND, "--param", f"path={tmp_path / 'project'}", code=1)

    assert any("ruff.toml" in one["reason"] for one in said["missing"]), said["missing"]


#: A coding agent: reads its task, mends one finding a round, makes what it must not, and leaves traces.
CODER = """
import pathlib, re, sys
task = sys.stdin.read()
file = pathlib.Path(sys.argv[1])
text = file.read_text()
with open(sys.argv[2], "a") as log:
    log.write(file.name + ": " + " ".join(re.findall("[A-Z]+[0-9]+", task)) + chr(10))
if "emptied" in file.name:
    file.write_text("")
elif "failing" in file.name:
    sys.exit("no more credit")
else:
    file.write_text(text.replace("import os\\n", "", 1) if "import os" in text else text.replace("lost", "1"))
pathlib.Path("other.py").write_text("import os\\n")
"""


def test_a_coding_agent_mends_copies_until_the_linter_finds_nothing(tmp_path: Path) -> None:
    project, log = tmp_path / "project", tmp_path / "log"
    (project / "app").mkdir(parents=True)
    (tmp_path / "coder.py").write_text(CODER)
    for name in ("mended", "emptied", "failing"):
        (project / f"app/{name}.py").write_text("import os\n\n\ndef f():\n    return lost\n")
    before, fixer = tree_of(project), f'["{sys.executable}", "{tmp_path / "coder.py"}", "{{file}}", "{log}"]'
    shell = Shell(tmp_path / "home")
    said = shell.document("run", MEND, "--param", f"path={project}", "--param", f"fixer={fixer}", code=3)

    assert tree_of(project) == before
    assert said["output"]["files"] == ["app/mended.py"]
    assert "no longer there: f" in said["output"]["left"]["app/emptied.py"]
    assert "no more credit" in said["output"]["left"]["app/failing.py"]
    told = [line for line in log.read_text().splitlines() if line.startswith("mended")]
    assert told == ["mended.py: F401 F821", "mended.py: F821"]


@pytest.mark.parametrize("at", ["step.recorded:40", "check.ended:30"])
def test_a_run_that_is_killed_is_resumed_and_ends_as_if_it_had_not_been(tmp_path: Path, project: Path, at: str) -> None:
    undisturbed = Shell(tmp_path / "other").document("run", MEND, "--param", f"path={project}", code=3)
    shell = Shell(tmp_path / "home")
    killed = shell.call("run", MEND, "--param", f"path={project}", ECHELON_FAILPOINT_AT=at)
    resumed = shell.document("resume", shell.last_run(), code=3)

    assert killed.returncode == -9, killed.stderr
    assert result(resumed) == result(undisturbed)
