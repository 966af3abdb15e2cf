"""A job that is mended in rounds: single tasks, a phase as a whole, a loop over two phases, and one that is skipped.

Who is set to work, and who checks, is on record outside of the run, with the number of the round.
"""

from echelon import Brief, Handoffs, Job, Repeat, Resilience, Rounds, Verdict, agent
from tests.chaos.jobs.shipping_job import Parcel, Parcels, World, of_inputs


def _ask(world: World, brief: Brief, number: int) -> None:
    world.ask(f"{brief.assignment.task_id}@{number}")


@agent
async def fix(parcel: Parcel, brief: Brief, rounds: Rounds[str]) -> str:
    """Fix a parcel a little."""
    _ask(World(parcel.world), brief, brief.round)
    return f"{parcel.id}:{len(rounds) + 1}"


async def is_fixed(parcel: Parcel, output: str, brief: Brief, rounds: Rounds[str]) -> str:
    """Say what is broken: every parcel takes one round more than the one before it, three at most."""
    _ask(World(parcel.world), brief, len(rounds))
    left = int(parcel.id[1:]) % 3 + 1 - int(output.split(":")[1])
    return f"{left} to be fixed" if left > 0 else ""


@agent
async def pack(parcel: Parcel, brief: Brief) -> str:
    """Pack a parcel."""
    _ask(World(parcel.world), brief, brief.round)
    return f"{parcel.id}:{brief.round}"


async def are_packed(pack: Handoffs[str], brief: Brief, inputs: Parcels) -> Verdict:
    """Say which parcels are open: every second one is packed twice."""
    packed = {key: int(number) for key, number in (one.split(":") for one in pack.outputs())}
    _ask(World(inputs.world), brief, max(packed.values()))
    bad = {key: "it is open" for key, number in packed.items() if int(key[1:]) % 2 > number - 1}
    return Verdict.rejected("some are open", bad) if bad else Verdict.accepted()


async def is_to_be_stored(pack: Handoffs[str], brief: Brief, inputs: Parcels) -> str:
    """Say why nothing is stored."""
    _ask(World(inputs.world), brief, 1)
    return "" if not pack.outputs() else "all of it is sent"


@agent
async def store(pack: Handoffs[str]) -> int:
    """Store what is packed."""
    raise AssertionError("it is skipped")


@agent
async def draft(pack: Handoffs[str], brief: Brief, rounds: Rounds[list[str]], inputs: Parcels) -> list[str]:
    """Draft a letter about what is packed, and change what was missing."""
    _ask(World(inputs.world), brief, brief.round)
    return [*pack.outputs(), *(f"changed: {one.gap}" for one in rounds)]


@agent
async def edit(draft: Handoffs[list[str]], store: Handoffs[int], brief: Brief, inputs: Parcels) -> list[str]:
    """Edit a letter."""
    _ask(World(inputs.world), brief, brief.round)
    return [*draft.outputs()[0], f"stored: {store.outputs()}"]


async def is_polite(edit: Handoffs[list[str]], brief: Brief, inputs: Parcels) -> str:
    """Say what is missing in a letter."""
    (letter,) = edit.outputs()
    changes = sum(line.startswith("changed") for line in letter)
    _ask(World(inputs.world), brief, changes + 1)
    return ("no greeting", "no thanks", "")[changes]


mending_job = Job("mending", goal="Mend every parcel", inputs=Parcels, defaults=Resilience(attempts=1))
mending_job.phase("fix", each=fix, over=of_inputs, repeat=Repeat(until=is_fixed))
mending_job.phase("pack", each=pack, over=of_inputs, needs="fix", repeat=Repeat(until=are_packed))
mending_job.phase("store", agent=store, needs="pack", when=is_to_be_stored)
mending_job.phase("draft", agent=draft, needs="pack")
mending_job.phase("edit", agent=edit, needs=["draft", "store"])
mending_job.loop(["draft", "edit"], until=is_polite)
