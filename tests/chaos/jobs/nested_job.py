"""A job with runs inside that write down who is asked, so that a crash can be seen from outside."""

import asyncio
import sys
from pathlib import Path

from pydantic import BaseModel

from echelon import Concern, Handoffs, Job, Outcome, agent, integrator
from echelon.engine.run import RunOptions, run_job

#: The outer run.
RUN_ID = "crates"


class Crate(BaseModel):
    folder: Path
    crate: str


class Crates(BaseModel):
    folder: Path
    crates: list[str] = ["c0", "c1"]


@agent
async def pack(number: int, inputs: Crate) -> Outcome[str]:
    """Pack a thing."""
    thing = f"{inputs.crate}/{number}"
    with (inputs.folder / "asked").open("a", encoding="utf-8") as asked:
        asked.write(f"{thing}\n")
    worry = Concern(about=thing, message="it may break", confidence=0.3, impact=0.9)
    return Outcome(output=thing, concerns=(worry,))


@integrator
async def lid(packed: Handoffs[str]) -> list[str]:
    """Close the crate."""
    return sorted(packed.outputs())


@agent
async def load(crates: Handoffs[list[str]]) -> list[str]:
    """Load all crates."""
    return sorted(thing for crate in crates.outputs() for thing in crate)


crate_job = Job("crate", goal="Pack a crate", inputs=Crate)
crate_job.phase("pack", each=pack, over=lambda: [0, 1], integrate=lid)

crates_job = Job("crates", goal="Pack crates", inputs=Crates, max_concurrency=1)
crates_job.phase("crates", each=crate_job, over=lambda crates: crates)
crates_job.phase("load", agent=load, needs="crates")

if __name__ == "__main__":
    inputs = Crates(folder=Path(sys.argv[1]))
    asyncio.run(run_job(crates_job, inputs, RunOptions(run_id=RUN_ID)))
