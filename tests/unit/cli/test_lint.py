"""`echelon lint`: what is wrong with a plan, on paper and as JSON."""

import json
from pathlib import Path

import pytest

from echelon.cli.lint import lint
from echelon.model.errors import InvalidInput

ROOT = Path(__file__).parents[3]
GRAPH = {"name": "survey", "goal": "Find what is risky", "tasks": [{"id": f"t{i}", "goal": "Look"} for i in range(12)]}


def graph_file(folder: Path, **more: object) -> str:
    file = folder / "graph.json"
    file.write_text(json.dumps(GRAPH | more), encoding="utf-8")
    return str(file)


def test_a_plan_without_findings_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(graph_file(tmp_path)) == 0
    assert capsys.readouterr().out == "survey: nothing found: no rule is broken\n"


def test_an_error_is_told_with_its_fix_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = graph_file(tmp_path, organisation={"structure": "flat", "approval": "everything"}, goal="use pandas for it")
    said = (lint(file), capsys.readouterr().out)

    assert said[0] == 1
    assert said[1].startswith("Errors")
    assert said[1].index("Errors") < said[1].index("Warnings")
    assert "12 agents" in said[1]
    assert "add leads in between" in said[1]
    assert said[1].endswith("survey: 2 errors, 3 warnings\n")


def test_warnings_alone_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(graph_file(tmp_path, goal="use pandas for it")) == 0
    assert capsys.readouterr().out.endswith("survey: 1 warning\n")


def test_as_json_there_are_findings_and_how_many_of_each_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = lint(graph_file(tmp_path, organisation={"visibility": "everything"}), as_json=True)
    told = json.loads(capsys.readouterr().out)

    assert code == 1
    assert told["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert set(told["findings"][0]) == {"rule", "level", "where", "message", "fix"}
    assert (told["findings"][0]["rule"], told["findings"][0]["level"]) == ("L4", "error")


JOB = """
from echelon import Handoffs, Job, agent
from echelon.definition.need import Need

@agent
async def look() -> str:
    'Look.'
    return "seen"

@agent
async def rank(look: Handoffs[str]) -> int:
    'Rank.'
    return len(look)

survey = Job("survey", goal="Look around")
survey.phase("look", agent=look)
survey.phase("rank", agents=[rank, agent(name="again")(rank.function)], needs=NEED)
"""


@pytest.mark.parametrize(
    ("need", "told"),
    [
        ('Need("look", "tight")', ["'rank' is tightly coupled to 'look' and no reason is given"]),
        ('Need("look", "tight", reason="half a survey misleads")', []),
        ('{"look": "tight"}', ["'rank' is tightly coupled to 'look' and no reason is given"]),
        ('Need("look", "loose")', []),
        ('"look"', []),
    ],
    ids=["D3-no-reason", "D3-reason", "D3-mapping", "D3-loose", "D3-unstated"],
)
def test_a_phase_that_needs_another_tightly_says_why(
    tmp_path: Path, importing: None, capsys: pytest.CaptureFixture[str], need: str, told: list[str]
) -> None:
    job = tmp_path / "survey.py"
    job.write_text(JOB.replace("NEED", need), encoding="utf-8")

    assert lint(f"{job}:survey", as_json=True) == 0

    findings = json.loads(capsys.readouterr().out)["findings"]
    found = [one for one in findings if one["rule"] == "D3"]
    assert [one["message"].split(":")[0] for one in found] == told
    assert all("(`reason`)" in one["fix"] for one in found)


def test_a_larger_span_is_linted_as_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(graph_file(tmp_path), span=12, as_json=True) == 0
    assert [one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]] == ["L2"]


def test_a_place_that_is_long_is_cut_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [{"id": "t" * 60, "goal": "pay", "irreversible": True}, {"id": "b", "goal": "look"}]

    assert lint(graph_file(tmp_path, tasks=tasks)) == 0
    assert f"{'t' * 39}…" in capsys.readouterr().out


def test_the_audit_breaks_no_rule(importing: None, capsys: pytest.CaptureFixture[str]) -> None:
    code = lint(f"{ROOT / 'flows' / 'audit.py'}:audit", param=[f"path={ROOT / 'tasks'}"], as_json=True)

    assert code == 0
    assert json.loads(capsys.readouterr().out)["counts"]["error"] == 0


def test_what_is_no_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no file"):
        lint(str(tmp_path / "nothing.py:job"))
