"""The process that draws, as a real process, on real servers: from a journal to what Prefect shows (X1, R4, F8)."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from echelon.engine.picture import request as asking
from echelon.engine.picture.lock import is_served
from echelon.engine.picture.request import PictureRequest, request_picture, requests_folder, wait_for_picture
from echelon.engine.server.database import claim_database
from echelon.engine.server.handle import spawn_embedded
from echelon.engine.server.secret import CLIENT_VARIABLE, SERVER_VARIABLE, read_credentials
from echelon.engine.server.settings import ONE_RUN_ONLY
from echelon.engine.server.spawn import ServerProcess, spawn
from echelon.journal.journal import SqlJournal
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import RunStatus
from echelon.runlog.events import ExceptionPushed, Logged, RunEvent, RunReopened
from echelon.settings import Settings
from tests.conftest import SharedServer
from tests.unit.engine.synthetic import BEGAN, PHASE, Writer, plan_of

pytestmark = [pytest.mark.anyio, pytest.mark.engine]

#: Drawing a run takes a few seconds; the machine may be busy.
DRAWN_SECONDS = 90

Record = dict[str, Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture(autouse=True)
def recorders() -> Iterator[None]:
    """Leave no process behind, whatever a test came to."""
    yield
    for started in asking._STARTED:
        if started.poll() is None:
            started.terminate()
            started.wait(40)
    asking._STARTED.clear()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server is configured."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "ECHELON_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "none.toml"))


async def write(settings: Settings, events: Sequence[RunEvent]) -> None:
    async with SqlJournal.open(settings) as journal:
        for first in range(0, len(events), 100):
            await journal.append(*events[first : first + 100])


def draw(settings: Settings, run_id: str, api_url: str = "") -> None:
    request_picture(PictureRequest(run_id=run_id, api_url=api_url), settings)
    assert wait_for_picture(run_id, settings, DRAWN_SECONDS), read_log(settings)


def read_log(settings: Settings) -> str:
    return (requests_folder(settings) / "drawing.log").read_text()


def until(what: Callable[[], Any], seconds: float = DRAWN_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
    return found


class Seen:
    """What Prefect shows of one run, asked over its API."""

    def __init__(self, url: str, run_id: str, files: Path) -> None:
        """`files` is the folder of the server's own files."""
        self._url = url
        self._credentials = read_credentials(files)
        [self.job] = self.ask("flow_runs/filter", {"flow_runs": {"name": {"any_": [run_id]}}})
        self.in_job = self._tasks_of(self.job)
        parents = [task["id"] for task in self.in_job]
        self.domains = self.ask("flow_runs/filter", {"flow_runs": {"parent_task_run_id": {"any_": parents}}})
        self.in_domains = {domain["name"]: self._tasks_of(domain) for domain in self.domains}

    @property
    def tasks(self) -> list[Record]:
        return [*self.in_job, *[task for tasks in self.in_domains.values() for task in tasks]]

    def ask(self, path: str, query: Record | None = None) -> Any:
        method = "GET" if query is None else "POST"
        answer = httpx.request(method, f"{self._url}/{path}", json=query, auth=self._credentials, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def _tasks_of(self, flow_run: Record) -> list[Record]:
        query = {"task_runs": {"flow_run_id": {"any_": [flow_run["id"]]}}}
        tasks = self.ask("task_runs/filter", query)
        return sorted(tasks, key=lambda task: task["name"])

    def looks(self) -> list[tuple[Any, ...]]:
        """Return everything that must be the same each time the same log is drawn."""
        shown = [look(flow_run) for flow_run in (self.job, *self.domains)]
        return sorted([*shown, *map(look, self.tasks)], key=repr)


def look(record: Record) -> tuple[Any, ...]:
    state = record["state"]
    names = record["name"], state["type"], state["name"], state["message"], record["run_count"]
    return *names, moment(record["start_time"]), record["end_time"] and moment(record["end_time"])


def moment(text: str) -> datetime:
    """Return a time without what keeps states of one moment apart."""
    return datetime.fromisoformat(text).replace(microsecond=datetime.fromisoformat(text).microsecond // 10 * 10)


@pytest.mark.usefixtures("alone")
async def test_a_run_is_drawn_into_a_server_that_ends_and_its_records_stay(settings: Settings) -> None:
    writer = Writer(plan_of(3, 4))
    await write(settings, writer.whole(domains=3, each=4))
    draw(settings, writer.run_id)
    recorder = asking._STARTED[-1]
    recorder.wait(30)  # it has nothing left to do

    server = spawn_embedded(settings.home, share=False)  # only one may use the records: the other one has ended
    try:
        server.wait_ready(DRAWN_SECONDS)
        seen = Seen(server.url, writer.run_id, settings.home / "prefect")
    finally:
        server.stop()
    assert (recorder.returncode, read_log(settings)) == (0, "")
    assert (seen.job["state_name"], seen.job["parameters"]) == ("Completed", {"domains": 3, "each": 4})
    assert sorted(seen.in_domains) == [f"domain:d{n} · {PHASE}" for n in range(3)]
    assert [task["name"] for task in seen.in_domains[f"domain:d1 · {PHASE}"]] == [
        *[f"{PHASE}/d1-{n}" for n in range(4)],
        f"integrate domain:d1 · {PHASE}",
    ]
    assert [task["name"] for task in seen.in_job] == [*sorted(seen.in_domains), f"integrate primary · {PHASE}"]
    assert {(record["state_type"], record["run_count"]) for record in (*seen.tasks, *seen.domains)} == {
        ("COMPLETED", 1)
    }
    assert moment(seen.job["start_time"]) == BEGAN
    assert moment(seen.job["end_time"]) == writer.at(1.7)
    [first, *_] = seen.in_domains[f"domain:d0 · {PHASE}"]
    assert (moment(first["start_time"]), moment(first["end_time"])) == (writer.at(0.1), writer.at(1.1))
    assert (first["total_run_time"], first["state"]["message"]) == (1.0, f"{PHASE}/d0-0 is done")
    assert {moment(domain["start_time"]) for domain in seen.domains} == {writer.at(0.1)}


async def test_above_200_agents_a_task_run_is_a_team(engine: SharedServer, settings: Settings) -> None:
    writer = Writer(plan_of(10, 25), run_id="many")
    await write(settings, writer.whole())
    draw(settings, writer.run_id, engine.url)
    seen = Seen(engine.url, writer.run_id, engine.home / "prefect")
    teams = [task for tasks in seen.in_domains.values() for task in tasks]

    assert (len(seen.domains), len(teams)) == (8, 40)
    assert {task["state_type"] for task in (*teams, *seen.in_job)} == {"COMPLETED"}
    assert {task["name"].split("/")[0] for task in teams} == {f"team:d{n}" for n in range(10)}
    assert [task["name"] for task in seen.in_job] == sorted(seen.in_domains)  # nothing but what stands for them


async def test_what_failed_and_what_was_cut_off_is_drawn_so(engine: SharedServer, settings: Settings) -> None:
    writer = Writer(plan_of(1, 3), run_id="stopped")
    begun = [writer.begin(f"{PHASE}/d0-{n}", 0.5) for n in range(2)]
    failed = writer.end(f"{PHASE}/d0-0", 0.5, 1.0, error="not here")
    await write(settings, [*writer.start(), *begun, failed, writer.ended(2.0, RunStatus.INTERRUPTED)])
    draw(settings, writer.run_id, engine.url)
    seen = Seen(engine.url, writer.run_id, engine.home / "prefect")

    assert [(task["name"], task["state_name"], task["state"]["message"]) for task in seen.in_job] == [
        (f"{PHASE}/d0-0", "Failed", "not here"),
        (f"{PHASE}/d0-1", "Crashed", "the run was stopped"),
    ]
    assert (seen.job["state_name"], seen.job["state"]["message"]) == ("Crashed", "the run was stopped")


async def test_a_run_that_is_resumed_goes_on_in_its_flow_run(engine: SharedServer, settings: Settings) -> None:
    writer = Writer(plan_of(3, 4), run_id="resumed")
    tasks = [f"{PHASE}/d0-{n}" for n in range(4)]
    first = [*writer.start(), writer.phase_started(), *[writer.begin(task, 0.5) for task in tasks]]
    first += [writer.end(task, 0.5, 1.0, error="" if n else "not here") for n, task in enumerate(tasks)]
    await write(settings, [*first, writer.phase_ended(1.0), writer.ended(1.0, RunStatus.PARTIAL)])
    draw(settings, writer.run_id, engine.url)
    before = Seen(engine.url, writer.run_id, engine.home / "prefect")
    again: list[RunEvent] = [
        writer.taken(60.0, token=2, idle_since=1.0),
        RunReopened(run_id=writer.run_id, at=writer.at(60.0), before=RunStatus.PARTIAL, finished=writer.at(1.0)),
        writer.phase_started(60.0),
        writer.begin(tasks[0], 61.0, again=1),
        writer.end(tasks[0], 61.0, 62.0, again=1),
        writer.phase_ended(62.0),
        writer.ended(62.0),
    ]
    await write(settings, again)
    draw(settings, writer.run_id, engine.url)
    after = Seen(engine.url, writer.run_id, engine.home / "prefect")

    assert (before.job["state_name"], after.job["state_name"]) == ("Partial", "Completed")
    assert (before.job["run_count"], after.job["run_count"], after.job["id"]) == (1, 2, before.job["id"])
    assert [domain["state_name"] for domain in (*before.domains, *after.domains)] == ["Partial", "Completed"]
    assert [look(task)[1] for task in after.tasks if task["name"] == tasks[0]] == ["COMPLETED"]
    assert [look(task) for task in after.tasks if task["name"] in tasks[1:]] == [
        look(task) for task in before.tasks if task["name"] in tasks[1:]
    ]


async def test_a_recorder_that_is_killed_and_one_that_goes_on_draw_the_same(
    engine: SharedServer, settings: Settings
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)  # no domain is taken for done while the recorder is not there
    parted, whole = (Writer(plan_of(3, 4), run_id=run_id, began=soon) for run_id in ("parted", "whole"))
    events = sorted(parted.whole(), key=lambda event: event.at)
    await write(settings, events[:20])
    request_picture(PictureRequest(run_id=parted.run_id, api_url=engine.url), settings)
    recorder = asking._STARTED[-1]
    until((requests_folder(settings) / f"{parted.run_id}.progress").exists)
    await write(settings, events[20:30])
    await asyncio.sleep(0.4)  # in the middle of what is next, perhaps
    recorder.send_signal(signal.SIGKILL)
    recorder.wait()
    await write(settings, events[30:])
    await write(settings, whole.whole())

    assert not is_served(requests_folder(settings))
    draw(settings, parted.run_id, engine.url)
    draw(settings, whole.run_id, engine.url)
    renamed = [tuple(str(part).replace("parted", "whole") for part in seen) for seen in looks(engine, parted)]
    assert renamed == [tuple(map(str, seen)) for seen in looks(engine, whole)]


def looks(engine: SharedServer, writer: Writer) -> list[tuple[Any, ...]]:
    return Seen(engine.url, writer.run_id, engine.home / "prefect").looks()


async def test_drawing_a_run_twice_shows_nothing_twice(engine: SharedServer, settings: Settings) -> None:
    writer = Writer(plan_of(3, 4), run_id="twice")
    line = Logged(
        run_id=writer.run_id,
        at=writer.at(1),
        key=f"{PHASE}/d0-0#0",
        task_id="x",
        source="stdout",
        level=20,
        message="hi",
    )
    report = settings.home / "report"
    report.mkdir(parents=True)
    (report / "report.md").write_text("# So it is")
    (report / "old.md").write_text("# So it was")
    long_ago = (BEGAN - timedelta(days=1)).timestamp()
    os.utime(report / "old.md", (long_ago, long_ago))
    (report / "tree.svg").write_text("<svg/>")
    await write(settings, [*writer.whole()[:-1], line, writer.ended(1.7, report=str(report))])
    draw(settings, writer.run_id, engine.url)
    first = Seen(engine.url, writer.run_id, engine.home / "prefect")
    (requests_folder(settings) / f"{writer.run_id}.progress").unlink()
    draw(settings, writer.run_id, engine.url)
    second = Seen(engine.url, writer.run_id, engine.home / "prefect")

    assert second.looks() == first.looks()
    in_job = {"flow_run_id": {"any_": [second.job["id"]]}}
    artifacts = second.ask("artifacts/filter", {"artifacts": in_job})
    assert sorted((each["key"], each["type"]) for each in artifacts) == [
        ("crowd-report", "markdown"),
        ("crowd-tree", "image"),
    ]
    [agent] = [task for task in second.tasks if task["name"] == f"{PHASE}/d0-0"]
    logs = second.ask("logs/filter", {"logs": {"task_run_id": {"any_": [agent["id"]]}}})
    assert [(each["message"], each["level"]) for each in logs] == [("hi", 20)]
    states = second.ask(f"flow_run_states/?flow_run_id={second.job['id']}")
    assert Counter(state["type"] for state in states) == {"RUNNING": 1, "COMPLETED": 1}


@pytest.mark.usefixtures("alone")
async def test_a_server_that_comes_up_late_gets_the_picture_all_the_same(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (SERVER_VARIABLE, CLIENT_VARIABLE):  # as whoever runs a server for others gives its secret out
        monkeypatch.setenv(variable, "me:the-secret-of-a-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    writer = Writer(plan_of(1, 3), run_id="late")
    await write(settings, writer.whole())
    request_picture(PictureRequest(run_id=writer.run_id, api_url=f"http://127.0.0.1:{port}/api"), settings)
    assert not wait_for_picture(writer.run_id, settings, 4)

    server = server_on(port, tmp_path / "server")
    try:
        server.wait_ready(DRAWN_SECONDS)
        assert wait_for_picture(writer.run_id, settings, DRAWN_SECONDS), read_log(settings)
        assert len(Seen(server.url, writer.run_id, tmp_path / "server").in_job) == 4
    finally:
        server.stop()


def server_on(port: int, folder: Path) -> ServerProcess:
    folder.mkdir()
    database = claim_database(folder, share=False)
    return spawn(folder, database, ONE_RUN_ONLY, log=folder / "server.log", port=port)


@pytest.mark.usefixtures("alone")
async def test_a_recorder_that_is_asked_to_end_leaves_what_is_not_drawn(settings: Settings) -> None:
    writer = Writer(plan_of(1, 3), run_id="unfinished")
    await write(settings, writer.start())
    request_picture(PictureRequest(run_id=writer.run_id), settings)
    recorder = asking._STARTED[-1]
    folder = requests_folder(settings)
    until((folder / f"{writer.run_id}.progress").exists)
    servers = psutil.Process(recorder.pid).children()
    recorder.send_signal(signal.SIGTERM)
    recorder.wait(40)

    assert recorder.returncode == 0, read_log(settings)
    assert (folder / f"{writer.run_id}.json").exists()
    assert len(servers) == 1
    until(lambda: not servers[0].is_running(), 5)


async def test_one_process_draws_all_runs_and_is_nice(engine: SharedServer, settings: Settings) -> None:
    writers = [Writer(plan_of(1, 3), run_id=f"one-{n}") for n in range(3)]
    for writer in writers:
        await write(settings, writer.start())
        request_picture(PictureRequest(run_id=writer.run_id, api_url=engine.url), settings)
    until(lambda: is_served(requests_folder(settings)))
    recorder = asking._STARTED[-1]
    niceness = os.getpriority(os.PRIO_PROCESS, recorder.pid)
    for writer in writers:
        await write(settings, [writer.ended(1.0)])
    request_picture(PictureRequest(run_id=writers[0].run_id, api_url=engine.url), settings)

    assert all(wait_for_picture(writer.run_id, settings, DRAWN_SECONDS) for writer in writers)
    assert (niceness, len(asking._STARTED)) == (10, 1)
    assert {Seen(engine.url, writer.run_id, engine.home / "prefect").job["state_name"] for writer in writers} == {
        "Completed"
    }


def test_something_that_is_no_request_stops_nobody(engine: SharedServer, settings: Settings) -> None:
    folder = requests_folder(settings)
    folder.mkdir(parents=True)
    (folder / "odd.json").write_text("{}")
    asking._start_recorder(folder, settings)
    until(lambda: not (folder / "odd.json").exists())

    recorder = asking._STARTED[-1]
    assert recorder.wait(20) == 0
    assert "odd cannot be drawn" in read_log(settings)


def test_python_is_not_asked_twice_to_draw(engine: SharedServer, settings: Settings) -> None:
    """A second process sees that somebody serves, and ends at once."""
    folder = requests_folder(settings)
    folder.mkdir(parents=True)
    request_picture(PictureRequest(run_id="unknown", api_url=engine.url), settings)
    until(lambda: is_served(folder))
    asking._start_recorder(folder, settings)
    [first, second] = asking._STARTED

    assert second.wait(20) == 0
    assert first.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.5)


@pytest.mark.usefixtures("alone")
async def test_an_automation_acts_on_what_was_pushed_in_a_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server as `echelon up` keeps it: the trigger is an exception of this job, of a level (V1)."""
    for variable in (SERVER_VARIABLE, CLIENT_VARIABLE):
        monkeypatch.setenv(variable, "me:the-secret-of-a-server")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    folder = tmp_path / "server"
    folder.mkdir()
    server = spawn(folder, claim_database(folder, share=False), {}, log=folder / "server.log", port=port)
    try:
        server.wait_ready(DRAWN_SECONDS)
        ask = Asking(server.url, folder)
        automation = ask("automations/", AUTOMATION)
        writer = Writer(plan_of(1, 2), run_id="pushed", began=datetime.now(UTC))
        late = [
            ExceptionReport(trigger=Trigger.LATE, level=level, path=("primary",), message="too late", at=writer.at(1))
            for level in (Level.INFO, Level.WARNING, Level.CRITICAL)
        ]
        news = [ExceptionPushed(run_id=writer.run_id, at=one.at, report=one) for one in late]
        await write(settings, [*writer.start(), *news, writer.ended(2.0)])
        request_picture(PictureRequest(run_id=writer.run_id, api_url=server.url), settings)
        acted = until(lambda: ask.events("prefect.automation.action.executed"))
        found = ask.events("echelon.exception.late")
    finally:
        server.stop()

    assert sorted(one["resource"]["echelon.level"] for one in found) == ["critical", "warning"]
    assert {one["resource"]["prefect.resource.id"] for one in found} == {"echelon.run.pushed"}
    assert [one["resource"]["prefect.resource.id"] for one in acted] == [
        f"prefect.automation.{automation['id']}" for _ in acted
    ]
    assert len(acted) == 1  # of the two only the critical one


#: Does nothing, each time a run of the job pushes that something critical is late.
AUTOMATION: Record = {
    "name": "something critical is late",
    "trigger": {
        "type": "event",
        "posture": "Reactive",
        "expect": ["echelon.exception.*"],
        "match": {"echelon.level": "critical"},
        "match_related": {"prefect.resource.role": "job", "prefect.resource.id": "echelon.job.crowd"},
        "threshold": 1,
        "within": 0,
    },
    "actions": [{"type": "do-nothing"}],
}


class Asking:
    """Asks one server."""

    def __init__(self, url: str, files: Path) -> None:
        self._url = url
        self._credentials = read_credentials(files)

    def __call__(self, path: str, body: Record) -> Any:
        answer = httpx.post(f"{self._url}/{path}", json=body, auth=self._credentials, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def events(self, name: str) -> list[Record]:
        query = {"filter": {"event": {"name": [name]}, "order": "ASC"}, "limit": 50}
        return self("events/filter", query)["events"]
