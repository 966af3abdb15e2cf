"""Deeds of other processes that cannot be undone: each is noted in a ledger, and ends as it is told to."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel

from echelon import AgentFailed, Brief, Outcome, agent
from echelon.model.errors import AgentBlocked, InvalidInput
from echelon.model.status import Status


class Order(BaseModel):
    """What the jobs are given."""

    ending: str
    ledger: Path

    @property
    def deeds(self) -> list[str]:
        """What was done."""
        return self.ledger.read_text().split() if self.ledger.exists() else []


def _raise(error: Exception) -> NoReturn:
    raise error


#: What a deed of another process ends with, by name; what is returned is no text, as the contract says.
ENDINGS: dict[str, Callable[[], object]] = {
    "OSError": lambda: _raise(OSError("the disk is full")),
    "ValueError": lambda: _raise(ValueError("odd")),
    "MemoryError": lambda: _raise(MemoryError()),
    "os._exit": lambda: os._exit(3),
    "sys.exit": lambda: sys.exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "no JSON": object,
    "another thing there": lambda: datetime(2026, 1, 1, tzinfo=UTC),
    "AgentFailed": lambda: _raise(AgentFailed("the account is locked")),
    "AgentFailed, passing": lambda: _raise(AgentFailed("the bank is closed", passing=True)),
    "InvalidInput": lambda: _raise(InvalidInput("no such account")),
    "AgentBlocked": lambda: _raise(AgentBlocked("waits for mia")),
    "blocked": lambda: Outcome(output="", status=Status.BLOCKED, summary="waits for mia"),
}


def _do(ending: str, ledger: Path) -> str | datetime:
    with ledger.open("a") as noted:
        noted.write("done\n")
    return ENDINGS[ending]()  # pyright: ignore[reportReturnType] - what does not fit is one of the endings


@agent(effect="irreversible", preview=lambda ending: ending, cpu_bound=True)
def deed(ending: str, ledger: Path) -> str | datetime:
    """Do what cannot be undone."""
    return _do(ending, ledger)


@agent(effect="write", cpu_bound=True)
def note(ending: str, ledger: Path) -> str | datetime:
    """Do what can be done again."""
    return _do(ending, ledger)


@agent(effect="irreversible")
async def publish(brief: Brief, ledger: Path) -> str:
    """Do what cannot be undone, in this process, and wait for somebody behind it."""
    with ledger.open("a") as noted:
        noted.write("done\n")
    brief.report_blocked("mia", "she has to look at it")
