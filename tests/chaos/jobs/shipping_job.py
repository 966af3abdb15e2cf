"""A job whose agents change the world outside, and the world: files that say what was really done, crash or not.

Two phases in two domains, effects, concerns, integration in stages (team, domain, primary), items that are found on the
way: whatever a crash could lose or do twice.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from echelon import Brief, Budget, Concern, Handoffs, Job, Outcome, Resilience, agent, integrator

#: Begins a line that stands for a process, with what it found done.
_PROCESS = "--"


class Parcels(BaseModel):
    """Inputs of the job."""

    world: Path
    """Folder of the world outside."""
    count: int = 4
    """Parcels to send."""
    seconds: float = 0.0
    """Time an agent takes before it does anything, and once more before it returns."""


class Parcel(BaseModel):
    """Something to send."""

    id: str
    domain: str
    world: Path
    seconds: float


class Receipt(BaseModel):
    """What was sent."""

    parcels: tuple[str, ...]
    missing: int = 0
    seal: str = "-" * 17_000
    """Makes it larger than what is kept in the journal: it is in a file."""


class World:
    """What lies outside of the run and survives it: agents that were asked, effects that were received."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def asked(self) -> list[str]:
        """Return who was set to work, each time."""
        return [line for line in _lines(self.folder / "asked") if not line.startswith(_PROCESS)]

    def asked_again(self) -> list[str]:
        """Return who was set to work by a process that knew already that the work was done."""
        known: set[str] = set()
        again: list[str] = []
        for line in _lines(self.folder / "asked"):
            known = set(line.split()[1:]) if line.startswith(_PROCESS) else known
            again += [line] if line in known else []
        return again

    def begin(self, completed: Iterable[str]) -> None:
        """Note that a process begins, and what is on record as completed."""
        with self._alone():
            _append(self.folder / "asked", " ".join((_PROCESS, *completed)))

    def effects(self) -> list[str]:
        """Return the effects that took place, by key."""
        return _lines(self.folder / "effects")

    def ask(self, task_id: str) -> None:
        """Note that an agent was set to work."""
        with self._alone():
            _append(self.folder / "asked", task_id)

    def receive(self, key: str, parcel: str) -> None:
        """Do what an agent asked for, as a service does that knows keys: what has a known key is done already."""
        with self._alone():
            if f"{key} {parcel}" not in self.effects():
                _append(self.folder / "effects", f"{key} {parcel}")

    def paid(self) -> list[str]:
        """Return what was paid for, each time."""
        return _lines(self.folder / "paid")

    def take_money(self, parcel: str) -> None:
        """Do what an agent asked for, as a service does that knows no keys: once more each time."""
        with self._alone():
            _append(self.folder / "paid", parcel)

    def stop_next(self) -> None:
        """Let the next process that sets an agent to work be stopped by the system at this very moment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "stop").touch()

    def stopped(self) -> int | None:
        """Return the process that was stopped; None when none was."""
        told = _lines(self.folder / "stopped")
        return int(told[0]) if told else None

    def stop(self) -> None:
        """Stop this process if it is the one; it goes on from here when somebody lets it."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "stop").unlink()
            _append(self.folder / "stopped", str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # given back by the system when the process is killed
            yield


def key_of(brief: Brief) -> str:
    """Return what tells a receiver that it got the same order before: the same in every attempt and every process."""
    return getattr(brief, "idempotency_key", "") or f"{brief.run_id}:{brief.assignment.task_id}"


@agent(effect="write")
async def send(parcel: Parcel, brief: Brief) -> Outcome[str]:
    """Send a parcel."""
    world = World(parcel.world)
    world.ask(brief.assignment.task_id)
    await asyncio.sleep(parcel.seconds)
    world.stop()
    world.receive(key_of(brief), parcel.id)
    await asyncio.sleep(parcel.seconds)
    return Outcome(output=parcel.id, concerns=_concerns(parcel))


@agent
async def track(parcel: Parcel, brief: Brief) -> Outcome[str]:
    """Say where a parcel is."""
    World(parcel.world).ask(brief.assignment.task_id)
    await asyncio.sleep(parcel.seconds)
    return Outcome(output=parcel.id, concerns=_concerns(parcel))


@integrator
async def merge(sent: Handoffs[str]) -> Receipt:
    """Put receipts together."""
    return Receipt(parcels=tuple(sorted(sent.outputs())), missing=len(sent.missing))


@merge.combine
async def staged(receipts: Handoffs[Receipt]) -> Receipt:
    """Put together what was put together."""
    below = receipts.outputs()
    parcels = tuple(sorted(parcel for one in below for parcel in one.parcels))
    return Receipt(parcels=parcels, missing=sum(one.missing for one in below) + len(receipts.missing))


def of_inputs(inputs: Parcels) -> list[Parcel]:
    """Find the parcels, half of them in each of two domains."""
    domains = ("north", "south")
    return [
        Parcel(id=f"p{n}", domain=domains[2 * n // inputs.count], world=inputs.world, seconds=inputs.seconds)
        for n in range(inputs.count)
    ]


@agent
async def of_receipt(inputs: Parcels, send: Handoffs[Receipt], brief: Brief) -> list[Parcel]:
    """Find the parcels that were sent, on the way."""
    World(inputs.world).ask(brief.assignment.task_id)
    sent = {parcel for receipt in send.outputs() for parcel in receipt.parcels}
    return [parcel for parcel in of_inputs(inputs) if parcel.id in sent]


def of_domain(parcel: Parcel) -> str:
    """Say where a parcel belongs."""
    return parcel.domain


def _concerns(parcel: Parcel) -> tuple[Concern, ...]:
    odd = parcel.id in {"p0", "p3"}
    return (Concern(about=parcel.id, message="the seal is broken", confidence=0.9, impact=0.2),) if odd else ()


def _append(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"{line}\n")
        opened.flush()
        os.fsync(opened.fileno())


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


shipping_job = Job(
    "shipping",
    goal="Bring every parcel to its place",
    inputs=Parcels,
    # Never used up, not by all runs that share a journal: what it writes is what matters.
    budget=Budget(calls=1_000_000_000, per="day"),
    defaults=Resilience(attempts=1),
    span=2,  # five parcels are enough for teams below domains
)
shipping_job.phase("send", each=send, over=of_inputs, domain=of_domain, integrate=staged)
shipping_job.phase("track", each=track, over=of_receipt, domain=of_domain, needs="send", integrate=staged)
