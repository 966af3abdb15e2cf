"""A run in waves as people meet it: `echelon run`, `show`, the report and the JSON say the same (X3, X4)."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, document, project

pytestmark = pytest.mark.engine

JOB = """
from pydantic import BaseModel

from echelon import AgentFailed, Brief, Handoffs, Job, Sync, agent, integrator


class Inputs(BaseModel):
    pages: int = 12


@agent
def read(page: int, brief: Brief) -> str:
    if page == 1:
        raise AgentFailed("the encoding is odd")
    return "with care" if "encoding" in brief.summary else "as always"


def enough(read: Handoffs[str]) -> bool:
    return read.outputs().count("with care") >= 4


@integrator
def count(read: Handoffs[str]) -> int:
    return len(read)


survey = Job("survey", goal="Read enough pages", inputs=Inputs)
survey.phase(
    "read", each=read, over=lambda pages: list(range(pages)), sync=Sync.every(4), stop=enough, integrate=count
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, JOB)


def test_waves_drift_and_what_was_not_begun_are_seen_everywhere(folder: Path, echelon: Echelon) -> None:
    said = document(echelon("run", f"{folder}/jobs.py:survey", "--json"), 3)
    waves = said["sync"]["waves"]

    assert said["output"] == 7
    assert [(len(one["tasks"]), one["revealed"], one["ended_by"]) for one in waves] == [
        (4, 1, "interval"),
        (4, 0, "interval"),
    ]
    assert list(said["sync"]["stopped"]) == [f"read/{page}" for page in (8, 9, 10, 11)]
    assert [one["task_id"] for one in said["missing"]] == ["read/1"]
    assert said["launched"] == said["returned"] + 1
    assert said["sync"]["drift"][0]["context"] == {"found": 3, "of": 7, "share": 3 / 7}

    shown = echelon("show", said["run_id"]).stdout
    report = (Path(said["report"]) / "report.md").read_text()
    for text in (shown, report):
        assert "2 waves of 4 tasks" in text
        assert "context 43 % (3 of 7)" in text
        assert "4 tasks not begun: enough says that it is enough" in text.replace("\n", " ")

    plan = echelon("plan", f"{folder}/jobs.py:survey").stdout
    assert "done in waves" in plan
