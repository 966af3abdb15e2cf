"""In a real browser: a foreign page can neither read nor start anything, and Prefect's own page still works."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.sides import clean_environment
from echelon.engine.server.kept import KeptServer, LocalServer
from echelon.engine.server.secret import read_credentials, read_secret
from tests.security.browser import CHROMIUM, a_browser

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.engine,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="needs Chromium"),
]

#: What a page tries with the server at ADDRESS. Each way that can start something would leave a flow of its own name;
#: the answer says what could be read.
ATTACK = """
(async () => {
  const api = ADDRESS + "/api", read = {};
  const flow = name => JSON.stringify({name});
  const attempt = async (name, what) => {
    const late = new Promise(done => setTimeout(() => done("(late)"), 5000));
    try { const found = await Promise.race([what(), late]); if (found) read[name] = found; } catch (error) {}
  };
  await attempt("read", async () => (await fetch(api + "/admin/version")).text());
  await attempt("read with credentials", async () =>
    (await fetch(api + "/admin/version", {credentials: "include"})).text());
  await attempt("json", async () => (await fetch(api + "/flows/", {
    method: "POST", headers: {"content-type": "application/json"}, body: flow("json")})).text());
  await attempt("no-cors", async () => {
    await fetch(api + "/flows/", {method: "POST", mode: "no-cors", body: new Blob([flow("no-cors")])}); });
  await attempt("text", async () => {
    await fetch(api + "/flows/", {
      method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"}, body: flow("text")}); });
  await attempt("beacon", async () => { navigator.sendBeacon(api + "/flows/", new Blob([flow("beacon")])); });
  await attempt("websocket", () => new Promise(done => {
    const socket = new WebSocket(api.replace("http", "ws") + "/events/in");
    socket.onopen = () => done("open");
    socket.onclose = () => done("");
  }));
  await attempt("form", () => new Promise(done => {
    const frame = document.createElement("iframe"), form = document.createElement("form");
    frame.name = "hidden";
    form.method = "post"; form.enctype = "text/plain"; form.target = "hidden"; form.action = api + "/flows/";
    const field = document.createElement("input");
    field.name = '{"name": "form", "tags": ["'; field.value = '"]}';
    form.append(field); document.body.append(frame, form);
    frame.onload = () => setTimeout(() => done(""), 500);
    form.submit();
  }));
  return read;
})()
"""


class _AnyPage(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page of somebody else</title><body>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


@pytest.fixture(scope="module")
def foreign_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _AnyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[KeptServer]:
    local = LocalServer(home)
    yield local.up(0)[0]
    local.down()


def flows_of(url: str, credentials: tuple[str, str] | None) -> list[str]:
    """Return the names of the flows that a server knows: what was started on it."""
    answer = httpx.post(f"{url}/flows/filter", json={}, auth=credentials, trust_env=False)
    return sorted(flow["name"] for flow in answer.raise_for_status().json())


async def attacked(origin: str, target: str, folder: Path) -> dict[str, str]:
    """Open a page in a browser that trusts every name server, let it try everything, and return what it read."""
    async with a_browser(folder / "browser", "--host-resolver-rules=MAP *.example 127.0.0.1") as page:
        await page.open(origin)
        await page.until("document.body !== null && location.href !== 'about:blank'")
        return await page.value(ATTACK.replace("ADDRESS", f'"{target}"'))


FOREIGN = {
    "of another site": "http://evil.example:{foreign}",
    "of another port of this machine": "http://127.0.0.1:{foreign}",
    "by a name that leads here": "http://rebound.example:{own}",
}


#: What the server says to a page that comes by a foreign name, which that page may read.
REFUSALS = ("may not use this server", "does not go by the name")


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_page_reads_nothing_and_starts_nothing(
    origin: str, server: KeptServer, home: Path, foreign_port: int, tmp_path: Path
) -> None:
    own = urlsplit(server.url).port
    page = origin.format(foreign=foreign_port, own=own)
    target = page if "rebound" in page else server.ui_url

    read = await attacked(page, target, tmp_path)

    assert {
        name: text for name, text in read.items() if "may not use" not in text and "go by the name" not in text
    } == {}
    assert flows_of(server.url, read_credentials(home / "prefect")) == []


@pytest.fixture
def unguarded(tmp_path: Path) -> Iterator[str]:
    """Give the API of a server as Prefect starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_UI_ENABLED": "false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-services"],
        env=clean_environment(**own),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/api"
    try:
        wait_until_it_answers(url)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 100
    while True:
        try:
            httpx.get(f"{url}/health", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline, "Prefect's own server does not start"
            time.sleep(0.2)
        else:
            return


async def test_the_same_page_reads_and_starts_on_a_server_without_guards(
    unguarded: str, foreign_port: int, tmp_path: Path
) -> None:
    read = await attacked(f"http://evil.example:{foreign_port}", unguarded.removesuffix("/api"), tmp_path)

    assert {"read", "json", "websocket"} <= read.keys()
    assert {"json", "no-cors"} & set(flows_of(unguarded, None))


@pytest.fixture
def known_flow(server: KeptServer, home: Path) -> Iterator[str]:
    """Give the name of a flow that the server knows for the time of a test."""
    name = "shown-to-its-owner"
    with httpx.Client(base_url=server.url, auth=read_credentials(home / "prefect"), trust_env=False) as client:
        flow = client.post("/flows/", json={"name": name}).raise_for_status().json()
        yield name
        client.delete(f"/flows/{flow['id']}").raise_for_status()


async def test_prefects_own_page_asks_for_the_secret_and_then_shows_what_there_is(
    server: KeptServer, home: Path, known_flow: str, tmp_path: Path
) -> None:
    async with a_browser(tmp_path / "browser") as page:
        await page.open(f"{server.ui_url}/flows")
        await page.until("document.querySelector('input[type=password]') !== null")
        assert known_flow not in await page.text()

        await page.value("document.querySelector('input[type=password]').focus()")
        await page.type(read_secret(home / "prefect"))

        await page.until(f"document.body.innerText.includes('{known_flow}')")
