"""`echelon doctor`: is everything here that a run needs? Each check says what it found and what to do."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter
from packaging.requirements import Requirement
from rich.text import Text

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json
from echelon.engine.picture.request import all_troubles
from echelon.engine.server.handle import ServerKind, resolve_server
from echelon.journal.private import nearest_existing, private_folder
from echelon.journal.schema import HEAD
from echelon.model.errors import DependencyFailed
from echelon.model.phrasing import count, listed, one_line
from echelon.redaction import redact
from echelon.resilience.breaker.board import BreakerBoard
from echelon.settings import Settings

#: Packages whose version decides whether a run works at all.
PINNED = ("prefect", "sqlalchemy")

#: Optional parts that users may want; what developers need is not asked for.
EXTRAS = ("audit", "llm")

FREE_BYTES = 500_000_000
CLOCK_SECONDS = 5.0

#: How a server that anybody may use is made to ask who it is, by whose it is.
_LOCK = dict.fromkeys(ServerKind, "start it anew: `echelon down`, then `echelon up`") | {
    ServerKind.CONFIGURED: "whoever reaches it can read runs and start jobs; set PREFECT_SERVER_API_AUTH_STRING for "
    "the server, and PREFECT_API_AUTH_STRING for those who use it"
}

#: Breakers named at most.
BREAKERS_NAMED = 10


class Check(NamedTuple):
    """The result of a check."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def doctor(
    *,
    server: Annotated[bool, Parameter(help="Also start the embedded Prefect server and ask it.")] = False,
    as_json: AsJson = False,
) -> int:
    """Check the installation; exit code 1 when something is wrong."""
    settings = read_settings()
    checks = [_safely(check, settings) for check in _checks(start_server=server)]
    if as_json:
        print_json({"checks": [check._asdict() for check in checks]})
    else:
        _show(checks)
    return 0 if all(check.ok for check in checks) else 1


def _checks(*, start_server: bool) -> Iterator[tuple[str, Callable[[Settings], Check]]]:
    yield "python", lambda _settings: _python()
    for package in PINNED:
        yield package, lambda _settings, package=package: _package(package)
    yield "home", _home
    yield "disk", _disk
    yield "clock", _clock
    yield "journal", lambda _settings: _journal()
    yield "breakers", _breakers
    yield "server", lambda settings: _server(settings, start=start_server)
    yield "pictures", _pictures
    for extra in EXTRAS:
        yield f"extra {extra}", lambda _settings, extra=extra: _extra(extra)


def _safely(check: tuple[str, Callable[[Settings], Check]], settings: Settings) -> Check:
    name, look = check
    try:
        return look(settings)
    except Exception as error:  # noqa: BLE001 - a check that fails is the finding
        return Check(name, ok=False, detail=one_line(error), fix="correct what it says, then run it again")


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    wanted = metadata.metadata("echelon")["Requires-Python"]
    ok = Requirement(f"python{wanted}").specifier.contains(found)
    return Check(
        "python", ok, f"{found}, wanted {wanted}", "" if ok else "make the virtual environment with a newer Python"
    )


def _package(package: str) -> Check:
    wanted = next(one for one in map(Requirement, metadata.requires("echelon") or ()) if one.name == package)
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        return Check(package, ok=False, detail=f"not installed, wanted {wanted.specifier}", fix=_pip(wanted))
    ok = wanted.specifier.contains(found, prereleases=True)
    return Check(package, ok, f"{found}, wanted {wanted.specifier}", "" if ok else _pip(wanted))


def _pip(wanted: Requirement) -> str:
    return f"pip install '{wanted.name}{wanted.specifier}'"


def _home(settings: Settings) -> Check:
    try:
        private_folder(settings.home)
        with tempfile.TemporaryFile(dir=settings.home):
            return Check("home", ok=True, detail=f"{settings.home} can be written")
    except OSError as error:
        fix = "set ECHELON_HOME to a folder that you may write"
        return Check("home", ok=False, detail=f"{settings.home} cannot be written: {error.strerror}", fix=fix)


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(nearest_existing(settings.home)).free
    fix = "" if free >= FREE_BYTES else "make room, or set ECHELON_HOME to a larger disk"
    return Check("disk", not fix, f"{free / 1e9:.1f} GB free at {settings.home}", fix)


def _clock(settings: Settings) -> Check:
    """Compare the clock with that of the disk, which is another machine's on a network drive."""
    now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    try:
        with tempfile.NamedTemporaryFile(dir=nearest_existing(settings.home)) as file:
            skew = abs(time.time() - Path(file.name).stat().st_mtime)
    except OSError as error:  # whether the home can be written is a check of its own
        return Check("clock", ok=True, detail=f"{now}, not compared with that of the disk: {error.strerror}")
    ok = skew < CLOCK_SECONDS
    fix = "" if ok else "let both machines set their clocks from the network (NTP); leases and schedules need it"
    return Check("clock", ok, f"{now}, {skew:.1f} s from that of the disk", fix)


def _journal() -> Check:
    newest = query(lambda journal: journal.runs(1))
    last = f", last run {newest[0].run_id}" if newest else ", no runs yet"
    return Check("journal", ok=True, detail=f"opens, revision {HEAD}{last}")


def _breakers(settings: Settings) -> Check:
    """Say who shares the state of breakers; a Redis that is set and not there leaves every process to itself."""
    if settings.redis_url is None:
        detail = "known to each process only"
        return Check("breakers", ok=True, detail=detail, fix="set ECHELON_REDIS_URL to share them between processes")
    with BreakerBoard(settings.redis_url.get_secret_value()) as board:
        try:
            answer, records = board.answer(), board.records()
        except DependencyFailed as error:
            return Check("breakers", ok=False, detail=str(error), fix="until then each process keeps them to itself")
    refusing = [name for name, record in records.items() if record.state != "closed"]
    server = f"Redis {answer.version} at {answer.address}, {answer.milliseconds:.1f} ms"
    known, open_ones = (listed(names, BREAKERS_NAMED) or "none" for names in (records, refusing))
    detail = f"shared through {server}; on record: {known}; calls are refused to: {open_ones}"
    return Check("breakers", ok=True, detail=detail)


def _server(settings: Settings, *, start: bool) -> Check:
    server = resolve_server(settings.home)
    if server.kind is ServerKind.EMBEDDED and not start:
        return Check("server", ok=True, detail="embedded, started with each run; --server tries it")
    began = time.monotonic()
    with server:
        server.wait_ready()
        took = time.monotonic() - began
        detail = f"{server.kind.value} at {redact(server.url)} answers after {took:.1f} s"
        if not server.is_open():
            return Check("server", ok=True, detail=detail)
    return Check("server", ok=True, detail=f"{detail}, and asks nobody for a password", fix=_LOCK[server.kind])


def _pictures(settings: Settings) -> Check:
    """Runs that Prefect does not show are no reason not to run; what stands in the way is."""
    troubles = all_troubles(settings)
    if not troubles:
        return Check("pictures", ok=True, detail="nothing stands in the way of showing runs in Prefect")
    why = "; ".join(dict.fromkeys(troubles.values()))
    fix = f"correct what it says; a damaged database of Prefect in {settings.home / 'prefect'} may be removed"
    return Check("pictures", ok=False, detail=f"Prefect does not show {count(len(troubles), 'run')}: {why}", fix=fix)


def _extra(extra: str) -> Check:
    """Optional: what is missing is told, but no run fails for it unless its job needs it."""
    name = f"extra {extra}"
    missing = [one.name for one in _of_extra(extra) if not _installed(one)]
    if missing:
        detail = f"without {', '.join(missing)}; only jobs that use it need it"
        return Check(name, ok=True, detail=detail, fix=f"pip install 'echelon[{extra}]'")
    return Check(name, ok=True, detail="installed")


def _of_extra(extra: str) -> Iterator[Requirement]:
    for one in map(Requirement, metadata.requires("echelon") or ()):
        if one.marker and one.name != "echelon" and one.marker.evaluate({"extra": extra}):
            yield one


def _installed(wanted: Requirement) -> bool:
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _show(checks: list[Check]) -> None:
    console = out()
    for check in checks:
        mark = Text("✓", style="green") if check.ok else Text("✗", style="bold red")
        console.print(Text.assemble(mark, f" {check.name}: {check.detail}"))
        if check.fix:
            console.print(Text(f"    {check.fix}", style="dim" if check.ok else ""))
