"""The settings of Prefect, on both sides of a run: what the client needs, what a local server needs.

Prefect reads its environment when it is imported, so everything here is plain text about the environment; nothing here
imports Prefect at the top. Defaults only: what the user has set is never overridden.
"""

import contextlib
import os
import sys
import tomllib
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import certifi

from echelon.engine.bytecode import bytecode_environment
from echelon.engine.server.secret import CLIENT_VARIABLE, read_secret
from echelon.model.adapter import JsonObject

#: Nobody is phoned, by the client or by a server (facts: with both set, no look-up outside loopback is made).
NO_TELEMETRY = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}

#: Measured: INFO writes a line for every task run and sends it to the server, 1 ms each.
#: What failed is told by the run itself, so Prefect's own lines about it go to its server only, not to the console.
QUIET_CLIENT = {
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_EVENTS_WORKER_MAX_QUEUE_SIZE": "100000",
}

#: A server of our own gives out no CSRF tokens, so no client need ask for one; a configured server may insist on them.
LOCAL_CLIENT = {"PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"}

#: Recording in batches takes a third of the CPU of Prefect's defaults, with the same rows at the end.
BATCHED_RECORDING = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TRIGGERS_READ_BATCH_SIZE": "100",
}

#: Who holds a place under a deployment's limit is remembered on disk. Prefect's default keeps it in memory: after a
#: power cut the run that was at work would hold its place for ever, and every later run of the schedule be cancelled.
LASTING_LEASES = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}

#: What a server that lives as long as one run can do without: flow runs, task runs, logs and artifacts are still
#: recorded; the event feed is not (17 kB a task run), and no automation or schedule can fire in it.
ONE_RUN_ONLY = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    # The memo of block registration costs a scan of all collections, even when registration is off.
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "false",
}

#: Either name works in Prefect; a database the user names is used as it is.
DATABASE_VARIABLES = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")


@dataclass(frozen=True)
class ConfiguredServer:
    """A Prefect server that the user chose, and where the choice is written."""

    url: str
    origin: str


def configured_server(ignore: Collection[str] = (), *, trusted: bool = False) -> ConfiguredServer | None:
    """Return the API that the user has chosen, in Prefect's own order of precedence, or None.

    URLs in `ignore` do not count; they are those of servers this process started itself. Files in the working folder,
    which Prefect itself reads too, count where the folder is `trusted` only.
    """
    return _first(chain(_of_environment(), _of_folder() if trusted else (), _of_profile()), ignore)


def refused_server(ignore: Collection[str] = ()) -> ConfiguredServer | None:
    """Return the API that files in the working folder name, or None; the environment comes before them."""
    return None if _first(_of_environment(), ignore) else _first(_of_folder(), ignore)


Source = tuple[str, Mapping[str, Any]]
"""Where settings are written, and what is written there."""


def _first(sources: Iterable[Source], ignore: Collection[str]) -> ConfiguredServer | None:
    for origin, settings in sources:
        url = settings.get("PREFECT_API_URL")
        if url and url not in ignore:
            return ConfiguredServer(url=str(url).rstrip("/"), origin=origin)
    return None


def _of_environment() -> Iterator[Source]:
    yield "the environment variable PREFECT_API_URL", os.environ


def _of_folder() -> Iterator[Source]:
    """Yield what files in the working folder say, strongest first, each read only when those before had no answer."""
    if Path(".env").is_file():
        yield f"PREFECT_API_URL in {Path('.env').absolute()}", _dotenv()
    yield f"api.url in {Path('prefect.toml').absolute()}", _api_section(_toml(Path("prefect.toml")))
    tool = _toml(Path("pyproject.toml")).get("tool", {})
    yield f"tool.prefect.api.url in {Path('pyproject.toml').absolute()}", _api_section(tool.get("prefect", {}))


def _of_profile() -> Iterator[Source]:
    profiles = profiles_path()
    name, settings = _active_profile(_toml(profiles))
    yield f"profile {name!r} in {profiles}", settings


def profiles_path() -> Path:
    """Return the file in which Prefect keeps the user's profiles."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    return Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()


def _active_profile(profiles: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    name = os.environ.get("PREFECT_PROFILE") or profiles.get("active") or ""
    return name, profiles.get("profiles", {}).get(name, {})


def _api_section(settings: Mapping[str, Any]) -> JsonObject:
    return {"PREFECT_API_URL": settings.get("api", {}).get("url")}


def _dotenv() -> Mapping[str, str | None]:
    from dotenv import dotenv_values  # needed only beside a .env file

    return dotenv_values(".env")


def _toml(path: Path) -> JsonObject:
    """Read a TOML file; one that is missing or broken says nothing (Prefect itself warns about the broken ones)."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def client_environment(home: Path, api_url: str | None = None) -> dict[str, str]:
    """Return the environment a process needs to run flows, as defaults; `api_url` when a local server is meant.

    `home` is Echelon's home directory; persisted results go below it.
    """
    settings = NO_TELEMETRY | QUIET_CLIENT | {"PREFECT_LOCAL_STORAGE_PATH": str(home / "prefect" / "results")}
    if api_url is None:
        return settings
    if not profiles_path().exists():
        settings["PREFECT_HOME"] = str(home / "prefect")
    settings |= LOCAL_CLIENT | {"PREFECT_API_URL": api_url, CLIENT_VARIABLE: read_secret(home / "prefect")}
    return settings | _no_proxy_to_loopback() | _short_trust(home, api_url)


def _no_proxy_to_loopback() -> dict[str, str]:
    """Keep requests to the local server away from a proxy that the environment names."""
    excluded = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    proxied = any(name.lower() in {"http_proxy", "all_proxy"} for name in os.environ)
    if not proxied or excluded == "*" or "127.0.0.1" in excluded.split(","):
        return {}
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(filter(None, (excluded, "127.0.0.1"))))


def _short_trust(home: Path, api_url: str) -> dict[str, str]:
    """Let the client trust one authority instead of all when it speaks plain HTTP, where none is asked.

    Prefect loads the whole bundle for each of its clients, 40 ms a time, several times a run.
    """
    if not api_url.startswith("http://"):
        return {}
    short = home / "prefect" / "one-authority.pem"
    if not short.is_file():
        bundle = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
        end = "-----END CERTIFICATE-----"
        begin = bundle.index("-----BEGIN CERTIFICATE-----")
        short.parent.mkdir(parents=True, exist_ok=True)
        short.write_text(bundle[begin : bundle.index(end) + len(end)] + "\n", encoding="ascii")
    return {"PREFECT_API_SSL_CERT_FILE": str(short)}


def configure(home: Path, api_url: str | None = None) -> dict[str, str | None]:
    """Set the client's environment; call it before Prefect is imported.

    Returns what the changed variables were before, for `restore`. A variable that the user set stays as it is, except
    for `api_url`, which is the server this process has just started, and the secret of that.
    """
    always = {*_OF_ONE_SERVER, "NO_PROXY", "no_proxy"}
    wanted = client_environment(home, api_url)
    changed = {name: value for name, value in wanted.items() if name in always or name not in os.environ}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    return before


def restore(before: Mapping[str, str | None]) -> None:
    """Undo `configure`, also in a Prefect that was imported meanwhile: it must not go on with a server that is gone."""
    given_back = os.environ.get("PREFECT_API_URL")
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if "prefect.context" in sys.modules and "PREFECT_API_URL" in before:
        from prefect import context

        if context.GLOBAL_SETTINGS_CONTEXT.settings.api.url == given_back:
            context.refresh_global_settings_context()


@contextlib.contextmanager
def prefect_settings(home: Path, api_url: str | None = None) -> Generator[None]:
    """Make the Prefect of this process use these settings inside the block, also when it was imported long before.

    Needed because an imported Prefect does not look at the environment again; without an imported Prefect it does
    nothing, since the environment will be read.
    """
    if "prefect" not in sys.modules:
        yield
        return
    from prefect import settings
    from prefect.context import SettingsContext, get_settings_context

    if api_url is not None and settings.get_current_settings().api.url == api_url:
        yield  # the environment was set before Prefect was imported, or a block around this one did it
        return
    present = get_settings_context()
    key = (id(present), str(home), api_url)
    if key not in _COPIES:
        wanted = client_environment(home, api_url)
        defaults: dict[Any, Any] = {getattr(settings, name): wanted[name] for name in _SETTINGS & wanted.keys()}
        forced: dict[Any, Any] = {getattr(settings, name): wanted[name] for name in _OF_ONE_SERVER & wanted.keys()}
        _COPIES[key] = (present, present.settings.copy_with_update(updates=forced, set_defaults=defaults))
    with SettingsContext(profile=present.profile, settings=_COPIES[key][1]):
        yield


#: Settings made for a server, with those they were made from: making them takes 80 ms, and runs follow one another.
_COPIES: dict[tuple[int, str, str | None], tuple[Any, Any]] = {}


def server_environment(prefect_home: Path, database_url: str | None) -> dict[str, str]:
    """Return the whole environment of a local server process whose own files go to `prefect_home`.

    `database_url` None leaves the database that the user's environment names.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _CLIENT_ONLY}
    defaults = NO_TELEMETRY | BATCHED_RECORDING | LASTING_LEASES
    mine = {"PREFECT_HOME": str(prefect_home), "PREFECT_PROFILES_PATH": str(prefect_home / "no-profiles.toml")}
    if database_url is not None:
        mine[DATABASE_VARIABLES[0]] = database_url
    return defaults | environment | bytecode_environment() | mine


#: What belongs to one server and would be wrong with another: it wins over what the user has set.
_OF_ONE_SERVER = frozenset({"PREFECT_API_URL", CLIENT_VARIABLE})

#: Of the client's environment, what an imported Prefect can still be told; its loggers are the program's own affair.
_SETTINGS = frozenset(
    {
        "PREFECT_API_SSL_CERT_FILE",
        "PREFECT_EVENTS_WORKER_MAX_QUEUE_SIZE",
        "PREFECT_HOME",
        "PREFECT_LOCAL_STORAGE_PATH",
        "PREFECT_LOGGING_LEVEL",
        "PREFECT_SERVER_ANALYTICS_ENABLED",
    }
)

#: These mean the client; a server that read them would call itself or ship its own log to itself.
_CLIENT_ONLY = frozenset(
    {
        CLIENT_VARIABLE,
        "PREFECT_API_KEY",
        "PREFECT_API_SSL_CERT_FILE",
        "PREFECT_API_URL",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL",
        "PREFECT_LOGGING_LEVEL",
        "PREFECT_PROFILE",
    }
)


def database_is_chosen() -> bool:
    """Say whether the user's environment names the database of the server."""
    return any(os.environ.get(name) for name in DATABASE_VARIABLES)
