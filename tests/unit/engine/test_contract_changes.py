"""C8: the journal knows what a contract was; a job is judged by it before anything is spent."""

import json
import logging
from pathlib import Path

import anyio
import pytest

from echelon.cli.arguments.source import load_job
from echelon.cli.lint import lint
from echelon.cli.plan import plan
from echelon.coordination.job_run import run_phases
from echelon.definition.definition import NoInputs
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidJob
from echelon.model.run import RunStatus
from echelon.settings import Settings

pytestmark = pytest.mark.anyio

JOB = '''
from pydantic import BaseModel

from echelon import Fallback, Handoffs, Job, Need, agent
from echelon.contract.version import contract


@contract(version="{version}")
class Finding(BaseModel):
    text: str = ""
    {field}


@agent
def inspect() -> Finding:
    """Inspect it."""
    return Finding.model_validate({{"line": 1}})


@agent
def rank(found: Handoffs[Finding]) -> int:
    """Rank what was found."""
    return {rank}


job = Job("audit", goal="Find what is risky")
job.phase("inspect", agent=inspect)
job.phase("rank", agent=rank, needs=[{need}])
'''

TIGHT = 'Need("inspect", "tight", reason="nothing to rank")'
MEDIUM = 'Need("inspect", "medium", fallback=Fallback.skip("not needed today"))'
LOOSE = 'Need("inspect", "loose")'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    return Settings()


def written(
    folder: Path,
    name: str,
    *,
    field: str = "line: int",
    need: str = TIGHT,
    version: str = "1.0",
    rank: str = "len(found)",
) -> str:
    """Write the job down, as it is at some time."""
    file = folder / f"{folder.name}_{name}.py"  # modules of other tests are still imported
    file.write_text(JOB.format(field=field, need=need, version=version, rank=rank), encoding="utf-8")
    return f"{file}:job"


async def run(source: str, settings: Settings, run_id: str) -> RunStatus:
    async with prepare_run(load_job(source), NoInputs(), RunOptions(run_id=run_id), settings) as ready:
        return (await finish(ready, await run_phases(ready.context))).status


async def test_a_tight_consumer_that_is_as_it_was_keeps_the_job_from_running(
    tmp_path: Path, settings: Settings
) -> None:
    """Nothing is put on record of what is refused, and nothing is called."""
    assert await run(written(tmp_path, "one"), settings, "first") is RunStatus.COMPLETED

    with pytest.raises(InvalidJob) as refused:
        await run(written(tmp_path, "two", field="line: str"), settings, "second")

    said = str(refused.value)
    assert (
        "contract Finding@1.0 of phase 'inspect' has changed since run first: 'line' was integer, and is text" in said
    )
    assert "rank of phase 'rank' cannot do without it, and is as it was" in said
    assert "\n" not in said
    async with SqlJournal.open(settings) as journal:
        assert [one.run_id for one in await journal.runs()] == ["first"]


@pytest.mark.parametrize(
    "changed",
    [
        {"field": "line: str | int", "rank": "len(found) + 1"},
        {"field": "line: str | int", "version": "2.0"},
        {"field": "line: int; note: str = ''"},
        {"field": "line: str | int", "need": LOOSE},
    ],
    ids=["the consumer changed too", "the major version was raised", "an optional field more", "loose"],
)
async def test_what_breaks_nobody_runs(tmp_path: Path, settings: Settings, changed: dict[str, str]) -> None:
    need = {"need": changed["need"]} if "need" in changed else {}
    assert await run(written(tmp_path, "one", **need), settings, "first") is RunStatus.COMPLETED

    assert await run(written(tmp_path, "two", **changed), settings, "second") is RunStatus.COMPLETED


async def test_a_medium_consumer_is_named_in_a_warning_and_the_job_runs(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await run(written(tmp_path, "one", need=MEDIUM), settings, "first")

    with caplog.at_level(logging.WARNING, "echelon.engine"):
        status = await run(written(tmp_path, "two", need=MEDIUM, field="line: str | int"), settings, "second")

    assert status is RunStatus.COMPLETED
    assert "C8: contract Finding@1.0 of phase 'inspect' has changed since run first" in caplog.text
    assert "rank of phase 'rank' reads it, and is as it was" in caplog.text


async def test_a_run_that_is_gone_on_with_is_compared_with_those_before_it(tmp_path: Path, settings: Settings) -> None:
    source = written(tmp_path, "one")
    await run(source, settings, "first")

    assert await run(source, settings, "first") is RunStatus.COMPLETED


@pytest.mark.parametrize(("need", "level", "code"), [(TIGHT, "error", 1), (MEDIUM, "warning", 0)])
def test_lint_and_plan_say_it_before_it_is_run(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str], need: str, level: str, code: int
) -> None:

    anyio.run(run, written(tmp_path, "one", need=need), settings, "first")
    capsys.readouterr()
    changed = written(tmp_path, "two", need=need, field="line: str | int")

    exit_code = lint(changed, as_json=True)
    linted = json.loads(capsys.readouterr().out)["findings"]
    plan(changed, as_json=True)
    shown = json.loads(capsys.readouterr().out)["findings"]

    assert exit_code == code
    for found in (linted, shown):
        assert [one["level"] for one in found if one["rule"] == "C8"] == [level]


def test_without_a_journal_nothing_is_said_and_none_is_made(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    lint(written(tmp_path, "one"), as_json=True)

    assert not [one for one in json.loads(capsys.readouterr().out)["findings"] if one["rule"] == "C8"]
    assert not settings.home.exists()


def test_a_journal_that_cannot_be_read_costs_the_notices_and_not_the_plan(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.home.mkdir()
    (settings.home / "journal.db").write_bytes(b"this is no database, and is longer than a page header" * 40)

    assert plan(written(tmp_path, "one"), as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["job"] == "audit"
    assert "whether contracts have changed cannot be told (C8)" in caplog.text
