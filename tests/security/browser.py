"""A real browser, driven over its own protocol: what a person would see and do, and what a page of somebody may."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

#: Nothing is fetched in the background; the sandbox needs rights that a container does not have.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
    "--remote-debugging-port=0",
)

WITHIN_SECONDS = 60


class Page:
    """A tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0

    async def ask(self, method: str, **params: Any) -> Any:
        """Ask the browser for something and return what it answers."""
        self._number += 1
        await self._connection.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(await self._connection.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.ask("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """Return the value of an expression in the page; a promise is awaited."""
        answer = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until an expression is true in the page, and return its value."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while not (found := await self.value(expression)):
            assert time.monotonic() < deadline, f"{expression} stays false on: {await self.text()}"
            await asyncio.sleep(0.1)
        return found

    async def text(self) -> str:
        """Return what there is to read on the page."""
        return await self.value("document.body ? document.body.innerText : ''")

    async def click(self, element: str) -> None:
        """Click at an element, given as an expression, as soon as it is there: in the middle, as a person does."""
        middle = "(box => [box.x + box.width / 2, box.y + box.height / 2])(found.getBoundingClientRect())"
        x, y = await self.until(f"(found => found && (found.scrollIntoView({{block: 'center'}}), {middle}))({element})")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    async def type(self, text: str) -> None:
        """Type into what has the focus, and press Enter."""
        await self.ask("Input.insertText", text=text)
        enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        for kind in ("keyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, **enter)


@contextlib.asynccontextmanager
async def a_browser(folder: Path, *flags: str) -> AsyncIterator[Page]:
    """Give an empty tab of a browser whose profile is in a folder."""
    assert CHROMIUM
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port, path = await _address(folder / "DevToolsActivePort")
        async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as browser:
            target = (await Page(browser).ask("Target.createTarget", url="about:blank"))["targetId"]
        async with connect(f"ws://127.0.0.1:{port}/devtools/page/{target}", max_size=None, proxy=None) as tab:
            yield Page(tab)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), WITHIN_SECONDS)


async def _address(file: Path) -> tuple[str, str]:
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        with contextlib.suppress(FileNotFoundError, ValueError):
            port, path = file.read_text().splitlines()
            return port, path
        assert time.monotonic() < deadline, "the browser does not start"
        await asyncio.sleep(0.05)
