"""`echelon conventions` prints a page for agents, byte for byte as it was made (K)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclopts import App, CycloptsError

from echelon.cli.arguments.refusals import refusal
from echelon.cli.conventions import conventions
from echelon.conventions.page import conventions_for
from echelon.model.errors import InvalidInput

JOB = """
from pydantic import BaseModel
from echelon import Job, agent

class Inputs(BaseModel):
    n: int = 3

@agent
def look(item: int) -> int:
    "Look."
    return item

watching = Job("watching", goal="Look [bold]closely[/bold]", inputs=Inputs)
watching.phase("look", each=look, over=lambda n: list(range(n)))
"""


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    app = App(exit_on_error=False, print_error=False, result_action="return_value")
    app.command(conventions)

    def call(*arguments: str) -> str:
        assert app(["conventions", *arguments]) == 0
        return capsys.readouterr().out

    return call


@pytest.fixture
def job(tmp_path: Path, importing: None) -> str:
    file = tmp_path / "watching_job.py"
    file.write_text(JOB)
    return f"{file}:watching"


@pytest.mark.parametrize("agents", [1, 5, 12, 60, 500])
def test_a_number_of_agents_gets_its_page_as_it_is(say: Callable[..., str], agents: int) -> None:
    assert say("--agents", str(agents)) == conventions_for(agents)


def test_a_job_gets_a_page_with_its_names_and_no_markup_is_read(say: Callable[..., str], job: str) -> None:
    page = say(job, "--param", "n=2")

    assert page.startswith("# Conventions: 2 agents, flat\n")
    assert "`Look [bold]closely[/bold]`" in page
    assert "leads `look/0`, `look/1`." in page


def test_span_and_priority_are_those_of_the_plan(say: Callable[..., str], job: str) -> None:
    assert "No one leads more than 4." in say(job, "--span", "4")
    assert say(job, "--param", "n=30", "--priority", "resilience").startswith("# Conventions: 30 agents, federated")
    assert say("--agents", "30", "--priority", "resilience").startswith("# Conventions: 30 agents, federated")


def test_as_json_the_page_comes_with_what_it_is_for(say: Callable[..., str], job: str) -> None:
    document = json.loads(say("--agents", "12", "--json"))

    assert document == {"markdown": conventions_for(12), "agents": 12, "structure": "hierarchical"}
    assert {**json.loads(say(job, "--json")), "markdown": ""} == {"markdown": "", "agents": 3, "structure": "flat"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of SOURCE and --agents"),
        (["JOB", "--agents", "3"], "give one of SOURCE and --agents"),
        (["--agents", "3", "--param", "n=1"], "--param is about a job"),
        (["--agents", "3", "--span", "4"], "--span is about a job"),
        (["nowhere.py"], "there is no file nowhere.py"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(
    say: Callable[..., str], job: str, arguments: list[str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        say(*[one.replace("JOB", job) for one in arguments])

    assert "\n" not in str(refused.value)


def test_no_agents_are_wrong_use(say: Callable[..., str]) -> None:
    with pytest.raises(CycloptsError) as refused:
        say("--agents", "0")

    assert "--agents" in refusal(refused.value)
