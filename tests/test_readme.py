"""What README and docs promise beyond their fences, which `test_docs.py` uses."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import echelon
from echelon.cli.commands import COMMANDS
from echelon.cli.main import main
from echelon.model.concern import Route
from echelon.model.exception_report import Level
from echelon.model.graph import Coupling
from echelon.model.organisation import Structure
from echelon.model.run import RunResult, RunStatus
from echelon.model.status import Status
from echelon.runlog.events import RunEvent
from echelon.settings import Settings
from tests.test_docs import PAGES, fences, logging_as_before, named, on_time, plain  # noqa: F401 - a fixture is among them

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

#: Keys of the document of `echelon show` beside those of a result.
SHOWN = (
    *("incidents", "breakers", "waits", "at_work", "job", "source", "inputs", "started", "finished", "exit_code"),
    *("phases", "forecast", "plan"),
)

#: Lines that a stranger reads before giving up.
MAX_LINES = {"README.md": 200, "AGENTS.md": 100}


@pytest.mark.parametrize(("file", "lines"), MAX_LINES.items())
def test_a_first_text_is_short(file: str, lines: int) -> None:
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= lines


@pytest.mark.usefixtures("logging_as_before")
def test_make_run_ends_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same audit of a folder that is audited sooner; any number may be another one."""
    shown = next(fence.text for fence in fences(README) if fence.text.startswith("phase scan"))
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("echelon.engine.run.request_picture", lambda *_: None)
    monkeypatch.chdir(ROOT)
    folder = tmp_path / "audit-report"

    assert main(["run", "flows/audit.py:audit", "--param", "path=contracts", "--out", str(folder)]) == 0
    printed = capsys.readouterr()
    told = on_time(printed.err + printed.out).replace(str(folder), folder.name)
    # What a run teaches depends on how fast the machine is.
    told = re.sub(r"^learnt .*\n(?: {7}.*\n)*", "", told, flags=re.MULTILINE)
    assert _without_numbers(on_time(shown)) == _without_numbers(told)
    assert (folder / "report.html").exists()


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d,]*", "N", re.sub(r"the job is [a-z_-]+", "the job is …", plain(text)))


def test_the_map_shows_what_is_there() -> None:
    shown = next(fence.text for fence in fences(README) if fence.text.startswith("flows/"))
    inside = re.findall(r"([\w-]+/|\w+\.py)(?=[ :;])", shown.partition("echelon/")[2])
    tops = re.findall(r"^([\w-]+/)", shown, flags=re.MULTILINE)

    assert [name for name in tops if not (ROOT / name).is_dir()] == []
    assert {name for name in inside if not list((ROOT / "echelon").rglob(name.rstrip("/")))} == set()
    packages = {f"{folder.name}/" for folder in (ROOT / "echelon").iterdir() if (folder / "__init__.py").exists()}
    assert packages - set(inside) == set()


def test_every_command_is_named() -> None:
    named = README.read_text(encoding="utf-8").partition("## Commands")[2].partition("##")[0]

    assert [command.name for command in COMMANDS if f"`{command.name}`" not in named] == []


def test_runs_go_side_by_side_and_do_not_import_prefect(tmp_path: Path) -> None:
    """Two runs of the first job at one time, in a process of their own; their pictures have tests of their own."""
    words = next(fence for fence in fences(README) if fence.file == "flows/words.py")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").touch()
    (tmp_path / "flows" / "words.py").write_text(words.text)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("one two")
    code = (
        "import asyncio, sys\nimport echelon.engine.run\nfrom flows.words import words\n"
        "echelon.engine.run.request_picture = lambda *_: None\n"
        "async def main():\n"
        "    both = await asyncio.gather(words.run(path='notes'), words.run(path='notes'))\n"
        "    print(*[run.output['count/a.md'] for run in both], 'prefect' in sys.modules)\n"
        "asyncio.run(main())"
    )
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    own = {"PREFECT_PROFILES_PATH": str(tmp_path / "none.toml"), "ECHELON_HOME": str(tmp_path / "home")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=mine | own | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["2", "2", "False"]


# All pages ------------------------------------------------------------------------------------------------------------


TEXTS = [*PAGES, ROOT / "CHANGELOG.md"]


def anchors(page: Path) -> set[str]:
    """Return what links can lead to in a page, as GitHub names it."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or (bool(anchor) and anchor not in anchors(target))


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not link.startswith("https://") and leads_nowhere(page, link)] == []


def test_every_page_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES if ROOT / "docs" in page.parents]

    assert [page for page in pages if page != "README.md" and f"({page})" not in listed] == []


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_rules_that_are_cited_are_explained(page: Path) -> None:
    explained = set(re.findall(r"^\| ([A-Z]\d+)", (ROOT / "docs/rules.md").read_text(encoding="utf-8"), re.MULTILINE))
    cited = set(re.findall(r"\b[RDCXFOVML]\d{1,2}\b", page.read_text(encoding="utf-8")))

    assert cited - explained == set()


def test_it_is_said_of_every_public_name_whether_it_stays() -> None:
    said = (ROOT / "docs" / "stability.md").read_text(encoding="utf-8")
    names = [
        *echelon.__all__,
        *(command.name for command in COMMANDS),
        *(f"ECHELON_{field.upper()}" for field in Settings.model_fields),
        *RunResult.model_fields,
        *SHOWN,
    ]

    assert [name for name in names if f"`{name}`" not in said] == []


def test_the_glossary_has_every_kind_and_every_status() -> None:
    said = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    kinds = [kind.model_fields["kind"].default for kind in get_args(get_args(RunEvent)[0])]
    words = [*kinds, *RunStatus, *Status, *Coupling, *Structure, *Route, *Level]

    assert [word for word in words if f"`{word}`" not in said] == []
