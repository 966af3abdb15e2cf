"""What a new run does while an earlier one waits for a person: both are kept, one gives way, or none begins (O8)."""

import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from echelon import Job, agent
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidJob, RunSkipped
from echelon.model.run import RunStatus
from echelon.settings import Settings
from tests.conftest import SharedServer
from tests.integration.conftest import calling, document

pytestmark = pytest.mark.anyio


class Payment(BaseModel):
    """What the job here is given."""

    to: str = "acme"
    dry: bool = False


@agent(effect="irreversible")
async def transfer(inputs: Payment) -> str:
    """Transfer the money."""
    return inputs.to


def paying(when_waiting: Any, **more: Any) -> Job:
    job = Job("pay", goal="Pay", inputs=Payment, when_waiting=when_waiting, **more)
    job.phase("transfer", agent=transfer)
    return job


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class OnRecord(NamedTuple):
    """How a run stands."""

    status: str
    open_gates: int
    closed: list[str]


async def on_record(run_id: str) -> OnRecord:
    async with SqlJournal.open(Settings()) as journal:
        gates, record = await journal.gates(run_id), await journal.run(run_id)
    return OnRecord(record.status.value, sum(one.is_open for one in gates), [one.closed for one in gates if one.closed])


WAITS = OnRecord("waiting", 1, [])


@pytest.mark.usefixtures("home")
async def test_both_are_kept_where_nothing_is_said() -> None:
    job = paying("keep")
    first, second = await job.run(), await job.run()

    assert [await on_record(one.run_id) for one in (first, second)] == [WAITS, WAITS]


@pytest.mark.usefixtures("home")
async def test_a_new_run_takes_the_place_of_one_on_the_same_inputs_and_of_no_other() -> None:
    job = paying("supersede")
    other, first, second = await job.run(to="zeta"), await job.run(), await job.run()

    assert await on_record(other.run_id) == WAITS
    assert await on_record(first.run_id) == OnRecord("interrupted", 0, [f"superseded by run {second.run_id}"])
    assert await on_record(second.run_id) == WAITS


@pytest.mark.usefixtures("home")
async def test_a_new_run_takes_the_place_of_one_in_its_series() -> None:
    job = paying("supersede", series=["to"])
    first, second = await job.run(), await job.run(dry=True)

    assert (await on_record(first.run_id)).closed == [f"superseded by run {second.run_id}"]


@pytest.mark.usefixtures("home")
async def test_a_superseded_run_can_be_resumed_and_asks_anew() -> None:
    job = paying("supersede")
    first, _second = await job.run(), await job.run()

    again = await job.resume(first.run_id)

    assert again.status is RunStatus.WAITING
    assert (await on_record(first.run_id)).open_gates == 1


@pytest.mark.usefixtures("home")
async def test_no_run_begins_while_one_waits_and_that_one_goes_on() -> None:
    job = paying("skip")
    first = await job.run()
    other = await job.run(to="zeta")

    with pytest.raises(RunSkipped, match=f"run {first.run_id} waits for a person") as skipped:
        await job.run()
    again = await job.resume(first.run_id)

    assert skipped.value.waiting_run == first.run_id
    assert [other.status, again.status] == [RunStatus.WAITING, RunStatus.WAITING]
    async with SqlJournal.open(Settings()) as journal:
        assert len(await journal.runs()) == 2, "what is not begun is not on record"


JOB = """
from echelon import Job, agent


@agent(effect="irreversible")
async def transfer() -> int:
    return 1


pay = Job("pay", goal="Pay", when_waiting="skip")
pay.phase("transfer", agent=transfer)
"""


def test_a_command_that_begins_nothing_says_why_in_one_line(home: Path) -> None:
    (home / "paying.py").write_text(JOB)
    echelon = calling(home)
    first = document(echelon("run", "paying.py:pay", "--json"), code=4)

    skipped = echelon("run", "paying.py:pay")

    gate = first["gates"][0]["id"]
    why = f"'pay' was not begun: run {first['run_id']} waits for a person; look at it: echelon gates show {gate}"
    assert (skipped.returncode, skipped.stdout, skipped.stderr) == (4, "", f"echelon: {why}\n")


@pytest.mark.parametrize("again", ["another one", "resumed"])
def test_a_run_gives_way_although_its_successor_is_killed_as_it_takes_its_place(home: Path, again: str) -> None:
    """Its gates are closed by then, and its end is not on record: nobody is asked, and nothing must wait for that."""
    (home / "paying.py").write_text(JOB.replace("skip", "supersede"))
    echelon = calling(home)
    first = document(echelon("run", "paying.py:pay", "--json"), code=4)["run_id"]
    killed = echelon("run", "paying.py:pay", at="gates.superseded:1")
    (second,) = {one["run_id"] for one in document(echelon("runs", "--json"))["runs"]} - {first}

    command = ("resume", second) if again == "resumed" else ("run", "paying.py:pay")
    begun = echelon(*command, "--json")
    last = document(begun, code=4)["run_id"]

    assert f"takes the place of run {first}" in begun.stderr
    assert killed.returncode == -signal.SIGKILL
    standing = {one["run_id"]: one["status"] for one in document(echelon("runs", "--json"))["runs"]}
    assert (standing[first], standing[last]) == ("interrupted", "waiting")
    gates = document(echelon("gates", "--all", "--json"))["gates"]
    closed = {gate["run_id"]: (gate["closed"], gate["open"]) for gate in gates}
    assert closed == {first: (f"superseded by run {second}", False), last: ("", True)}


@pytest.mark.engine
async def test_a_flow_run_that_begins_nothing_is_skipped_in_prefect(engine: SharedServer) -> None:
    job = paying("skip", series=["to"])
    first = await job.flow(to=str(engine.home), return_state=True)
    second = await job.flow(to=str(engine.home), return_state=True)

    assert (first.name, second.name, second.type.value) == ("Waiting", "Skipped", "COMPLETED")
    assert "waits for a person" in second.message


def test_a_job_is_refused_that_says_something_else() -> None:
    with pytest.raises(InvalidJob, match="when_waiting='wait' is not known; use one of keep, supersede, skip"):
        paying("wait")
