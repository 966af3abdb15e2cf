"""A page of somebody else can neither read nor start anything: the server answers to its own page and to programs."""

import base64
import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from echelon.engine.server.handle import spawn_embedded
from echelon.engine.server.kept import LocalServer
from echelon.engine.server.process import OwnPagesOnly
from echelon.engine.server.secret import SERVER_VARIABLE, choose_secret, read_secret, secret_file
from echelon.engine.server.spawn import START_SECONDS
from echelon.redaction import redact

ASK = ("POST", "/api/flow_runs/count", "{}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[tuple[str, int]]:
    """Give host and port of a server that is kept, which also goes by another name."""
    local = LocalServer(home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server, _ = local.up(port, ["echelon.example"])
    yield "127.0.0.1", urlsplit(server.url).port or 0
    local.down()


def asked(address: tuple[str, int], headers: dict[str, str], *, ask: tuple[str, str, str] = ASK) -> tuple[int, str]:
    """Return status and body of the answer; headers may say `{port}`."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    told = {name: value.format(port=address[1]) for name, value in headers.items()}
    method, path, body = ask
    connection.request(method, path, body if method == "POST" else None, {"content-type": "application/json"} | told)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(errors="replace")
    connection.close()
    return found


FOREIGN = {
    "another origin": {"Origin": "https://evil.example"},
    "another origin of this machine": {"Origin": "http://127.0.0.1:1"},
    "an origin that is hidden": {"Origin": "null"},
    "a file": {"Origin": "file://"},
    "a name that leads here": {"Host": "rebound.example:{port}"},
    "a name that leads here, with its origin": {"Host": "evil.example", "Origin": "http://evil.example"},
    "no name": {"Host": ""},
    "another site without an origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a form of the same site": {"Sec-Fetch-Site": "same-site"},
    "a preflight": {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
}


@pytest.mark.engine
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_what_a_foreign_page_asks_for_is_refused(address: tuple[str, int], headers: dict[str, str]) -> None:
    status, body = asked(address, headers)

    assert (status, "count" in body) == (403, False)
    assert asked(address, headers, ask=("GET", "/api/admin/version", ""))[0] == 403


OWN = {
    "a program": {},
    "its own page": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
    "its page by its other name": {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "cross-site"},
    "a name that was allowed": {"Host": "echelon.example:{port}", "Origin": "http://echelon.example:{port}"},
}


@pytest.mark.engine
@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_programs_and_its_own_page_are_answered_when_they_know_the_secret(
    address: tuple[str, int], home: Path, headers: dict[str, str]
) -> None:
    status, body = asked(address, headers | proof(read_secret(home / "prefect")))

    assert (status, json.loads(body)) == (200, 0)


def proof(secret: str) -> dict[str, str]:
    """Return the header by which a client says that it knows a secret."""
    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


@pytest.mark.engine
@pytest.mark.parametrize("secret", [None, "", "echelon:", "echelon:another", "admin:pass"])
def test_who_does_not_know_the_secret_is_refused(address: tuple[str, int], secret: str | None) -> None:
    status, body = asked(address, {} if secret is None else proof(secret))

    assert (status, "count" in body) == (401, False)


@pytest.mark.engine
def test_a_server_of_one_run_asks_for_the_secret_of_its_home_too(tmp_path: Path) -> None:
    server = spawn_embedded(tmp_path)
    try:
        server.wait_ready(START_SECONDS)
        known = read_secret(tmp_path / "prefect")
        at = urlsplit(server.url)
        statuses = [asked((at.hostname or "", at.port or 0), headers)[0] for headers in ({}, proof(known))]
    finally:
        server.stop()

    assert statuses == [401, 200]


def test_processes_that_make_the_secret_at_once_have_the_same_one(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(20)]
    with ThreadPoolExecutor(20) as many:
        for folder in folders:
            folder.mkdir()
            secret_file(folder).write_text("" if folder.name > "1" else "\n")  # as a power cut may leave it
            secret_file(folder).unlink() if folder.name > "5" else None
            assert len(set(many.map(read_secret, [folder] * 40))) == 1

    assert {file.name for folder in folders for file in folder.iterdir()} == {"api-secret"}
    assert {secret_file(folder).stat().st_mode & 0o777 for folder in folders} == {0o600}


@pytest.mark.parametrize("left", ["", "\n"])
def test_a_secret_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path, left: str) -> None:
    secret_file(tmp_path).write_text(left)

    assert len(read_secret(tmp_path)) > 30


def test_the_secret_that_a_user_chose_is_kept_for_clients_that_are_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, "me:chosen-by-myself")
    choose_secret(tmp_path)
    monkeypatch.delenv(SERVER_VARIABLE)

    assert read_secret(tmp_path) == "me:chosen-by-myself"


def test_the_secret_is_taken_out_of_texts(tmp_path: Path) -> None:
    secret = read_secret(tmp_path)

    assert secret.partition(":")[2] not in redact(f"refused: {secret}, or {secret.partition(':')[2]}")


@pytest.mark.engine
def test_a_link_from_another_site_leads_to_the_page(address: tuple[str, int]) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert asked(address, headers, ask=("GET", "/", ""))[0] in (200, 307)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:4200", "localhost:4200", "[::1]:4200"])
def test_a_server_goes_by_the_names_of_this_machine_for_itself(host: str) -> None:
    assert OwnPagesOnly(None).why_refused({b"host": host}, "/api/x") == ""


@pytest.mark.parametrize(
    "headers",
    [
        {b"host": "127.0.0.1.evil.example"},
        {b"host": "localhost:1", b"origin": "http://localhost:2"},
        {b"host": "localhost:1", b"origin": "ftp://localhost:1"},
        {b"host": "localhost:1", b"origin": "http://localhost:1@evil.example"},
    ],
    ids=str,
)
def test_what_only_looks_like_this_machine_is_refused(headers: dict[bytes, str]) -> None:
    assert OwnPagesOnly(None).why_refused(headers, "/api/x")


async def _answer_of(scope: dict[str, object]) -> list[dict[str, object]]:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def app(_scope: object, _receive: object, _send: object) -> None:
        pytest.fail("it was let through")

    await OwnPagesOnly(app)(scope, None, send)
    return sent


@pytest.mark.anyio
async def test_a_websocket_of_a_foreign_page_is_closed() -> None:
    scope = {
        "type": "websocket",
        "path": "/api/events/out",
        "headers": [(b"host", b"127.0.0.1:4200"), (b"origin", b"https://evil.example")],
    }

    assert [message["type"] for message in await _answer_of(scope)] == ["websocket.close"]
