"""Results that everything rests on are verified by those whom the job asks; they fail closed (O3, R11)."""

from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from echelon import Brief, Job, Oversight, Repeat, Resilience, Verdict, agent, command, model_agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.concern import PERSON
from echelon.model.errors import InvalidJob
from echelon.model.run import RunStatus, StepKind
from echelon.model.verification.verification import CheckReport, joined
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)
TWICE = Resilience(attempts=2, backoff_seconds=0.001, backoff_max_seconds=0.001)


@agent
async def spell(name: str, brief: Brief) -> str:
    """Spell a name, right where somebody has complained."""
    return name if brief.gaps or name != "n3" else "wrong"


@agent
async def publish() -> str:
    """Publish what was spelled."""
    return "done"


def is_right(output: str, item: str) -> str:
    return "" if output == item else f"not {item}"


def names(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def a_job(verify: Any, count: int = 12, *, each: Any = spell, **options: Any) -> Job:
    job = Job(
        "spelling", goal="Spell names", defaults=options.pop("defaults", TWICE), oversight=Oversight(verify=verify)
    )
    job.phase("spell", each=each, over=lambda: names(count), **options)
    return job


async def test_results_on_the_critical_path_are_verified_and_done_again_with_what_is_missing(tmp_path: Path) -> None:
    async with a_run(a_job(is_right), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert view.record.plan is not None
    assert (len(view.record.plan.to_verify), view.judged.verified) == (12, 12)
    asked = [step.handoff.task_id for step in view.steps if step.kind is StepKind.CHECK]
    assert sum(one.startswith("spell/n") for one in asked) == 13
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_what_is_rejected_for_good_is_counted(tmp_path: Path) -> None:
    async with a_run(a_job(is_right, defaults=ONCE), tmp_path) as run:
        outputs = await run_phases(run)
        judged = view_so_far(run).judged

    assert (judged.verified, judged.unverified, judged.rejected) == (11, 0, 1)
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_a_verifier_that_fails_leaves_results_of_which_nobody_knows(tmp_path: Path) -> None:
    def fails(output: str) -> bool:
        raise ConnectionError("the model is down")

    async with a_run(a_job(fails), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert (view.judged.verified, view.judged.unverified) == (0, 12)
    assert "the model is down" in view.unverified["spell/n0"]
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_agreement_of_the_same_model_leaves_a_critical_result_unverifiable(tmp_path: Path) -> None:
    author = model_agent(Agent(TestModel(), name="author"))
    judge = model_agent(Agent(TestModel(custom_output_args={"result": "accepted"}), name="judge", output_type=Verdict))
    async with a_run(a_job(judge, each=author), tmp_path) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert (view.judged.verified, view.judged.unverified) == (0, 12)
    assert (
        "judge is not independent: the same model as the author, and nothing else confirms it"
        in (view.unverified["spell/n0"])
    )


ALIKE = CheckReport(name="judge", result="accepted", independent=False)


@pytest.mark.parametrize(
    ("also", "result"),
    [
        ((), "unverifiable"),
        ((CheckReport(name="code", result="accepted"),), "accepted"),
        ((CheckReport(name="other", result="accepted", independent=True),), "accepted"),
        ((CheckReport(name="other", result="accepted", independent=False),), "unverifiable"),
        ((CheckReport(name="other", result="rejected", independent=False),), "rejected"),
    ],
    ids=["alone", "code", "another-model", "twice-the-same", "rejected"],
)
def test_what_confirms_the_verdict_of_the_same_model(also: tuple[CheckReport, ...], result: str) -> None:
    assert joined(None, (ALIKE, *also), by_another=True).result == result


async def test_below_ten_agents_only_a_phase_asks_and_that_is_said(tmp_path: Path) -> None:
    async with a_run(a_job(is_right, 9), tmp_path) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert view.record.plan is not None
    assert (view.record.plan.to_verify, view.judged.verified) == ({}, 0)
    assert "begins at 10 agents, and the job has 9" in view.record.plan.findings[-1].message


async def test_from_fifty_agents_on_what_nobody_verifies_is_counted_and_said(tmp_path: Path) -> None:
    async with a_run(a_job(None, 50), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert view.record.plan is not None
    (finding,) = [one for one in view.record.plan.findings if one.rule == "O3"]
    assert "50 results on the critical path or in front of a gate are verified by nobody" in finding.message
    assert (view.judged.unverified, view.judged.by_nobody, view.missing) == (50, 50, ())
    assert status_after(outputs) is RunStatus.COMPLETED  # what did not block before does not block


def test_who_verifies_stands_beside_the_tree_and_reports_to_a_person() -> None:
    (judge,) = a_job(is_right).plan().infrastructure

    assert (judge.id, judge.reports_to) == ("infrastructure:verification/is_right", PERSON)


def test_a_function_is_asked_about_the_contracts_that_it_takes() -> None:
    def of_numbers(output: int) -> bool:
        return output > 0

    job = a_job([is_right, of_numbers])

    assert [one.name for one in job.phases["spell"].judges.critical.verifiers] == ["is_right"]


def test_an_author_is_refused_under_its_own_name() -> None:
    with pytest.raises(InvalidJob, match=r"'spell' would check its own work"):
        a_job(spell)


def test_an_author_is_refused_under_another_name() -> None:
    told, model = "Look at the name and say what it is.", TestModel()
    author = model_agent(Agent(model, name="author", instructions=told))
    judge = model_agent(Agent(model, name="judge", instructions=told, output_type=Verdict))

    with pytest.raises(InvalidJob, match=r"'judge' would check its own work, as 'author'"):
        a_job(judge, each=author)


def test_a_function_with_the_code_of_the_author_is_the_author() -> None:
    def one(name: str) -> bool:
        return name.startswith("n")

    def other(name: str) -> bool:
        return name.startswith("n")

    with pytest.raises(InvalidJob, match=r"'other' would check its own work, as 'one'"):
        a_job(other, each=agent(one))


def wrapped(function: Any) -> Any:
    @wraps(function)
    async def calls(*given: Any, **named: Any) -> Any:
        return await function(*given, **named)

    return calls


async def looks_at(name: str) -> bool:
    return name.startswith("n")


@pytest.mark.parametrize(
    ("author", "check"),
    [(looks_at, wrapped(looks_at)), (wrapped(looks_at), looks_at), (wrapped(looks_at), wrapped(wrapped(looks_at)))],
)
def test_an_author_is_refused_in_the_wrapping_of_a_decorator(author: Any, check: Any) -> None:
    with pytest.raises(InvalidJob, match="'judge' would check its own work, as 'looks_at'"):
        a_job(agent(name="judge")(check), each=agent(author))


def test_instructions_that_differ_in_white_space_are_the_same() -> None:
    model = TestModel()
    author = model_agent(Agent(model, name="author", instructions="Look at it. Say what it is."))
    judge = model_agent(Agent(model, name="judge", instructions="Look at it.\nSay what it is.\n", output_type=Verdict))

    with pytest.raises(InvalidJob, match=r"'judge' would check its own work, as 'author'"):
        a_job(judge, each=author)


@pytest.mark.parametrize("place", ["repeat", "loop", "settle"])
def test_an_author_is_refused_under_another_name_wherever_somebody_judges(place: str) -> None:
    told, model = "Look at the name and say what it is.", TestModel()
    author = model_agent(Agent(model, name="author", instructions=told, output_type=str))
    judge = model_agent(Agent(model, name="judge", instructions=told, output_type=str))
    stated: dict[str, Any] = {"repeat": {"repeat": Repeat(until=judge)}, "settle": {"settle": judge}}.get(place, {})

    def make() -> None:
        job = Job("spelling", goal="Spell")
        job.phase("spell", each=author, over=lambda: ["a"], **stated)
        job.loop(["spell"], until=judge)

    with pytest.raises(InvalidJob, match=r"'judge' would .* its own work"):
        make()


def test_the_same_command_line_is_the_same_worker() -> None:
    with pytest.raises(InvalidJob, match="would check its own work"):
        a_job(command(["true"], name="again"), each=command(["true"], name="once"))


def test_what_is_no_oversight_is_refused() -> None:
    with pytest.raises(InvalidJob, match=r"oversight= takes an Oversight\(\.\.\.\), not a dict"):
        Job("spelling", goal="Spell", oversight={"verify": is_right})  # pyright: ignore[reportArgumentType]


def stamp(output: str, item: str) -> bool:
    return len(output) > 0  # notices an empty result, and nothing else


def half(output: str, item: str) -> bool:
    return output == item


async def test_a_rubber_stamp_is_found_and_none_of_its_verdicts_counts(tmp_path: Path) -> None:
    async with a_run(a_job(stamp), tmp_path) as run:
        outputs = await run_phases(run)
        view, probe = view_so_far(run), run.log.state.probes["stamp"]

    assert (probe.is_exposed, probe.accepted, probe.verdicts) == (True, ("noise", "hollow", "another's"), 12)
    assert (view.judged.verified, view.judged.unverified) == (0, 12)
    assert "stamp accepts whatever it is given" in view.unverified["spell/n0"]
    assert status_after(outputs) is RunStatus.PARTIAL
    assert [(one.source, one.route.value) for one in view.concerns] == [("audit", "immediate")]


async def test_one_that_notices_is_asked_once_and_its_verdicts_count(tmp_path: Path) -> None:
    job = a_job(half, each=respell, defaults=ONCE)
    job.phase("again", each=respell, over=lambda: names(6), needs="spell")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        state, view = run.log.state, view_so_far(run)

    assert state.probes["half"].noticed == "noise"
    assert [one.handoff.task_id for one in state.steps if "half-of-" in one.handoff.task_id] == [
        "spell/verify/half-of-noise"
    ]
    assert (view.judged.verified, view.judged.unverified) == (18, 0)


@agent
async def respell(name: str) -> str:
    """Spell a name once more."""
    return name


async def test_what_it_says_after_it_was_found_out_is_worth_nothing_either(tmp_path: Path) -> None:
    job = a_job(stamp)
    job.phase("again", each=respell, over=lambda: names(6), needs="spell")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert (view.judged.verified, view.judged.unverified) == (0, 18)
    assert len(view.concerns) == 1


async def test_a_resumed_run_asks_and_says_nothing_twice(tmp_path: Path) -> None:
    views = []
    for _ in range(2):
        async with a_run(a_job(stamp), tmp_path) as run:
            outputs = await run_phases(run)
            views.append((view_so_far(run).judged, view_so_far(run).concerns, status_after(outputs)))

    assert views[0] == views[1]
