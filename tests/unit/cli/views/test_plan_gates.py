"""A plan shows every gate, those of phases among them that find their items on the way (O5, X12)."""

import io

from rich.console import Console

from echelon import Gate, Handoffs, Job, agent
from echelon.cli.views.plan import show_plan
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned


@agent
async def find() -> list[int]:
    return [1, 2]


def found(lists: Handoffs[list[int]]) -> list[int]:
    return lists.outputs()[0]


@agent(effect="irreversible")
async def delete(item: int) -> int:
    return item


def test_a_phase_that_finds_its_items_on_the_way_shows_its_gate_and_who_may_answer() -> None:
    job = Job("clean", goal="Clean up")
    job.phase("find", agent=find)
    job.phase("purge", each=delete, over=found, needs="find", gate=Gate(approvers=("mia", "tom")))
    shown = io.StringIO()
    console = Console(file=shown, width=200)
    show_plan(console, planned(job, NoInputs()).plan)

    text = shown.getvalue()
    (row,) = [line for line in text.splitlines() if line.startswith("purge") and "items known" in line]
    assert " ".join(row.split()) == "purge find items known after find, delete on each each"
    assert "gate of purge: mia, tom may answer" in text
