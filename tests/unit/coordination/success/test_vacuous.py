"""Criteria that an empty result would pass verify nothing, and that is said (D11)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from echelon import Evidence, Job, Resilience, Verdict, agent, command, model_agent
from echelon.coordination.job_run import run_phases
from echelon.model.run import StepKind
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


class Report(BaseModel):
    """What is found."""

    title: str
    lines: list[int] = [1]


@agent
async def write(name: str) -> Report:
    """Write a report."""
    return Report(title=name, lines=[3])


async def unverified_with(tmp_path: Path, success: list[Any], verify: Any = None) -> tuple[str, list[str]]:
    job = Job("writing", goal="Write", defaults=ONCE)
    job.phase("write", each=write, over=lambda: ["a", "b", "c"], success=success, verify=verify)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        checks = [one.handoff.task_id for one in run.log.state.steps if one.kind is StepKind.CHECK]
        return view_so_far(run).unverified.get("write/a", ""), checks


async def test_a_check_that_accepts_an_empty_result_verifies_nothing(tmp_path: Path) -> None:
    asked: list[Report] = []

    def always(output: Report) -> bool:
        asked.append(output)
        return True

    said, _ = await unverified_with(tmp_path, [always])

    assert said == (
        "cannot be verified: check 'always' accepts an empty output too, so it verifies nothing; state what a good "
        "output has, or move it to constraints="
    )
    empty = [one for one in asked if not one.title]
    assert [(one.title, one.lines) for one in empty] == [("", [])]  # once for the phase, and no default counts


def has_lines(output: Report) -> bool:
    return bool(output.lines)


def first_line(output: Report) -> bool:
    return output.lines[0] > 0


def knows_the_item(item: str) -> bool:
    return bool(item)


def always_too(output: Report) -> bool:
    return True


@pytest.mark.parametrize(
    "success",
    [
        [has_lines],
        [first_line],  # raises on the empty one
        [always_too, has_lines],
        [always_too, knows_the_item],  # does not judge the output, so that nothing is known of it
        [always_too, command(["true"], name="looks")],
    ],
)
async def test_one_that_tells_good_from_bad_is_enough(tmp_path: Path, success: list[Any]) -> None:
    assert (await unverified_with(tmp_path, success))[0] == ""


async def test_evidence_is_never_there_for_nothing(tmp_path: Path) -> None:
    said, _ = await unverified_with(tmp_path, [always_too, Evidence(changes=1)])

    assert said == ""  # it is rejected instead


def a_judge(answer_of: Any) -> Any:
    def answer(messages: Any, info: Any) -> Any:
        said = answer_of(str(messages[0].parts[0].content))
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"result": said, "gap": "empty"})])

    return model_agent(Agent(FunctionModel(answer), name="judge", output_type=Verdict))


async def test_an_agent_that_accepts_everything_is_found_out_in_a_step_on_record(tmp_path: Path) -> None:
    said, checks = await unverified_with(tmp_path, [], a_judge(lambda prompt: "accepted"))

    assert "'judge' accepts an empty output too" in said
    assert sorted(checks) == [
        *("write/a/verify/judge", "write/b/verify/judge", "write/c/verify/judge", "write/verify/judge-of-nothing"),
    ]


async def test_an_agent_that_rejects_an_empty_result_verifies(tmp_path: Path) -> None:
    judge = a_judge(lambda prompt: "rejected" if '"title": ""' in prompt or '"title":""' in prompt else "accepted")
    said, _ = await unverified_with(tmp_path, [], judge)

    assert said == ""


async def test_no_agent_is_asked_about_nothing_where_a_function_tells_good_from_bad(tmp_path: Path) -> None:
    said, checks = await unverified_with(tmp_path, [has_lines], a_judge(lambda prompt: "accepted"))

    assert (said, [one for one in checks if "nothing" in one]) == ("", [])
