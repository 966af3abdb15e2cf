"""O2, O11: whatever leads and integrators make of it, what agents raise is on record, and a person sees what matters.

A job through the real command line: 600 concerns at once, a lead that swallows everything, an integrator that rewrites
everything.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.run import RunStatus, StepRecord
from echelon.oversight.attention import LINES_A_LEVEL
from echelon.settings import Settings
from echelon.testing.receivers import HttpReceiver
from tests.integration.conftest import Called, Echelon, calling, document

JOB = """
import os

from echelon import Brief, Handoffs, Job, Notify, agent, integrator

#: How often each agent says what, and with which confidence and impact.
SAID = {
    "immediate": (2, "high", "high"),
    "human_review": (3, "low", "high"),
    "normal": (30, "high", "low"),
    "pattern_log": (25, "low", "low"),
}


def places() -> list[str]:
    return [f"place{number}" for number in range(5)]


def shout(place: str, brief: Brief) -> None:
    for route, (times, confidence, impact) in SAID.items():
        for number in range(times):
            message = f"<{route}-{brief.phase}-{place}-{number}>"
            brief.raise_concern(message, confidence=confidence, impact=impact)


@agent
def look(place: str, brief: Brief) -> str:
    "Look at a place, and shout."
    shout(place, brief)
    return place


@agent
def look_again(place: str, brief: Brief) -> str:
    "Look again, and shout."
    shout(place, brief)
    return place


@integrator
def swallow(seen: Handoffs[str]) -> str:
    "Say that all is well, whatever was seen."
    return "all is well"


@integrator
def rewrite(seen: Handoffs[str]) -> str:
    "Hand on something else than what was seen."
    return "nothing was seen, and nobody said anything"


def domain(place: str) -> str:
    return f"of-{place[-1]}"


flood = Job("flood", goal="Look at all places", notify=[Notify.webhook(os.environ["HOOK"])])
flood.phase("look", each=look, over=places, domain=domain, integrate=swallow)
flood.phase("again", each=look_again, over=places, domain=domain, integrate=rewrite)
"""

#: What each of ten agents says, by the route that it takes.
SAID = {"immediate": 2, "human_review": 3, "normal": 30, "pattern_log": 25}
AGENTS = 10

CRITICAL = {
    f"<{route}-{phase}-place{place}-{number}>"
    for route in ("immediate", "human_review")
    for phase in ("look", "again")
    for place in range(5)
    for number in range(SAID[route])
}


@dataclass(frozen=True, kw_only=True)
class Flood:
    """A run in which everybody shouts, and what came of it."""

    echelon: Echelon
    folder: Path
    receiver: HttpReceiver
    said: Called

    @property
    def run_id(self) -> str:
        return self.document["run_id"]

    @property
    def document(self) -> Any:
        (run,) = document(self.echelon("runs", "--json"))["runs"]
        return document(self.echelon("show", run["run_id"], "--json"))

    def steps(self) -> dict[str, StepRecord]:
        """Return the steps on record, by their keys."""

        async def read() -> dict[str, StepRecord]:
            async with SqlJournal.open(Settings(home=self.folder / "home")) as journal:
                return {step.key: step for step in await journal.steps(self.run_id)}

        return asyncio.run(read())


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flood]:
    folder = tmp_path_factory.mktemp("flood")
    (folder / "pyproject.toml").touch()
    (folder / "shouting.py").write_text(JOB)
    with HttpReceiver() as receiver:
        echelon = calling(folder, HOOK=receiver.url)
        yield Flood(echelon=echelon, folder=folder, receiver=receiver, said=echelon("run", "shouting.py:flood"))


def messages(text: str) -> Counter[str]:
    """Return what agents said that stands in a text, each with how often."""
    return Counter(re.findall(r"<[a-z_]+-[a-z]+-place\d-\d+>", text))


def of_level(route: str, found: Counter[str]) -> int:
    return sum(times for said, times in found.items() if said.startswith(f"<{route}-"))


def check_seen(text: str) -> None:
    """A person sees each critical one once, and a few lines of every other level."""
    found = messages(text)

    assert {one: times for one, times in found.items() if one in CRITICAL} == dict.fromkeys(CRITICAL, 1)
    assert 1 <= of_level("normal", found) <= LINES_A_LEVEL
    assert 1 <= of_level("pattern_log", found) <= LINES_A_LEVEL


def test_the_run_says_what_its_lead_and_its_integrator_say(flood: Flood) -> None:
    assert flood.said.returncode == 0, flood.said.stderr
    assert flood.document["status"] == RunStatus.COMPLETED
    assert flood.document["output"] == {
        "look": "all is well",
        "again": "nothing was seen, and nobody said anything",
    }


def test_every_concern_is_on_record_with_its_step_and_its_route(flood: Flood) -> None:
    listed = document(flood.echelon("concerns", "--run", flood.run_id, "--all", "--json"))["concerns"]
    steps = flood.steps()

    assert len(listed) == AGENTS * sum(SAID.values())
    assert len({one["concern"]["message"] for one in listed}) == len(listed), "concerns out are concerns in"
    assert Counter(one["route"] for one in listed) == {route: AGENTS * times for route, times in SAID.items()}
    for one in listed:
        _route, phase, place, _number = one["concern"]["message"].strip("<>").split("-")
        assert steps[one["step"]].handoff.task_id == one["task_id"] == f"{phase}/{place}"
        assert (one["line"], one["disposition"]) == ("person", None)
        assert one["lead"], "and it reached a lead"


def test_a_person_sees_every_critical_one_and_eight_lines_of_each_other_level(flood: Flood) -> None:
    check_seen(flood.said.stderr)
    check_seen(flood.said.stdout)


@pytest.mark.parametrize("command", ["show", "concerns --run"])
def test_so_does_who_looks_later(flood: Flood, command: str) -> None:
    check_seen(flood.echelon(*command.split(), flood.run_id).stdout)


def test_messages_tell_of_every_critical_one_and_of_nothing_else(flood: Flood) -> None:
    flood.echelon("notify")  # what the run had no time for
    texts = [str(one.body["text"]) for one in flood.receiver.messages]

    assert messages("".join(texts)) == dict.fromkeys(CRITICAL, 1)
    assert len(texts) <= 4, "in few messages"
    assert flood.echelon("notify").stdout == "nobody waits for a message\n"
