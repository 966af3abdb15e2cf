"""Prefect's own form of a suspended flow run, used as a person uses it: in a browser, by clicks and keys."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from echelon.engine.server.secret import read_secret
from tests.integration.conftest import Place
from tests.security.browser import Page, a_browser

DIALOG = "document.querySelector('[role=dialog]')"


def _of_text(selector: str, text: str) -> str:
    """Return an expression for the element that reads so."""
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].find(e => e.innerText.trim() === {json.dumps(text)})"
    )


class PrefectForm:
    """The page of a flow run in Prefect's UI, and the form that it opens."""

    def __init__(self, place: Place, page: Page) -> None:
        self.place, self.page = place, page

    async def open(self, flow_run_id: str) -> str:
        """Open the form of a flow run, logging in where that is asked for; return what it says."""
        await self.page.open(f"{self.place.url.removesuffix('/api')}/v2/runs/flow-run/{flow_run_id}")
        menu = _of_text("button", "Open menu")
        asked = "document.querySelector('input[type=password]')"
        if await self.page.until(f"{menu} ? 'menu' : {asked} ? 'secret' : ''") == "secret":
            await self.page.click(asked)
            await self.page.type(read_secret(self.place.home / "prefect"))
        await self.page.click(menu)
        await self.page.click(_of_text("[role=menuitem]", "Resume"))
        await self.page.until("document.querySelector('[role=dialog] [aria-label=\"Select Verdict\"]') !== null")
        await self.page.until(f"{DIALOG}.innerText.includes('echelon gates show')")
        # It grows into its place, and what is clicked at before is not where it seems.
        await self.page.until(f"{DIALOG}.getAnimations().length === 0")
        return await self.page.value(f"{DIALOG}.innerText")

    async def choose(self, verdict: str) -> None:
        """Choose from the list of verdicts."""
        await self.page.click("document.querySelector('[role=dialog] [aria-label=\"Select Verdict\"]')")
        await self.page.click(_of_text("[role=option]", verdict))
        # The first click beside an open list only closes it.
        await self.page.until("document.querySelector('[role=option]') === null")

    async def write(self, label: str, text: str) -> None:
        """Type into the field of a label."""
        field = f"document.getElementById({_of_text('[role=dialog] label', label)}.htmlFor)"
        await self.page.click(field)
        await self.page.until(f"document.activeElement === {field}")
        await self.page.ask("Input.insertText", text=text)

    async def send(self) -> None:
        """Send it off, and see that the server took it."""
        await self.page.click(_of_text("[role=dialog] button", "Resume"))
        await self.page.until(f"{DIALOG} === null")

    async def answer(self, verdict: str, author: str, reason: str = "") -> None:
        """Fill it in, and send it off."""
        await self.choose(verdict)
        await self.write("Author", author)
        if reason:
            await self.write("Reason (Optional)", reason)
        await self.send()


@contextlib.asynccontextmanager
async def a_person(place: Place, folder: Path) -> AsyncIterator[PrefectForm]:
    """Give somebody who sits before a browser."""
    async with a_browser(folder) as page:
        yield PrefectForm(place, page)
