"""Jobs of every shape that a job can have, made from a description: phases that grow, are skipped, repeated or fail.

What an agent delivers depends on all it was given, so that a run that differs anywhere ends differently.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from echelon import AgentFailed, Fallback, Handoffs, Job, Need, Repeat, Resilience, Rounds, agent, integrator
from echelon.agents.function import FunctionAgent
from echelon.journal.digest import digest_of
from tests.chaos.jobs.shipping_job import Parcels, World

#: Rounds that are made at most; what passes later than that never does.
ROUNDS = 3

NAME = "random"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One phase."""

    name: str
    needs: tuple[tuple[str, str], ...] = ()
    """Phases it needs, each with its coupling; empty: none is stated."""
    kind: Literal["single", "each", "found"] = "single"
    """Has it one agent, items that are known, or items that are found in what it is handed?"""
    items: int = 1
    wanted: bool | None = None
    """What its condition says; None: it has none."""
    passes_in: int | None = None
    """The round in which its work passes; None: it is not checked."""
    whole: bool = False
    """Is it checked as a whole?"""
    fails: tuple[int, ...] = ()
    """Items that always fail."""
    integrates: bool = False


@dataclass(frozen=True, kw_only=True)
class Description:
    """A job."""

    phases: tuple[Shape, ...]
    loop: tuple[str, ...] = ()
    """Phases that are repeated together."""
    loop_passes_in: int = 1

    def write(self, world: Path) -> None:
        """Put it where the process finds it that runs the job."""
        world.mkdir(parents=True)
        (world / "job.json").write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_job(world: Path) -> Job:
    """Return the job that is described in a world."""
    found = json.loads((world / "job.json").read_text(encoding="utf-8"))
    shapes = [Shape(**{**one, "needs": tuple(map(tuple, one["needs"]))}) for one in found["phases"]]
    job = Job(NAME, goal="Come to the same end", inputs=Parcels, defaults=Resilience(attempts=1))
    for shape in shapes:
        job.phase(shape.name, **_options(shape))
    if found["loop"]:
        job.loop(found["loop"], until=check_of_all(found["loop_passes_in"]), rounds=ROUNDS)
    return job


def _options(shape: Shape) -> dict[str, Any]:
    options: dict[str, Any] = {"needs": [_need(*need) for need in shape.needs]}
    worker = _worker(shape)
    if shape.kind == "single":
        options["agent"] = worker
    else:
        options |= {"each": worker, "over": _finder(shape), "domain": lambda item: f"d{len(item) % 2}"}
    if shape.wanted is not None:
        options["when"] = _condition(shape)
    if shape.passes_in is not None:
        until = check_of_all(shape.passes_in) if shape.whole else _check_of_one(shape.passes_in)
        options["repeat"] = Repeat(until=until, rounds=ROUNDS, stall=ROUNDS)
    if shape.integrates:
        options["integrate"] = put_together
    return options


def _need(phase: str, coupling: str) -> Need:
    if coupling == "medium":
        return Need(phase, coupling, fallback=Fallback.default("stand-in:1:none"))
    return Need(phase, coupling or None, reason="it is so" if coupling == "tight" else "")


def given(got: Handoffs[str]) -> list[Any]:
    """Return all that an agent was given, as what it says depends on it."""
    return [sorted(got.outputs()), sorted(missing.task_id for missing in got.missing)]


def round_of(output: str) -> int:
    """Return the round in which something was delivered."""
    return int(output.split(":")[1])


def _worker(shape: Shape) -> FunctionAgent[..., Any]:
    async def work(item: str, inputs: Parcels, got: Handoffs[str], rounds: Rounds[str]) -> str:
        World(inputs.world).ask(f"{shape.name}/{item}@{len(rounds) + 1}")
        if item in {f"{shape.name}{number}" for number in shape.fails}:
            raise AgentFailed("it always fails")
        return f"{item}:{len(rounds) + 1}:{digest_of([given(got), rounds.outputs()])[:8]}"

    async def alone(inputs: Parcels, got: Handoffs[str], rounds: Rounds[str]) -> str:
        return await work(f"{shape.name}0", inputs, got, rounds)

    return agent(alone, name=f"{shape.name}0") if shape.kind == "single" else agent(work, name=f"work-{shape.name}")


def _finder(shape: Shape) -> Any:
    def found(got: Handoffs[str]) -> list[str]:
        return [f"{shape.name}{number}" for number in range(shape.items)]

    def known() -> list[str]:
        return [f"{shape.name}{number}" for number in range(shape.items)]

    return found if shape.kind == "found" else known


def _condition(shape: Shape) -> Any:
    def wanted() -> bool | str:
        return True if shape.wanted else f"{shape.name} is of no use"

    return wanted


def _check_of_one(passes_in: int) -> Any:
    def passes(output: str) -> str:
        return "" if round_of(output) >= passes_in else f"{passes_in - round_of(output)} more"

    return passes


def check_of_all(passes_in: int) -> Any:
    """Return a check of all that phases hand on."""

    def all_pass(got: Handoffs[str]) -> str:
        least = min(map(round_of, got.outputs()), default=ROUNDS)
        return "" if least >= passes_in else f"{passes_in - least} more"

    return all_pass


@integrator
async def put_together(got: Handoffs[str]) -> str:
    """Put outputs together."""
    outputs: Sequence[str] = got.outputs()
    return f"all:{min(map(round_of, outputs), default=1)}:{digest_of(given(got))[:8]}"
