"""Reports are files in one folder, whoever makes them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from echelon import Job
from echelon.conventions.brief import PAGE
from echelon.conventions.facts import facts_of
from echelon.conventions.page import conventions
from echelon.engine.reporting import write_conventions, write_report
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.run import RunView
from echelon.planning.planner import plan
from tests.unit.visibility.building import run_view


def job(render: Callable[[RunView], Mapping[str, str | bytes]] | None) -> Job:
    return Job("survey", goal="Look around", report=render)


def test_the_files_a_job_makes_are_written_as_they_are(tmp_path: Path) -> None:
    files = {"report.md": "# ünïcode", "pictures/tree.svg": b"<svg/>"}
    written = write_report(job(lambda view: files), run_view(output=1), tmp_path / "new")

    assert written == files
    assert (tmp_path / "new" / "report.md").read_text(encoding="utf-8") == "# ünïcode"
    assert (tmp_path / "new" / "pictures" / "tree.svg").read_bytes() == b"<svg/>"


def _breaks(view: RunView) -> Mapping[str, str | bytes]:
    raise ZeroDivisionError


@pytest.mark.parametrize("render", [None, _breaks, lambda view: {}])
def test_without_a_report_of_its_own_a_job_gets_the_usual_one(
    tmp_path: Path, render: Callable[[RunView], Mapping[str, str | bytes]] | None
) -> None:
    write_report(job(render), run_view(output=1), tmp_path)

    assert {file.name for file in tmp_path.iterdir()} == {"report.md", "report.html"}


@pytest.mark.parametrize("name", ["../report.md", "/tmp/report.md", "a/../../report.md"])
def test_a_report_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidJob, match="outside of the report's folder"):
        write_report(job(lambda view: {name: "x"}), run_view(output=1), tmp_path / "report")

    assert not (tmp_path / "report.md").exists()


def test_what_agents_keep_to_is_in_the_folder_of_the_run(tmp_path: Path) -> None:
    made = plan(TaskGraph(name="survey", goal="Look around", tasks=(TaskSpec(id="ünï", goal="look"),)))
    write_conventions(facts_of(made), tmp_path / "runs" / "one")

    assert (tmp_path / "runs" / "one" / PAGE).read_text(encoding="utf-8") == conventions(facts_of(made))
