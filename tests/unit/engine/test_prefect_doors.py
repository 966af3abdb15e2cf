"""Doors of Prefect that its documentation does not promise, one test each: what we rely on, and what would break.

A test here fails after an upgrade of Prefect before anything else does, and says where to look. What is behind the
door is asked of Prefect itself, with nothing of ours in between where that can be.
"""

import ast
import asyncio
import contextlib
import importlib
import inspect
import logging
import os
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import prefect
import pytest
import sqlalchemy as sa
from prefect import Flow, context, flow, settings
from prefect._internal.analytics.ci_detection import CI_ENV_VARS as CI_VARIABLES
from prefect._internal.analytics.enabled import is_telemetry_enabled
from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from prefect.context import SettingsContext, get_settings_context
from prefect.deployments.runner import RunnerDeployment
from prefect.events.worker import EventsWorker
from prefect.exceptions import TerminationSignal
from prefect.flow_engine import AsyncFlowRunEngine
from prefect.logging.configuration import DEFAULT_LOGGING_SETTINGS_PATH, load_logging_config
from prefect.logging.handlers import APILogWorker
from prefect.results import ResultStore
from prefect.runner import Runner
from prefect.schedules import Interval
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.server.services.task_run_recorder import TaskRunRecorder
from prefect.server.utilities.messaging import create_publisher
from prefect.server.utilities.messaging.memory import Topic
from prefect.settings import Settings

from echelon.engine.deploying import deployment_of, next_run
from echelon.engine.served_runs import LIMIT_REACHED
from echelon.engine.server import settings as server_settings
from echelon.engine.server.database import database_file, prefect_version, single_connection_url
from echelon.engine.server.process import waiting_events

ROOT = Path(__file__).parents[3]

#: What Prefect documents for its users: `module.name`.
PROMISED = {
    "prefect",
    "prefect.Flow",
    "prefect.blocks.core.Block",
    "prefect.blocks.notifications.NotificationBlock",
    "prefect.exceptions.Pause",
    "prefect.flow_runs.asuspend_flow_run",
    "prefect.input.RunInput",
    "prefect.client.orchestration.get_client",
    "prefect.client.orchestration.PrefectClient",
    "prefect.client.schemas.actions.DeploymentUpdate",
    "prefect.client.schemas.filters",
    "prefect.client.schemas.objects.ConcurrencyLimitConfig",
    "prefect.client.schemas.objects.ConcurrencyLimitStrategy",
    "prefect.client.schemas.objects.FlowRun",
    "prefect.client.schemas.objects.State",
    "prefect.client.schemas.objects.StateType",
    "prefect.client.schemas.objects.TaskRun",
    "prefect.client.schemas.sorting",
    "prefect.get_client",
    "prefect.runtime.flow_run",
    "prefect.schedules.Cron",
    "prefect.schedules.Interval",
    "prefect.schedules.Schedule",
    "prefect.states.Completed",
    "prefect.states.Crashed",
    "prefect.settings.PREFECT_API_URL",
    "prefect.settings.temporary_settings",
    "prefect.states.Failed",
    "prefect.states.Scheduled",
}
#: What it does not; each has a test below, or in `test_picture_doors.py`.
DOORS = {
    "prefect.context",
    "prefect.context.FlowRunContext",
    "prefect.context.SettingsContext",
    "prefect.context.TaskRunContext",
    "prefect.context.get_settings_context",
    "prefect.deployments.runner.RunnerDeployment",
    "prefect.events.worker.EventsWorker",
    "prefect.exceptions.TerminationSignal",
    "prefect.logging.handlers.APILogWorker",
    "prefect.results.ResultStore",
    "prefect.runner.Runner",
    "prefect.server.api.server.create_app",
    "prefect.server.schemas.schedules.CronSchedule",
    "prefect.server.schemas.schedules.IntervalSchedule",
    "prefect.server.schemas.states",
    "prefect.server.utilities.messaging.memory.Topic",
    "prefect.settings",
    "prefect.types.DateTime",
}


def imported_from_prefect() -> Iterator[str]:
    for file in (ROOT / "echelon").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "prefect")
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "prefect":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_other_door_is_used() -> None:
    """Who imports something new of Prefect says here whether it is promised, or writes the test of its door."""
    assert set(imported_from_prefect()) == PROMISED | DOORS


@pytest.fixture
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The server: its database, its queues, its settings.


def test_sqlite_has_one_connection_when_its_url_has_memory_in_it(tmp_path: Path) -> None:
    """Door: `AioSqliteConfiguration.engine` looks for ':memory:' anywhere in the URL, also in the name of a folder.

    Breaks: with a pool, two subflows that start at once meet a locked database, and wait 2, 4, 8 s
    (`single_connection_url`).
    """
    file = database_file(tmp_path)
    file.parent.mkdir(parents=True)

    async def pool() -> tuple[int, int, str]:
        engine = await AioSqliteConfiguration(single_connection_url(file)).engine()
        async with engine.connect() as connection:
            await connection.execute(sa.text("create table kept (x)"))
        inner: Any = engine.sync_engine.pool
        await engine.dispose()
        return inner.size(), inner._max_overflow, type(inner).__name__

    assert asyncio.run(pool()) == (1, 0, "AsyncAdaptedQueuePool")
    assert file.stat().st_size > 0


def test_events_that_wait_to_be_recorded_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Door: `Topic.by_name("events")._subscriptions`, the `_queue` and `_retry` of each, and `Topic._topics`.

    Breaks: a server that ends with its run would not wait for the last records (`server_process.waiting_events`).
    """
    monkeypatch.setattr(Topic, "_topics", {})

    async def count() -> tuple[int, int, int]:
        nobody_listens = waiting_events()
        subscription = Topic.by_name("events").subscribe()
        async with create_publisher("events") as publisher:
            await publisher.publish_data(b"one", {})
            await publisher.publish_data(b"two", {})
        delivered = waiting_events()
        await subscription._retry.put(await subscription._queue.get())
        return nobody_listens, delivered, waiting_events()

    assert asyncio.run(count()) == (0, 2, 2)


def test_task_runs_are_recorded_from_the_events_topic() -> None:
    """Door: the recorder of task runs listens to the topic named "events".

    Breaks: `waiting_events` would count the queue of somebody else, and the last task runs of a run be lost.
    """
    assert '"events"' in inspect.getsource(TaskRunRecorder.start)


def test_the_app_of_a_server_is_made_for_one_run_or_for_long() -> None:
    """Door: `create_app(ephemeral=, final=)`; `ephemeral` leaves out the interface and the scheduler.

    Breaks: `server_process.main` would not start, or every run would start the services of a kept server.
    """
    create_app = importlib.import_module("prefect.server.api.server").create_app
    parameters = inspect.signature(create_app).parameters

    assert (parameters["ephemeral"].default, parameters["final"].default) == (False, False)


def all_of_ours() -> dict[str, str]:
    groups = (
        server_settings.NO_TELEMETRY,
        server_settings.QUIET_CLIENT,
        server_settings.LOCAL_CLIENT,
        server_settings.BATCHED_RECORDING,
        server_settings.LASTING_LEASES,
        server_settings.ONE_RUN_ONLY,
        dict.fromkeys(server_settings.DATABASE_VARIABLES, "sqlite+aiosqlite:///x.db"),
        {
            "PREFECT_API_URL": "http://127.0.0.1:1/api",
            "PREFECT_API_SSL_CERT_FILE": "one.pem",
            "PREFECT_LOCAL_STORAGE_PATH": "results",
            "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": "ui",
        },
    )
    named = {name: value for group in groups for name, value in group.items()}
    own_tests = {"DO_NOT_TRACK", CONSOLE}
    return {name: value for name, value in named.items() if name not in own_tests}


#: No setting, but a part of Prefect's configuration of logging that the environment may name.
CONSOLE = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"


@pytest.mark.usefixtures("nothing_configured")
def test_the_level_of_the_console_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Door: a path into `logging.yml` as the name of a variable.

    Breaks: what failed would be told twice on the console, by the run and by Prefect (`QUIET_CLIENT`).
    """
    monkeypatch.setenv(CONSOLE, "CRITICAL")

    assert load_logging_config(DEFAULT_LOGGING_SETTINGS_PATH)["handlers"]["console"]["level"] == "CRITICAL"


@pytest.mark.usefixtures("nothing_configured")
@pytest.mark.parametrize(("said", "told"), [("1", False), ("", True)])
def test_a_client_that_is_told_not_to_track_does_not(monkeypatch: pytest.MonkeyPatch, said: str, told: bool) -> None:
    """Door: `DO_NOT_TRACK` in the environment.

    Breaks: silently; every run would phone home (`NO_TELEMETRY`).
    """
    for variable in CI_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DO_NOT_TRACK", said)

    assert is_telemetry_enabled() is told


@pytest.mark.parametrize(("name", "value"), all_of_ours().items())
def test_a_setting_that_we_give_is_one_that_prefect_has(nothing_configured: Path, monkeypatch, name, value) -> None:
    """Door: the names of settings in the environment; Prefect ignores one that it does not know without a word.

    Breaks: silently. A server would phone home, keep its leases in memory, record one by one, or log to the console.
    """
    before = Settings().model_dump()
    monkeypatch.setenv(name, value)
    given = Settings().model_dump()
    monkeypatch.setenv(name, {"true": "false", "false": "true"}.get(value, value))
    turned = Settings().model_dump()

    assert given != before or turned != before


def test_who_holds_a_place_under_a_limit_can_be_remembered_on_disk(tmp_path: Path) -> None:
    """Door: the module `lease_storage.filesystem`, its class, and its folder in Prefect's home.

    Breaks: after a power cut a deployment with a limit would never run again (`LASTING_LEASES`).
    """
    module = importlib.import_module(server_settings.LASTING_LEASES["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"])

    async def leases() -> list[Path]:
        await module.ConcurrencyLeaseStorage(tmp_path / "leases").create_lease([], timedelta(seconds=60))
        return list((tmp_path / "leases").glob("*-*.json"))

    assert len(asyncio.run(leases())) == 1


def test_the_version_that_is_installed_is_the_one_that_prefect_tells() -> None:
    """Door: `prefect.__version__` is the version of the package.

    Breaks: a server would migrate its database at every start, or never again (`Database.migrated`).
    """
    assert prefect.__version__ == prefect_version()


# The client: where it reads its settings, and how an imported Prefect is told others.


@pytest.mark.usefixtures("nothing_configured")
def test_prefect_reads_its_settings_in_the_order_that_we_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Door: environment before .env before prefect.toml before pyproject.toml before the active profile.

    Breaks: a run would begin on another server than the one that the person chose (`configured_server`).
    """
    files = {
        "profiles.toml": 'active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://profile/api"\n',
        "pyproject.toml": '[tool.prefect.api]\nurl = "http://pyproject/api"\n',
        "prefect.toml": '[api]\nurl = "http://prefect/api"\n',
        ".env": "PREFECT_API_URL=http://dotenv/api\n",
    }
    chosen = []
    for name, text in files.items():
        Path(name).write_text(text)
        configured = server_settings.configured_server(trusted=True)
        chosen.append((Settings().api.url, configured and configured.url))
    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    configured = server_settings.configured_server(trusted=True)
    chosen.append((Settings().api.url, configured and configured.url))

    names = ("profile", "pyproject", "prefect", "dotenv", "environment")
    assert chosen == [(f"http://{name}/api", f"http://{name}/api") for name in names]


def test_an_imported_prefect_takes_other_settings_inside_a_block() -> None:
    """Door: `SettingsContext`, `get_settings_context`, `copy_with_update(updates=, set_defaults=)`.

    Breaks: a program that imported Prefect before a run would go on with another server (`prefect_settings`).
    """
    present = get_settings_context()
    updated = present.settings.copy_with_update(
        updates={settings.PREFECT_API_URL: "http://there/api"},
        set_defaults={settings.PREFECT_LOGGING_LEVEL: "WARNING", settings.PREFECT_API_URL: "http://never/api"},
    )
    with SettingsContext(profile=present.profile, settings=updated):
        inside = settings.get_current_settings().api.url

    assert inside == "http://there/api"
    assert settings.get_current_settings().api.url != inside


@pytest.mark.parametrize("name", sorted(server_settings._SETTINGS))
def test_a_setting_of_an_imported_prefect_has_the_name_of_its_variable(name: str) -> None:
    """Door: `prefect.settings.PREFECT_…` names each setting as the environment does.

    Breaks: `prefect_settings` fails when it looks one up.
    """
    assert getattr(settings, name).name == name


def test_the_settings_of_the_process_can_be_read_again(
    nothing_configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Door: `context.GLOBAL_SETTINGS_CONTEXT` and `context.refresh_global_settings_context`.

    Breaks: flows behind a run would be sent to its server, which is gone (`server_settings.restore`).
    """
    before = context.GLOBAL_SETTINGS_CONTEXT
    try:
        monkeypatch.setenv("PREFECT_API_URL", "http://there/api")
        context.refresh_global_settings_context()

        assert context.GLOBAL_SETTINGS_CONTEXT.settings.api.url == "http://there/api"
    finally:
        context.GLOBAL_SETTINGS_CONTEXT = before


def test_a_client_trusts_only_the_authority_that_it_is_given(tmp_path: Path) -> None:
    """Door: `PREFECT_API_SSL_CERT_FILE` is loaded instead of the whole bundle, as `ssl` loads it.

    Breaks: every client of a run would take 40 ms for authorities that plain HTTP never asks (`_short_trust`).
    """
    short = server_settings._short_trust(tmp_path, "http://127.0.0.1:1/api")["PREFECT_API_SSL_CERT_FILE"]
    source = inspect.getsource(importlib.import_module("prefect.client.orchestration"))

    assert len(ssl.create_default_context(cafile=short).get_ca_certs()) == 1
    assert "cert_file = PREFECT_API_SSL_CERT_FILE.value()" in source


@pytest.mark.parametrize("worker", [EventsWorker, APILogWorker])
def test_what_the_client_has_to_tell_is_sent_on_demand(worker: Any) -> None:
    """Door: `EventsWorker` and `APILogWorker`: `drain_all` in a thread without a loop; the logger named as the class.

    Breaks: the last events and log lines of a run would reach no server, or warn that they are late (`flush_client`).
    """
    handled: list[bytes] = []

    class Told(worker):
        """The same queue, with no server behind it."""

        _instances: ClassVar[dict[int, Any]] = {}

        def __init__(self, *key: Any) -> None:
            super(worker, self).__init__(*key)

        @contextlib.asynccontextmanager
        async def _lifespan(self) -> AsyncIterator[None]:
            yield

        def _prepare_item(self, item: bytes) -> bytes:
            return item

        async def _handle(self, item: bytes) -> None:
            handled.append(item)

        async def _handle_batch(self, items: list[bytes]) -> None:
            handled.extend(items)

    told = super(worker, Told).instance()
    told.send(b"last words")
    flush = threading.Thread(target=Told.drain_all, kwargs={"timeout": 10.0, "at_exit": False})
    flush.start()
    flush.join(10)

    assert handled == [b"last words"]
    assert told._logger is logging.getLogger("Told")


# Flows and deployments.


def test_the_form_of_a_flow_follows_the_signature_that_its_function_states() -> None:
    """Door: `Flow(function)` reads `__signature__` and the docstring of a function that takes only keywords.

    Breaks: Prefect's form, and the check of parameters, would know no inputs of a job (`flow_of`).
    """

    async def body(**parameters: Any) -> Any:
        return parameters

    body.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
        [inspect.Parameter("n", inspect.Parameter.KEYWORD_ONLY, default=3, annotation=Annotated[int, "how many"])]
    )
    body.__doc__ = "Try.\n\nArgs:\n    n: How many."
    form = Flow(body, name="made").parameters

    assert form.properties == {"n": {"default": 3, "description": "How many.", "position": 0, "title": "n"} | INTEGER}


INTEGER = {"type": "integer"}


def test_a_flow_with_a_storage_of_its_own_asks_the_server_for_none(tmp_path: Path) -> None:
    """Door: the engine looks for the storage of results with `_sync=True`, also in the event loop.

    Breaks: nothing. When the engine awaits it, `flow_of` needs no storage; until then it would block every agent.
    """

    @flow(result_storage=tmp_path, persist_result=False)
    async def kept() -> None: ...

    elsewhere = get_settings_context().settings.copy_with_update({settings.PREFECT_API_URL: "http://127.0.0.1:1/api"})
    with SettingsContext(profile=get_settings_context().profile, settings=elsewhere):
        store = ResultStore().update_for_flow(kept, _sync=True)

    assert Path(store.result_storage.basepath) == tmp_path  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    assert "_sync=True" in inspect.getsource(AsyncFlowRunEngine.setup_run_context)


def test_a_deployment_has_a_working_folder() -> None:
    """Door: `RunnerDeployment._path`, `from_entrypoint` with a dotted name, `full_name`, `concurrency_limit`.

    Breaks: the runs of `echelon serve` would not find the project that they are imported from (`deployment_of`).
    """
    deployment = deployment_of(
        "flows.audit:audit.flow",
        goal="g",
        root=ROOT,
        parameters={"path": "."},
        schedule=Interval(60),
        name="often",
    )

    assert isinstance(deployment, RunnerDeployment)
    assert (deployment.full_name, deployment.entrypoint) == ("audit/often", "flows.audit:audit.flow")
    assert deployment.concurrency_limit == 1
    assert "path=self._path" in inspect.getsource(RunnerDeployment)


def test_a_runner_serves_what_it_is_given() -> None:
    """Door: `Runner`: `aadd_deployment`, `start` outside the main thread, where signals cannot be handled; `astop`,
    which ends the runs at work, and `cancel_all`, which does that again.

    Breaks: `echelon serve`, which keeps signals to itself (`cli.interrupts`).
    """
    pausing = inspect.signature(Runner).parameters["pause_on_shutdown"]

    assert inspect.iscoroutinefunction(Runner.aadd_deployment)
    assert inspect.iscoroutinefunction(Runner.start)
    assert inspect.iscoroutinefunction(Runner.cancel_all)
    assert "await self.cancel_all()" in inspect.getsource(Runner.astop)
    assert Runner(name="x").started is False
    assert pausing.default is True
    assert "threading.current_thread() is threading.main_thread()" in inspect.getsource(Runner.start)


def test_a_flow_run_at_work_can_be_asked_for_with_its_api() -> None:
    """Door: `FlowRunContext.get()`, with `flow_run` and a `client` that has an `api_url`, sync or async.

    Breaks: a job that is run inside a flow would be shown on another server, and not as a part of it (`nesting`).
    """
    assert context.FlowRunContext.get() is None
    assert {"flow_run", "client"} <= context.FlowRunContext.model_fields.keys()
    assert isinstance(PrefectClient.api_url, property)
    assert isinstance(SyncPrefectClient.api_url, property)


def test_a_termination_of_a_flow_is_a_signal_of_its_own() -> None:
    """Door: `prefect.exceptions.TerminationSignal`, which the engine looks for around the body of a flow.

    Breaks: a flow run that was ended would stay `Running` (`termination`).
    """
    assert not issubclass(TerminationSignal, Exception)
    assert "except TerminationSignal" in inspect.getsource(importlib.import_module(AsyncFlowRunEngine.__module__))


def test_a_run_that_is_due_while_one_is_at_work_is_said_to_have_met_the_limit() -> None:
    """Door: the message of the state `Cancelled`, by which nothing else says why.

    Breaks: `echelon serve` would say of such a run that it did not begin (`served_runs`).
    """
    assert LIMIT_REACHED in inspect.getsource(importlib.import_module("prefect.server.orchestration.core_policy"))


def test_the_dates_of_a_schedule_can_be_computed_here() -> None:
    """Door: `CronSchedule.get_dates` and `IntervalSchedule.get_dates` of the server's own schemas.

    Breaks: `echelon serve` could not say when it runs next, nor refuse a cron that is none (`schedule_of`).
    """
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)

    async def dates() -> tuple[datetime, datetime, datetime]:
        cron = await CronSchedule(cron="0 3 * * *", timezone="UTC").get_dates(n=1, start=at)
        timed = await IntervalSchedule(interval=timedelta(hours=2), anchor_date=at).get_dates(n=1, start=at)
        return cron[0], timed[0], await next_run(Interval(timedelta(hours=1), timezone="UTC"))

    cron, timed, following = asyncio.run(dates())

    assert cron == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert timed - at in (timedelta(0), timedelta(hours=2))
    assert following >= datetime.now(UTC) - timedelta(seconds=1)
