"""CPU-bound functions for the tests of `workers`: at the top of a module, where another process finds them."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from echelon import AgentFailed, Brief, Concern, Handoffs, Outcome, Previous, Workspace, agent
from echelon.model.usage import Usage


class Numbers(BaseModel):
    """What is to be added."""

    values: tuple[int, ...]


@agent(cpu_bound=True)
def add(item: Numbers) -> int:
    """Add up."""
    return sum(item.values)


@agent(cpu_bound=True)
def whoami() -> int:
    """Say which process this is."""
    return os.getpid()


@agent(cpu_bound=True)
def chatter(item: str) -> str:
    """Print, and read what can be read."""
    print('{"outcome": {}}')
    sys.stdout.flush()
    os.write(1, b"to the file descriptor\n")
    subprocess.run([sys.executable, "-c", "print(input())"], check=False, stderr=subprocess.DEVNULL)
    return item + sys.stdin.read()


@agent(cpu_bound=True)
def die(item: int) -> int:
    """End the process."""
    os._exit(item)


@agent(cpu_bound=True)
def leave(item: int) -> int:
    """End the process politely."""
    sys.exit(item)


@agent(cpu_bound=True)
def hang(item: Path) -> int:
    """Tell who hangs, and hang."""
    item.write_text(str(os.getpid()))
    threading.Event().wait()
    return 0


@agent(cpu_bound=True)
def refuse(item: str) -> str:
    """Fail with a concern."""
    raise AgentFailed(item, concerns=[Concern(about=item, message="odd", confidence=0.5, impact=0.5)], passing=True)


@agent(cpu_bound=True)
def stumble(item: str) -> str:
    """Fail without wanting to."""
    raise OSError(item) if item == "disk" else KeyError(item)


@agent(cpu_bound=True)
def tell_all(item: int) -> Outcome[int]:
    """Say more than the output."""
    concern = Concern(about="it", message="odd", confidence=0.5, impact=0.5)
    usage = Usage(tokens_in=3, calls=2)
    return Outcome(output=item, summary="told", confidence=0.5, concerns=(concern,), next_steps=("rest",), usage=usage)


@agent(cpu_bound=True)
def gather(seen: Handoffs[Numbers], previous: Previous[int], brief: Brief, workspace: Workspace) -> list[str]:
    """Use everything that an agent may be given."""
    (workspace / "left").write_text("here")
    read = [f"{one.task_id}={sum(one.load().values)}" for one in seen]
    lost = [f"{one.task_id}: {one.reason}" for one in seen.missing]
    return [*read, *lost, f"before {previous.load()}", brief.assignment.intent.task]


class Held(BaseModel):
    """Something with a secret in it."""

    token: SecretStr
    when: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@agent(cpu_bound=True)
def kind_of(item: Any) -> str:
    """Say of which kind something is."""
    return type(item).__name__


@agent(cpu_bound=True)
def price_of(item: Decimal) -> str:
    """Say a price."""
    return repr(item)


@agent(cpu_bound=True)
def reveal(item: Held) -> str:
    """Say what nobody should."""
    return f"{item.token.get_secret_value()} {item.when:%Y}"


@agent(cpu_bound=True)
def reverse(item: bytes) -> bytes:
    """Turn bytes round."""
    return item[::-1]


@agent(cpu_bound=True)
def moment() -> str | datetime:
    """Return what would be another thing in the parent."""
    return datetime(2026, 1, 1, tzinfo=UTC)


@agent(cpu_bound=True)
def half(item: float) -> float:
    """Divide by two."""
    return item / 2


@agent(cpu_bound=True)
def misjudge(item: str) -> Numbers:
    """Make a value that does not fit."""
    return Numbers.model_validate({"values": [item, item]})
