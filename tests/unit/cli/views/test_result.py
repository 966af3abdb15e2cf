"""The end of a run on a terminal: each cause once, and the result itself where it is short."""

import json
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Fallback, Handoffs, Job, RunResult, agent, integrator
from echelon.cli.views.output import out
from echelon.cli.views.result import CAUSES_SHOWN, RESULT_CHARACTERS, RESULT_LINES, show_output, show_result
from echelon.cli.views.show import show_run
from echelon.coordination.job_run import run_phases
from echelon.model.errors import DependencyFailed
from echelon.model.run import RunView
from echelon.runlog.view import result_of
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Item, items, looking

pytestmark = pytest.mark.anyio

THIRTY = frozenset(range(30))


async def view_of_run(job: Job, home: Path, given: Any) -> RunView:
    async with a_run(job, home, given) as run:
        await run_phases(run)
        return view_so_far(run)


def shown(capsys: pytest.CaptureFixture[str], result: RunResult) -> str:
    show_result(out(), result)
    return capsys.readouterr().out


@agent
async def limited(item: Item) -> str:
    """Ask who answers that there were too many."""
    if item.fails:
        raise AgentFailed(f"429 Too Many Requests (req_{hash(item.id):x}), try again in {len(item.id)}.5s")
    return item.id


@agent(breaker="provider")
async def down(item: Item) -> str:
    """Ask a provider that is down; soon its breaker refuses the others."""
    raise DependencyFailed(f"no answer for {item.id}", passing=True)


@agent(fallback=Fallback.default("?"))
async def replaced(item: Item) -> str:
    """Fail, and be replaced."""
    if item.fails:
        raise AgentFailed(f"cannot open {item.id}")
    return item.id


@pytest.mark.parametrize(
    ("each", "said"),
    [
        (limited, "  30 agents: 429 Too Many Requests (req_"),
        (down, "  30 agents: provider is not available (no answer for "),
        (replaced, "  30 agents: cannot open i"),
    ],
)
async def test_thirty_agents_that_failed_alike_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], each: Any, said: str
) -> None:
    """The same two lines came ten times."""
    view = await view_of_run(looking(each=each), tmp_path, items(30, failing=THIRTY))

    lines = shown(capsys, result_of(view)).splitlines()
    begin = lines.index("30 outputs missing:") + 1
    assert lines[begin].startswith(said)
    assert "; first: look/i" in lines[begin]
    assert lines[begin].count("look/i") == 3
    assert lines[begin + 1] == "    echelon show run look/i0 --log --messages"
    assert lines[begin + 2].startswith("to continue with")


async def test_what_shows_a_run_says_a_cause_once_with_how_far_it_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = await view_of_run(looking(each=down), tmp_path, items(30))

    show_run(out(), view)
    text = capsys.readouterr().out
    assert text.count("provider is not available (") == 1
    assert "    30 tasks failed in 1 domain (d0); within primary" in text
    assert "1 incident:" not in text


async def test_an_incident_whose_tasks_were_done_by_others_is_shown_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @agent
    async def other(item: Item) -> str:
        return "other"

    view = await view_of_run(looking(each=down, fallback=other), tmp_path, items(3))

    show_run(out(), view)
    assert "1 incident:\n  provider is not available (" in capsys.readouterr().out


async def test_what_fails_in_many_ways_is_told_as_far_as_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @agent
    async def each_otherwise(item: Item) -> str:
        raise AgentFailed("abcdefghijklmnopqrstuvwxyz"[int(item.id[1:])])

    view = await view_of_run(looking(each=each_otherwise), tmp_path, items(26))

    lines = shown(capsys, result_of(view)).splitlines()
    begin = lines.index("26 outputs missing:") + 1
    assert lines[begin + 2 * CAUSES_SHOWN] == f"  and {26 - CAUSES_SHOWN} more"


async def test_machines_get_every_missing_output_and_the_causes_beside(tmp_path: Path) -> None:
    result = result_of(await view_of_run(looking(each=limited), tmp_path, items(30, failing=THIRTY)))

    document = json.loads(result.model_dump_json())
    assert len(document["missing"]) == 30
    (group,) = document["missing_by_cause"]
    assert sorted(group["tasks"]) == sorted(one["task_id"] for one in document["missing"])
    assert len(document["exceptions"]) == len(result.exceptions) > 1


async def test_a_short_result_is_printed_last_with_what_is_not_the_work_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = await view_of_run(looking(each=replaced), tmp_path, items(2, failing=frozenset({1})))

    assert view.stand_ins == {"look/i1": "the default value"}
    assert shown(capsys, result_of(view)).endswith(
        'result, in which something stands in for look/i1:\n  {\n    "look/i0": "i0",\n    "look/i1": "?"\n  }\n'
    )


async def test_an_integration_of_what_stands_in_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @integrator
    def joined(seen: Handoffs[str]) -> str:
        return "\n".join(f"{one.load()} {one.caveat}".strip() for one in seen)

    job = looking(each=replaced, integrate=joined)
    view = await view_of_run(job, tmp_path, items(2, failing=frozenset({1})))

    assert shown(capsys, result_of(view)).endswith(
        "result, in which something stands in for look/i1:\n  i0\n"
        "  ? not the work itself: the default value stands in, since: cannot open i1\n"
    )


@pytest.mark.parametrize(
    ("output", "printed"),
    [
        (None, ""),
        ("", ""),
        ("fine", "result:\n  fine\n"),
        (0, "result:\n  0\n"),
        (False, "result:\n  false\n"),
        ([], "result:\n  []\n"),
        ("a\x1b[2J\rb\u202e", "result:\n  a\\x1b[2Jb\\u202e\n"),
        (
            "x\nrun-1: completed, everything was delivered",
            "result:\n  x\n  run-1: completed, everything was delivered\n",
        ),
        ({"k\x1b": "[red]é"}, 'result:\n  {\n    "k\\u001b": "[red]é"\n  }\n'),
        ("x" * RESULT_CHARACTERS, f"result:\n  {'x' * RESULT_CHARACTERS}\n"),
        ("x" * (RESULT_CHARACTERS + 1), ""),
        (list(range(RESULT_LINES)), ""),
        ("\n" * RESULT_LINES, ""),
    ],
)
def test_a_result_is_shown_where_it_is_short_and_never_obeyed(
    capsys: pytest.CaptureFixture[str], output: object, printed: str
) -> None:
    show_output(out(), output)

    assert capsys.readouterr().out == printed
