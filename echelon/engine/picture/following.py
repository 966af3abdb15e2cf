"""One run is followed and drawn until its end, from where its picture was left."""

import asyncio
import http
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from echelon.engine.picture.api import Api
from echelon.engine.picture.drawing import Canvas, PictureGone
from echelon.engine.picture.mapping import Picture
from echelon.engine.picture.progress import Progress, ProgressFile
from echelon.engine.picture.request import PictureRequest
from echelon.runlog.events import LoggedEvent

log = logging.getLogger("echelon.engine.picture")

#: New events are looked for after so many seconds, longer each time there are none. What happened in between is drawn
#: together: a step that began and ended meanwhile costs one request less.
FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 1.0
PAUSE_GROWTH = 1.3

#: A run that is a part of another one waits for the flow run of that to be drawn, for so many seconds.
PARENT_SECONDS = 10.0

#: A run of which nothing was heard for so long may have died; its lease says whether it has.
SILENCE_SECONDS = 30.0


class Log(Protocol):
    """What is asked of the journal."""

    async def events(self, run_id: str, *, after: int = 0) -> Sequence[LoggedEvent]:
        """Return the events of a run behind a place."""
        ...

    async def is_held(self, run_id: str) -> bool:
        """Say whether a process that may be alive holds a run."""
        ...


class Follower:
    """Draws one run."""

    def __init__(self, request: PictureRequest, journal: Log, folder: Path) -> None:
        self._request = request
        self._journal = journal
        self._folder = folder
        self.seq = 0
        """Place of the last event that is drawn."""

    async def follow(self, api: Api, server: str) -> None:
        """Draw the run until its end; raises `Unreachable` when the server is away, then it may be tried again."""
        request = self._request
        kept = ProgressFile(self._folder, request.run_id, server)
        parent = await _parent_of(request, api)
        try:
            await self._follow(Canvas(api, request.run_id, request.flow_run_id, parent), kept)
        except PictureGone as gone:
            log.info("%s; the run is drawn once more", gone)
            kept.forget()
            await self._follow(Canvas(api, request.run_id, request.flow_run_id, parent), kept)

    async def _follow(self, canvas: Canvas, kept: ProgressFile) -> None:
        request, before = self._request, kept.read()
        picture = Picture(request.run_id, request.granularity, owns_flow_run=request.flow_run_id is None)
        entries = await self._journal.events(request.run_id)
        canvas.recall(picture.draw([each for each in entries if each.seq <= before.seq], before.until))
        self.seq = before.seq
        await self._draw(canvas, kept, picture, [each for each in entries if each.seq > before.seq])
        await self._draw_news(canvas, kept, picture)
        await canvas.settle()

    async def _draw_news(self, canvas: Canvas, kept: ProgressFile, picture: Picture) -> None:
        pause, heard = FIRST_PAUSE_SECONDS, time.monotonic()
        while not picture.is_over:
            await asyncio.sleep(pause)
            entries = await self._journal.events(self._request.run_id, after=self.seq)
            pause = FIRST_PAUSE_SECONDS if entries else min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
            if entries or time.monotonic() - heard > SILENCE_SECONDS:
                if not entries and not await self._journal.is_held(self._request.run_id):
                    await self._abandon(canvas, picture)
                    return
                heard = time.monotonic()
            await self._draw(canvas, kept, picture, entries)  # without events too: time alone ends a part

    async def _draw(self, canvas: Canvas, kept: ProgressFile, picture: Picture, entries: Sequence[LoggedEvent]) -> None:
        until = datetime.now(UTC)
        await canvas.draw(picture.draw(entries, until))
        if entries:
            self.seq = entries[-1].seq
            kept.write(Progress(self.seq, until))

    async def _abandon(self, canvas: Canvas, picture: Picture) -> None:
        if picture.last_at is None:
            log.warning("run %s is not in the journal; it is not drawn", self._request.run_id)
            return
        log.info("no process works on run %s any more, and nothing says how it ended", self._request.run_id)
        await canvas.draw(picture.abandon(picture.last_at))


async def _parent_of(request: PictureRequest, api: Api) -> str | None:
    """Return the flow run that a run is shown inside of; None where there is none, or this server does not know it."""
    if request.parent_flow_run_id is not None:
        found = await api.get(f"/flow_runs/{request.parent_flow_run_id}")
        return request.parent_flow_run_id if found.status == http.HTTPStatus.OK else None
    if request.parent_run_id is None:
        return None
    until = time.monotonic() + PARENT_SECONDS
    query = {"flow_runs": {"idempotency_key": {"any_": [request.parent_run_id]}}}
    while not (drawn := (await api.post("/flow_runs/filter", query)).body):
        if time.monotonic() > until:
            log.info("run %s is a part of %s, which is not drawn", request.run_id, request.parent_run_id)
            return None
        await asyncio.sleep(FIRST_PAUSE_SECONDS)
    return drawn[0]["id"]
