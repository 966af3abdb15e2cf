"""The public types are pinned: what pyright says in strict mode about code of users."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

#: Whole jobs, as users write them.
JOBS = sorted((ROOT / "tests" / "shapes" / "jobs").glob("*.py"))

#: Imports are read from this repository; nothing of it is reported.
SETTINGS = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, str]]]:
    """Return the errors of each file, as line and rule; one run of pyright, which takes long to start."""
    folder = tmp_path_factory.mktemp("typing")
    files = [HERE / "api.py", HERE / "mistakes.py", *JOBS]
    errors: dict[str, set[tuple[int, str]]] = {file.name: set() for file in files}
    for file in files:
        shutil.copy(file, folder)
    (folder / "pyrightconfig.json").write_text(json.dumps(SETTINGS))
    line = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    said = json.loads(subprocess.run(line, capture_output=True, text=True, check=False).stdout)
    assert said["summary"]["filesAnalyzed"] == len(errors)
    for one in said["generalDiagnostics"]:
        errors[Path(one["file"]).name].add((one["range"]["start"]["line"] + 1, one.get("rule", one["message"])))
    return errors


@pytest.mark.timeout(300)
def test_code_of_users_has_precise_types_at_the_door(found: dict[str, set[tuple[int, str]]]) -> None:
    assert found["api.py"] == set()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_whole_jobs_of_users_have_precise_types(found: dict[str, set[tuple[int, str]]], job: Path) -> None:
    assert found[job.name] == set()


@pytest.mark.timeout(300)
def test_mistakes_of_users_are_found_where_they_are(found: dict[str, set[tuple[int, str]]]) -> None:
    lines = (HERE / "mistakes.py").read_text().splitlines()
    marked = {(number, rule) for number, line in enumerate(lines, 1) for rule in re.findall(r"\breport\w+", line)}

    assert found["mistakes.py"] == marked
