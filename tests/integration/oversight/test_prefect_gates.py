"""O8: a gate suspends its flow run, the worker is free meanwhile, people answer in Prefect or on the command line.

A real server, a real worker with room for one run, a real browser.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Place
from tests.integration.oversight.asking import (
    Paying,
    asked_again,
    begin_now,
    begun,
    engines,
    flow_run_of,
    reached,
    send_form,
    to_come,
)
from tests.integration.oversight.prefect_form import a_person
from tests.integration.test_deployments import WITHIN_SECONDS, Deployment, watched
from tests.security.browser import CHROMIUM

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

NEEDS_BROWSER = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="needs Chromium")


@pytest.fixture(scope="module")
def paying(served: Place, tmp_path_factory: pytest.TempPathFactory) -> Paying:
    made = Paying(served, tmp_path_factory.mktemp("paying"), "single")
    made.deploy()
    return made


@pytest.fixture(scope="module")
def log(paying: Paying) -> Path:
    return paying.folder / "worker.log"


@pytest.fixture(scope="module")
def deployment(paying: Paying, log: Path) -> Iterator[Deployment]:
    with (
        watched(paying.place, "pay/single") as found,
        paying.place.running("prefect", "worker", "start", "--pool", "single", log=log),
    ):
        yield found
        found.rest()


def no_engine_is_left(place: Place) -> bool:
    """Say whether all processes of flow runs have ended, some time behind their states."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while engines(place):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def answer_in_browser(
    place: Place,
    folder: Path,
    flow_run_id: str,
    verdict: str,
    author: str,
    reason: str = "",
) -> str:
    """Let a person read the form of a flow run, fill it in and send it off; return what it said."""

    async def answer() -> str:
        async with a_person(place, folder / author) as person:
            said = await person.open(flow_run_id)
            assert "taken over" not in await person.page.value("document.title")
            await person.answer(verdict, author, reason)
        return said

    return asyncio.run(answer())


def approve(place: Place, *gates: str) -> Any:
    return place.json("echelon", "gates", "approve", *gates, "--as", "ben", "--reason", "checked")


@NEEDS_BROWSER
def test_a_gate_suspends_its_flow_run_until_people_have_answered(
    paying: Paying, deployment: Deployment, log: Path, tmp_path: Path
) -> None:
    place, to = paying.place, ("acme", "zeta")
    first = begun(deployment, paying.inputs(*to))
    suspended = reached(deployment, first, "PAUSED", log)
    run_id = paying.run_of(suspended)["run_id"]
    # There is room for one run, and it is free: another one comes as far.
    second = begun(deployment, paying.inputs("other"))
    reached(deployment, second, "PAUSED", log)
    assert no_engine_is_left(place)
    (at_the_end,) = to_come(deployment, run_id)

    said = answer_in_browser(place, tmp_path, first, "approve", "mallory")
    suspended = reached(deployment, first, "PAUSED", log, asked_again(suspended))
    said_again = answer_in_browser(place, tmp_path, first, "approve", "ada", "as on the invoice")
    reached(deployment, first, "PAUSED", log, asked_again(suspended))
    woken = approve(place, *paying.open_gates(run_id))
    done = reached(deployment, first, "COMPLETED", log)

    assert "```\n<script>document.title='taken over'</script>\n# transfer 82,000 to " in said
    assert "ada, ben" in said
    assert "1 other gate of this run" in said
    assert "The last answer does not count (approve, by mallory)" in said_again
    assert "mallory may not answer it; ada, ben may" in said_again
    assert woken["flow_runs"] == {run_id: [done["name"]]}
    gates = paying.gates(run_id)
    given = [[(one["channel"], one["author"]) for one in gate["answers"]] for gate in gates]
    assert sorted(given) == [[("cli", "ben")], [("prefect", "mallory"), ("prefect", "ada")]]
    assert {gate["decision"]["reason"] for gate in gates} == {"as on the invoice", "checked"}
    assert at_the_end["next_scheduled_start_time"] > gates[0]["expires"][:19]
    *world, last = paying.done(*to)
    assert sorted(world) == ["check acme", "check zeta", "transfer acme", "transfer zeta"], "nothing is done twice"
    assert last == "confirm"
    assert paying.run_of(done)["status"] == "completed"
    assert to_come(deployment, run_id) == [], "nothing is left of what was to come when the gates ended"
    assert flow_run_of(deployment, second)["state"]["type"] == "PAUSED", "nor is the other one disturbed"


def test_an_answer_is_kept_although_another_run_has_the_place_then(
    paying: Paying, deployment: Deployment, log: Path, tmp_path: Path
) -> None:
    until = tmp_path / "go"
    # In a pool with room for both, the limit of the deployment ends what has no place, and does not let it wait.
    paying.place.run("prefect", "work-pool", "set-concurrency-limit", paying.name, "2")
    first = begun(deployment, paying.inputs("late"))
    suspended = reached(deployment, first, "PAUSED", log)
    run_id = paying.run_of(suspended)["run_id"]
    second = begun(deployment, paying.inputs("busy", until=until))
    reached(deployment, second, "RUNNING", log)

    send_form(deployment, first, verdict="approve", author="ada").raise_for_status()
    reached(deployment, first, "CANCELLED", log)
    until.touch()
    reached(deployment, second, "PAUSED", log)
    (again,) = to_come(deployment, run_id)
    begin_now(deployment, again["id"])
    reached(deployment, again["id"], "COMPLETED", log)

    assert paying.done("late") == ["check late", "transfer late", "confirm"]
    (gate,) = paying.gates(run_id)
    assert [one["channel"] for one in gate["answers"]] == ["prefect"]
    assert again["next_scheduled_start_time"] < gate["expires"], "it does not wait for the end of the gate"
