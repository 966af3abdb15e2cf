"""What the README shows is run here, as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from echelon.testing.llm_server import LlmServer, says

ROOT = Path(__file__).parents[1]
FENCES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
WORDS, FROM_PYTHON, THREE_KINDS, INTEGRATION, FAILING = FENCES

pytestmark = pytest.mark.engine


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the README's jobs and two notes of five words."""
    (tmp_path / "flows").mkdir()
    for name, text in {"words": WORDS, "review": THREE_KINDS, "quote": FAILING}.items():
        (tmp_path / "flows" / f"{name}.py").write_text(text)
    (tmp_path / "flows" / "__init__.py").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("one two")
    (tmp_path / "docs" / "b.md").write_text("three four five")
    return tmp_path


def run(project: Path, *arguments: str, exit_code: int = 0, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "ECHELON_HOME": str(project / "home"), "PYTHONPATH": str(project), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert finished.returncode == exit_code, finished.stderr
    return finished.stdout


def test_the_job_of_your_own_runs(project: Path) -> None:
    printed = run(project, "-m", "echelon", "run", "flows/words.py:words", "--param", "path=docs", "--json")

    assert json.loads(printed)["output"] == 5


def test_the_job_runs_from_python(project: Path) -> None:
    assert run(project, "-c", FROM_PYTHON).split() == ["flat", "completed", "5"]


def test_runs_go_side_by_side_and_leave_prefect_as_it_was(project: Path) -> None:
    """Two runs share the server; behind them a flow finds Prefect's own, not the one that is gone."""
    code = (
        "import asyncio\nfrom flows.words import words\n"
        "async def main():\n"
        "    both = await asyncio.gather(words.run(path='docs'), words.run(path='docs'))\n"
        "    print(*[run.output for run in (*both, await words.flow(path='docs'))])\n"
        "asyncio.run(main())"
    )
    quiet = {"PREFECT_HOME": str(project / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    patient = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90"}  # its own 20 s are not enough when others test

    assert run(project, "-c", code, **quiet, **patient).split() == ["5", "5", "5"]


def test_a_function_a_command_and_a_model_work_in_one_job(project: Path) -> None:
    with LlmServer(says({"ship": True, "reason": "it is small"})) as provider:
        printed = run(
            project,
            *("-m", "echelon", "run", "flows/review.py:review", "--param", "path=flows", "--json"),
            OPENAI_BASE_URL=provider.url,
            OPENAI_API_KEY="none",
        )

    assert json.loads(printed)["output"] == {"ship": True, "reason": "it is small"}


def test_a_default_stands_in_and_the_run_says_so(project: Path) -> None:
    command = ("-m", "echelon", "run", "flows/quote.py:quote", "--param", 'parts=["pump", "valve"]')
    told = run(project, *command, exit_code=3)
    result = json.loads(run(project, *command, "--json", exit_code=3))

    assert "price/valve: ConnectionError: the price list does not answer (instead: the default value)" in told
    assert (result["output"], result["status"]) == (14.0, "partial")


def test_the_staged_integrator_is_one() -> None:
    namespace: dict[str, object] = {}
    exec(INTEGRATION, namespace)  # the fence is ours

    assert namespace["area_of_areas"].combiner is not None
