"""O8: who serves a job looks after runs that wait for people, and a new run takes the place of one that does.

A real server and real processes.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.settings import Settings
from tests.integration.conftest import Place
from tests.integration.oversight.asking import Paying, begun, flow_run_of, reached
from tests.integration.served.process import ServeProcess
from tests.integration.test_deployments import WITHIN_SECONDS, watched

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.skipif(os.name == "nt", reason="sends signals")]


@pytest.fixture
def serve(served: Place, tmp_path: Path) -> Iterator[ServeProcess]:
    before = served.processes()
    yield ServeProcess(served, tmp_path / "paying")
    for left in set(served.processes()) - set(before):
        if "serve" in left.cmdline() or "prefect.engine" in left.cmdline():
            left.kill()


def approve_unheard(place: Place, gate_id: str) -> None:
    """Answer a gate on record, and let nobody know: as from a machine that cannot reach Prefect."""

    async def answer() -> None:
        wish = AnswerWish(verdict="approve", author="ada", reason="checked")
        async with SqlJournal.open(Settings(home=place.home)) as journal:
            assert (await answer_gate(journal, gate_id, wish)).counts

    asyncio.run(answer())


def test_a_new_run_takes_the_place_of_one_that_waits_and_goes_on_when_a_person_has_answered(
    serve: ServeProcess, served: Place, tmp_path: Path
) -> None:
    paying = Paying(served, tmp_path / "paying", "served", "supersede")
    inputs = paying.inputs("acme")
    options = ['--param=to=["acme"]', f"--param=log={inputs['log']}"]
    process = serve.begin("paying.py:pay", *options, "--interval", "36000", "--name", "served")
    serve.wait_for(lambda: "serving pay/served" in serve.said)
    with watched(served, "pay/served") as deployment:
        first = begun(deployment, inputs)
        reached(deployment, first, "PAUSED", serve.log)
        serve.wait_for(lambda: ": waiting after" in serve.said)
        superseded = paying.run_of(flow_run_of(deployment, first))["run_id"]

        second = begun(deployment, inputs)
        reached(deployment, second, "PAUSED", serve.log)
        ended = reached(deployment, first, "CANCELLED", serve.log)
        run = paying.run_of(flow_run_of(deployment, second))
        (gate,) = paying.open_gates(run["run_id"])
        approve_unheard(served, gate)
        reached(deployment, second, "COMPLETED", serve.log)
    process.send_signal(signal.SIGINT)

    assert process.wait(WITHIN_SECONDS) == 0, serve.said
    # Who supersedes it and who serves it may both end it; each says why.
    assert f"superseded by run {run['run_id']}" in ended["state"]["message"]
    assert [gate["closed"] for gate in paying.gates(superseded)] == [f"superseded by run {run['run_id']}"]
    assert paying.run_of(flow_run_of_record(superseded, paying))["status"] == "interrupted"
    assert paying.done("acme") == ["check acme", "check acme", "transfer acme", "confirm"]
    assert f"{run['run_id']}: waiting" in serve.said
    assert f"{run['run_id']}: completed" in serve.said
    assert "Traceback" not in serve.said


def test_a_gate_that_nobody_answers_in_time_is_decided_by_default(
    serve: ServeProcess, served: Place, tmp_path: Path
) -> None:
    paying = Paying(served, tmp_path / "paying", "ending", expires_seconds=12)
    options = ['--param=to=["zeta"]', f"--param=log={paying.log('zeta')}"]
    process = serve.begin("paying.py:pay", *options, "--interval", "36000", "--name", "ending")
    serve.wait_for(lambda: "serving pay/ending" in serve.said)
    with watched(served, "pay/ending") as deployment:
        first = begun(deployment, paying.inputs("zeta"))
        run_id = paying.run_of(reached(deployment, first, "PAUSED", serve.log))["run_id"]
        serve.wait_for(lambda: f"{run_id}: failed" in serve.said)
        ended = reached(deployment, first, "CANCELLED", serve.log)
    process.send_signal(signal.SIGINT)

    assert process.wait(WITHIN_SECONDS) == 0, serve.said
    assert f"run {run_id} goes on in flow run" in ended["state"]["message"]
    (gate,) = paying.gates(run_id)
    assert (gate["decision"]["verdict"], gate["decision"]["channel"]) == ("deny", "expiry")
    assert paying.done("zeta") == ["check zeta"]


def flow_run_of_record(run_id: str, paying: Paying) -> dict[str, str]:
    """Return the flow run of a run on record."""
    recorded = paying.place.json("echelon", "runs")["runs"]
    return next({"id": one["flow_run_id"]} for one in recorded if one["run_id"] == run_id)
