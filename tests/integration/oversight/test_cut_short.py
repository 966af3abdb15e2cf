"""O8, F8: what is cut short where people are asked goes on: a flow run that is killed, a step that nobody saw end.

A real server, `echelon serve`, real kills, and what the form sends.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.conftest import SERVED_POINTS
from tests.integration.conftest import Place
from tests.integration.oversight.asking import (
    Paying,
    asked_again,
    begin_now,
    begun,
    flow_run_of,
    reached,
    send_form,
    to_come,
)
from tests.integration.served.process import ServeProcess
from tests.integration.test_deployments import WITHIN_SECONDS, Deployment, watched

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.skipif(os.name == "nt", reason="sends signals")]


class Served(Paying):
    """The job, served by one process for all tests here, with what is seen of it."""

    def __init__(self, place: Place, folder: Path) -> None:
        super().__init__(place, folder, "cut", "supersede")
        self.serve = ServeProcess(place, folder)

    @property
    def said(self) -> Path:
        return self.serve.log

    def brought_back(self, deployment: Deployment, run_id: str) -> str:
        """Wait until a flow run is to go on with a run, and not only when its gate ends; let it begin at once."""
        ends = self.gates(run_id)[0]["expires"]

        def soon() -> list[str]:
            return [one["id"] for one in to_come(deployment, run_id) if one["next_scheduled_start_time"] < ends]

        self.serve.wait_for(soon)
        (flow_run_id,) = soon()
        begin_now(deployment, flow_run_id)
        return flow_run_id


@pytest.fixture(scope="module")
def paying(served: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(served, tmp_path_factory.mktemp("cut"))
    before = served.processes()
    options = ['--param=to=["nobody"]', f"--param=log={made.log('nobody')}"]
    process = made.serve.begin("paying.py:pay", *options, "--interval", "36000", "--name", "cut")
    made.serve.wait_for(lambda: "serving pay/cut" in made.serve.said)
    yield made
    process.send_signal(signal.SIGINT)
    ended = process.wait(WITHIN_SECONDS)
    for left in set(served.processes()) - set(before):
        if "prefect.engine" in left.cmdline():
            left.kill()
    assert ended == 0, made.serve.said
    assert "Traceback" not in made.serve.said


@pytest.fixture
def deployment(paying: Served) -> Iterator[Deployment]:
    with watched(paying.place, "pay/cut") as found:
        yield found


def asks(paying: Served, deployment: Deployment, flow_run_id: str) -> dict[str, Any]:
    """Wait until a flow run is suspended for a person."""
    return reached(deployment, flow_run_id, "PAUSED", paying.said)


def test_every_point_at_which_a_flow_run_asks_is_tried_here() -> None:
    asking = [point for point in SERVED_POINTS if not point.startswith("continuation.")]

    assert asking == ["form.recorded", "gate.suspended", "gate.suspending", "gates.superseded"]


@pytest.mark.parametrize("point", ["gate.suspending", "gate.suspended"])
def test_a_flow_run_that_is_killed_as_it_asks_is_followed_by_one_that_asks(
    paying: Served, deployment: Deployment, point: str
) -> None:
    to = point.replace(".", "-")
    paying.arm(point)
    first = begun(deployment, paying.inputs(to))
    reached(deployment, first, "CRASHED", paying.said)
    run_id = paying.run_of(flow_run_of(deployment, first))["run_id"]

    second = paying.brought_back(deployment, run_id)
    asks(paying, deployment, second)
    send_form(deployment, second, verdict="approve", author="ada", reason="seen").raise_for_status()
    reached(deployment, second, "COMPLETED", paying.said)

    (gate,) = paying.gates(run_id)
    assert [(one["channel"], one["author"], one["refused"]) for one in gate["answers"]] == [("prefect", "ada", "")]
    assert paying.done(to) == [f"check {to}", f"transfer {to}", "confirm"], "nothing is lost or done twice"
    assert to_come(deployment, run_id) == []


def test_a_flow_run_that_is_killed_as_it_takes_an_answer_up_is_followed_by_one_that_goes_on(
    paying: Served, deployment: Deployment
) -> None:
    first = begun(deployment, paying.inputs("answered"))
    asks(paying, deployment, first)
    run_id = paying.run_of(flow_run_of(deployment, first))["run_id"]

    paying.arm("form.recorded")
    send_form(deployment, first, verdict="approve", author="ben").raise_for_status()
    reached(deployment, first, "CRASHED", paying.said)
    assert paying.done("answered") == ["check answered"]
    second = paying.brought_back(deployment, run_id)
    reached(deployment, second, "COMPLETED", paying.said)

    (gate,) = paying.gates(run_id)
    assert [(one["channel"], one["author"]) for one in gate["answers"]] == [("prefect", "ben")], "it is on record once"
    assert gate["used"]
    assert paying.done("answered") == ["check answered", "transfer answered", "confirm"]
    assert to_come(deployment, run_id) == []


def test_a_run_whose_successor_is_killed_as_it_takes_its_place_gives_way_to_the_next_one(
    paying: Served, deployment: Deployment
) -> None:
    inputs = paying.inputs("twice")
    first = begun(deployment, inputs)
    asks(paying, deployment, first)
    run_id = paying.run_of(flow_run_of(deployment, first))["run_id"]
    (asked,) = paying.open_gates(run_id)

    paying.arm("gates.superseded")
    killed = begun(deployment, inputs)
    reached(deployment, killed, "CRASHED", paying.said)
    # Nobody has taken its place: it asks anew, of what was closed.
    paying.serve.wait_for(lambda: paying.open_gates(run_id) not in ([asked], []))
    asks(paying, deployment, first)
    third = begun(deployment, inputs)
    asks(paying, deployment, third)
    reached(deployment, first, "CANCELLED", paying.said)

    successor = paying.run_of(flow_run_of(deployment, third))["run_id"]
    stood_in = paying.run_of(flow_run_of(deployment, killed))
    assert [gate["closed"] for gate in paying.gates(run_id)] == [
        f"superseded by run {stood_in['run_id']}",
        f"superseded by run {successor}",
    ]
    assert paying.run_of(flow_run_of(deployment, first))["status"] == "interrupted"
    assert stood_in["status"] == "interrupted"
    (gate,) = paying.open_gates(successor)
    send_form(deployment, third, verdict="approve", author="ada").raise_for_status()
    reached(deployment, third, "COMPLETED", paying.said)
    assert paying.done("twice").count("transfer twice") == 1
    assert [one["id"] for one in paying.gates(successor)] == [gate]


def test_who_fills_the_form_in_says_that_a_step_was_done_which_nobody_saw_end(
    paying: Served, deployment: Deployment
) -> None:
    flow_run = begun(deployment, paying.inputs("dead", breaks=True))
    before = asks(paying, deployment, flow_run)
    run_id = paying.run_of(before)["run_id"]
    send_form(deployment, flow_run, verdict="approve", author="ada").raise_for_status()
    reached(deployment, flow_run, "PAUSED", paying.said, asked_again(before))

    untold = send_form(deployment, flow_run, verdict="done", author="ada", output=3)
    told = {"verdict": "done", "author": "ada", "reason": "on the statement", "output": '"by hand"'}
    # Whoever fills it in sends it once more where the server was busy.
    paying.serve.wait_for(lambda: send_form(deployment, flow_run, **told).json()["status"] == "ACCEPT")
    reached(deployment, flow_run, "COMPLETED", paying.said)

    assert untold.json()["status"] == "REJECT", "the form has a field for what came out of it, and it is a text"
    _begin, cut_off = paying.gates(run_id)
    assert cut_off["question"] == "cut_off"
    (answer,) = cut_off["answers"]
    assert (answer["verdict"], answer["author"], answer["channel"]) == ("done", "ada", "prefect")
    assert (answer["reason"], answer["output"], answer["refused"]) == ("on the statement", "by hand", "")
    assert paying.done("dead") == ["check dead", "transfer dead", "confirm"], "the deed is not repeated"
    assert paying.place.json("echelon", "show", run_id)["output"] == ["by hand"]
