"""Drawing twice, after a crash, into a server that forgets or loses: what is shown is the same (F8)."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from echelon.engine.picture import drawing, following, lock, recorder
from echelon.engine.picture.api import Api, Refused, Unreachable
from echelon.engine.picture.following import Follower
from echelon.engine.picture.lock import is_served, say, serving, take_start
from echelon.engine.picture.mapping import DIED
from echelon.engine.picture.progress import Progress, ProgressFile
from echelon.engine.picture.recorder import Recorder
from echelon.engine.picture.request import PictureRequest, read_request
from echelon.journal.journal import SqlJournal
from echelon.runlog.events import Logged, RunEvent
from echelon.settings import Settings
from echelon.testing.journal import MemoryJournal
from tests.unit.engine.synthetic import PHASE, RUN_ID, Writer, plan_of

pytestmark = pytest.mark.anyio

WRITER = Writer(plan_of(3, 4))
REQUEST = PictureRequest(run_id=RUN_ID)


class Server:
    """As much of Prefect's API as is asked, in memory."""

    def __init__(self) -> None:
        self.flow_runs: dict[str, dict[str, Any]] = {}
        self.entered: list[tuple[str, str]] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.lines: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.loses = 0
        """Requests with events whose events are lost."""
        self.dies_at = 0
        """Number of the request that is not answered any more; 0: none."""

    @property
    def api(self) -> Api:
        return Api(self.send)

    async def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        self.asked.append(path)
        if self.dies_at and len(self.asked) >= self.dies_at:
            raise httpx.ConnectError("nobody is there")
        status, answer = self.answer(path, json.loads(json.dumps(body)))
        return httpx.Response(status, json=answer)

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        route, *rest = path.strip("/").split("/")
        answers: dict[tuple[str, ...], Callable[..., tuple[int, Any]]] = {
            ("flows",): lambda: (201, {"id": body["name"]}),
            ("task_runs",): lambda: (201, {"id": body["name"]}),
            ("task_runs", "count"): lambda: (200, self.count(body["task_runs"]["id"]["any_"])),
            ("flow_runs",): lambda: self.make(body),
            ("flow_runs", "set_state"): lambda: self.enter(rest[0], body["state"]),
            ("events",): lambda: self.record(body),
            ("task_run_states",): lambda: (200 if rest[0] in self.events else 404, {}),
            ("logs",): lambda: self.write(body),
            ("logs", "filter"): lambda: (200, self.lines[body["offset"] :][: body["limit"]]),
        }
        asked = (route, *[each for each in rest if each in {"count", "set_state", "filter"}])
        return answers[asked]()

    def record(self, events: list[dict[str, Any]]) -> tuple[int, Any]:
        self.loses -= 1
        self.events |= {} if self.loses >= 0 else {event["id"]: event for event in events}
        return 204, None

    def write(self, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        self.lines += lines
        return 201, None

    def make(self, body: dict[str, Any]) -> tuple[int, Any]:
        key = body["idempotency_key"].replace("/", "|")
        if key in self.flow_runs:
            return 200, self.flow_runs[key]
        self.flow_runs[key] = {"id": key}
        self.enter(key, body["state"])
        return 201, self.flow_runs[key]

    def enter(self, key: str, state: dict[str, Any]) -> tuple[int, Any]:
        self.flow_runs[key]["state"] = state
        self.entered.append((key, state["name"]))
        return 201, {}

    def count(self, ids: Sequence[str]) -> int:
        ended = {
            event["resource"]["prefect.resource.id"].removeprefix("prefect.task-run.")
            for event in self.events.values()
            if event["payload"]["validated_state"]["type"] != "RUNNING"
        }
        return len(ended & set(ids))

    @property
    def states(self) -> dict[str, str]:
        return {key: flow_run["state"]["name"] for key, flow_run in self.flow_runs.items()}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(drawing, "SETTLE_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(drawing, "SETTLE_SECONDS", 0.02)


async def journal_of(events: Sequence[RunEvent]) -> MemoryJournal:
    journal = MemoryJournal()
    await journal.append(*events)
    return journal


async def follow(server: Server, journal: MemoryJournal, folder: Path) -> None:
    async with asyncio.timeout(10):
        await Follower(REQUEST, journal, folder).follow(server.api, "local")


async def test_a_run_is_drawn_and_how_far_is_kept(tmp_path: Path) -> None:
    server, events = Server(), WRITER.whole()
    await follow(server, await journal_of(events), tmp_path)

    domains = {f"{RUN_ID}|part|{PHASE}|domain:d{n}": "Completed" for n in range(3)}
    assert server.states == {RUN_ID: "Completed", **domains}
    assert len(server.events) == 12 + 4  # each ended before it was drawn: one event is enough
    assert ProgressFile(tmp_path, RUN_ID, "local").read().seq == len(events)
    assert ProgressFile(tmp_path, RUN_ID, "http://elsewhere/api").read() == Progress()


@pytest.mark.parametrize("request_number", range(1, 25, 3))
async def test_wherever_drawing_is_cut_off_nothing_is_shown_twice(tmp_path: Path, request_number: int) -> None:
    server = Server()
    server.dies_at = request_number
    line = Logged(
        run_id=RUN_ID, at=WRITER.at(1), key=f"{PHASE}/d0-0#0", task_id="x", source="stdout", level=20, message="hi"
    )
    journal = await journal_of([*WRITER.whole()[:-1], line, WRITER.ended(2.0)])
    with contextlib.suppress(Unreachable):
        await follow(server, journal, tmp_path)
    server.dies_at = 0
    await follow(server, journal, tmp_path)

    assert len(server.entered) == len(set(server.entered)) == 2 * 4
    assert set(server.states.values()) == {"Completed"}
    assert [each["message"] for each in server.lines] == ["hi"]
    assert len(server.events) == 12 + 4


async def test_a_server_with_another_database_gets_the_whole_picture(tmp_path: Path) -> None:
    journal = await journal_of(WRITER.whole()[:-1])
    ProgressFile(tmp_path, RUN_ID, "local").write(Progress(10, WRITER.at(5)))
    await journal.append(WRITER.ended(2.0))
    server = Server()
    await follow(server, journal, tmp_path)

    assert len(server.events) == 12 + 4
    assert set(server.states.values()) == {"Completed"}


async def test_what_the_server_lost_is_sent_once_more(tmp_path: Path) -> None:
    server = Server()
    server.loses = 1
    await follow(server, await journal_of(WRITER.whole()), tmp_path)

    assert len(server.events) == 12 + 4


async def test_a_server_that_keeps_losing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    server = Server()
    server.loses = 1_000
    began = time.monotonic()
    await follow(server, await journal_of(WRITER.whole()), tmp_path)

    assert time.monotonic() - began < 5


async def test_a_run_whose_process_died_is_drawn_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE_SECONDS", 0.01)
    server = Server()
    await follow(server, await journal_of([*WRITER.start(), WRITER.begin(f"{PHASE}/d0-0", 0.5)]), tmp_path)

    assert server.states == {RUN_ID: "Crashed", f"{RUN_ID}|part|{PHASE}|domain:d0": "Crashed"}
    assert server.flow_runs[RUN_ID]["state"]["message"] == DIED


async def test_a_run_that_is_silent_but_held_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE_SECONDS", 0.01)
    server, journal = Server(), await journal_of(WRITER.start()[:1])
    async with journal.beside().holding(RUN_ID):
        task = asyncio.create_task(follow(server, journal, tmp_path))
        await asyncio.sleep(0.2)
        waited = not task.done()
        await journal.beside().append(WRITER.ended(9.0))
        await task

    assert waited
    assert server.states == {RUN_ID: "Completed"}


async def test_a_run_that_nobody_knows_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE_SECONDS", 0.01)
    server = Server()
    await follow(server, MemoryJournal(), tmp_path)

    assert server.asked == []


async def test_a_run_is_held_by_who_works_on_it_and_is_alive(tmp_path: Path) -> None:
    memory = await journal_of(WRITER.start()[:1])
    async with SqlJournal.open(Settings(home=tmp_path)) as durable:
        await durable.append(*WRITER.start()[:1])
        for journal in (memory, durable):
            held = [await journal.is_held(RUN_ID), await journal.is_held("unknown")]
            async with journal.holding(RUN_ID):
                held.append(await journal.is_held(RUN_ID))
            held.append(await journal.is_held(RUN_ID))

            assert held == [False, False, True, False]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unreachable), (503, Unreachable), (429, Unreachable), (408, Unreachable), (404, Refused), (422, Refused)],
)
async def test_what_may_pass_later_is_told_from_what_never_will(status: int, error: type[Exception]) -> None:
    async def send(*_: Any) -> httpx.Response:
        return httpx.Response(status, text="no")

    with pytest.raises(error, match=str(status)):
        await Api(send).post("/flows/", {})


async def test_what_is_not_there_is_an_answer() -> None:
    async def send(*_: Any) -> httpx.Response:
        return httpx.Response(404, json={"detail": "not found"})

    assert (await Api(send).get("/flow_runs/x")).status == 404


class Nowhere:
    """Servers that are all away."""

    @contextlib.asynccontextmanager
    async def connect(self, request: PictureRequest):
        raise Unreachable("nobody is there")
        yield


async def test_a_server_that_stays_away_is_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (("PATIENCE_SECONDS", 0.05), ("FIRST_PAUSE_SECONDS", 0.01), ("IDLE_SECONDS", 0.1)):
        monkeypatch.setattr(recorder, name, value)
    monkeypatch.setattr(recorder, "GLANCE_SECONDS", 0.01)
    file = tmp_path / "away.json"
    file.write_text(json.dumps({"run_id": "away", "api_url": "http://127.0.0.1:9/api"}))
    await Recorder(tmp_path, MemoryJournal(), Nowhere()).serve()  # pyright: ignore[reportArgumentType]

    assert read_request(file).run_id == "away"
    assert caplog.messages == ["away is not drawn now: nobody is there"]


class Refusing:
    """A server that is away at first, and then takes nothing."""

    def __init__(self) -> None:
        self.asked = 0

    @contextlib.asynccontextmanager
    async def connect(self, request: PictureRequest):
        self.asked += 1
        raise Unreachable("nobody is there") if self.asked == 1 else Refused("422: no such thing")
        yield


async def test_what_stood_in_the_way_is_forgotten_with_a_request_that_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FIRST_PAUSE_SECONDS", 0.01), ("IDLE_SECONDS", 0.1), ("GLANCE_SECONDS", 0.01)):
        monkeypatch.setattr(recorder, name, value)
    (tmp_path / "refused.json").write_text(json.dumps({"run_id": "refused", "api_url": "http://127.0.0.1:9/api"}))
    servers = Refusing()
    await Recorder(tmp_path, MemoryJournal(), servers).serve()  # pyright: ignore[reportArgumentType]

    assert servers.asked == 2
    assert sorted(path.name for path in tmp_path.glob("*refused*")) == []


def test_a_request_that_took_the_place_of_one_that_was_met_stays(tmp_path: Path) -> None:
    file = tmp_path / "again.json"
    file.write_text("first")
    stamp = recorder._stamp(file)
    newer = tmp_path / ".again"
    newer.write_text("second")
    newer.replace(file)
    assert stamp is not None
    recorder._remove(file, stamp)
    kept = file.read_text()
    recorder._remove(file, recorder._stamp(file) or stamp)

    assert (kept, list(tmp_path.iterdir())) == ("second", [])


def test_who_asks_sees_whether_somebody_draws(tmp_path: Path) -> None:
    seen = [is_served(tmp_path)]
    with serving(tmp_path) as is_mine:
        seen.append(is_served(tmp_path))
        with serving(tmp_path) as other:
            assert (is_mine, other) == (True, False)
        say(tmp_path, "closing")
        seen.append(is_served(tmp_path))
    seen.append(is_served(tmp_path))

    assert seen == [False, True, False, False]


def test_one_process_is_started_for_all_who_ask_at_one_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = [take_start(tmp_path), take_start(tmp_path)]
    monkeypatch.setattr(lock, "STARTING_SECONDS", 0.0)
    started.append(take_start(tmp_path))  # the first one never came up
    with serving(tmp_path):
        started.append(take_start(tmp_path))
        say(tmp_path, "closing")
        started.append(take_start(tmp_path))
    started.append(take_start(tmp_path))

    assert started == [True, False, True, False, True, True]


def test_the_log_is_cut_when_it_is_long(tmp_path: Path) -> None:
    log = tmp_path / "drawing.log"
    log.write_bytes(b"x" * (recorder.MAX_LOG_BYTES + 1) + b"end")
    recorder._bound_log(tmp_path)

    assert log.stat().st_size == recorder.MAX_LOG_BYTES // 2
    assert log.read_bytes().endswith(b"end")
