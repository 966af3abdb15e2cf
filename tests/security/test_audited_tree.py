"""An audit reads code that nobody has looked at yet: nothing in it is run, obeyed, followed out of it, or changed.

What git would run is tried in `tests/unit/audit/test_git_calls.py`.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sides import clean_environment
from tasks.dead_code import dead_code
from tasks.duplicates import duplication
from tasks.importing import imports
from tasks.linting import lint
from tests.unit.audit.building import surveyed, tree

PROJECT = Path(__file__).parents[2]

SECRET = "the-plans-of-somebody-else"

#: Modules that Python or a tool would import by name, were the tree on its path.
SHADOWS = (
    "ast",
    "json",
    "sitecustomize",
    "usercustomize",
    "ruff",
    "vulture",
    "radon",
    "networkx",
    "tasks",
    "contracts",
)

SPRINGS = "from pathlib import Path\nPath({sprung!r}).write_text(__name__)\n"

#: What is wrong in the tree, which its configuration does not want to be seen.
WRONG = "import os\n\nx = eval(input())\n"


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    return tmp_path / "sprung"


@pytest.fixture
def trapped(tmp_path: Path, sprung: Path) -> Path:
    """Give a tree with a trap for everything that reads it."""
    outside = tree(
        tmp_path / "outside", {"secret.py": f'X = "{SECRET}"\nimport os\n', "blind.toml": "lint.select = []\n"}
    )
    root = tree(tmp_path / "tree", {f"{name}.py": SPRINGS.format(sprung=str(sprung)) for name in SHADOWS})
    ruff = f'extend = "{outside}/blind.toml"\ncache-dir = "{outside}/cache"\noutput-file = "{outside}/found"\n'
    blind = 'exclude = ["*"]\n'
    tree(
        root,
        {
            "wrong.py": WRONG,
            "conftest.py": SPRINGS.format(sprung=str(sprung)),
            "below/wrong.py": WRONG,
            "ruff.toml": ruff,
            "below/.ruff.toml": 'required-version = "==0.0.1"\n',
            "pyproject.toml": f'[tool.ruff]\n{blind}[tool.vulture]\npaths = ["{outside}"]\n{blind}[tool.arid]\n{blind}',
            "setup.cfg": "[radon]\nexclude = *\n[flake8]\nexclude = *\n",
            "radon.cfg": "[radon]\nexclude = *\n",
            ".arid.toml": blind,
            ".aridignore": "*\n",
            ".ignore": "*\n",
            ".gitignore": "*\n",
        },
    )
    (root / "linked.py").symlink_to(outside / "secret.py")
    (root / "folder").symlink_to(outside, target_is_directory=True)
    (root / "round").symlink_to(root, target_is_directory=True)
    return root


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each file below a folder was changed, and what is in it; links are not followed."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("survey", [lint, dead_code, duplication, imports], ids=lambda survey: survey.name)
def test_a_survey_obeys_nothing_follows_nothing_and_changes_nothing(
    survey: Any, trapped: Path, tmp_path: Path, sprung: Path
) -> None:
    before = files_of(trapped) | files_of(tmp_path / "outside")
    outcome = surveyed(survey, trapped, tmp_path / "copy")

    assert files_of(trapped) | files_of(tmp_path / "outside") == before
    assert not sprung.exists()
    seen = outcome.output.model_dump_json()
    assert SECRET not in seen + outcome.summary
    assert "linked.py" in outcome.output.unread
    assert not any(name.startswith(("folder/", "round/")) for name in outcome.output.modules)


def test_what_is_wrong_is_found_whatever_the_tree_configures(trapped: Path, tmp_path: Path) -> None:
    found = surveyed(lint, trapped, tmp_path / "copy").output.modules

    assert [[hit.rule for hit in found[name]] for name in ("wrong.py", "below/wrong.py")] == [["F401", "S307"]] * 2


def test_the_traps_work(trapped: Path, tmp_path: Path, sprung: Path) -> None:
    """A tool that reads the configuration is blind, or fails; a Python that is started in the tree runs it."""
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts"))
    assert ruff
    blind = subprocess.run([ruff, "check", "--select=S307", "."], cwd=trapped, capture_output=True, check=False)
    subprocess.run([sys.executable, "-c", "import networkx"], cwd=trapped, capture_output=True, check=False)

    assert b"S307" not in blind.stdout
    assert sprung.exists()


@pytest.mark.engine
def test_an_audit_that_is_started_in_the_tree_runs_nothing_of_it(trapped: Path, tmp_path: Path, sprung: Path) -> None:
    before = files_of(trapped)
    ended = subprocess.run(
        [
            *(sys.executable, Path(sysconfig.get_path("scripts")) / "echelon"),
            *("run", f"{PROJECT}/flows/audit.py:audit", "--param", "path=.", "--json"),
        ],
        cwd=trapped,
        env={
            name: value
            for name, value in clean_environment(ECHELON_HOME=str(tmp_path / "home"), ECHELON_PICTURE="false").items()
            if name != "PYTHONPATH"
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    document = json.loads(ended.stdout)
    assert not sprung.exists(), sprung.read_text()
    assert files_of(trapped) == before
    assert {"wrong.py", "below/wrong.py"} <= {hotspot["path"] for hotspot in document["output"]["hotspots"]}
    assert SECRET not in ended.stdout + ended.stderr
