"""In the middle band another agent looks first: what it accepts proceeds, what it rejects is done again (X6)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Audit, Autonomy, Brief, Fallback, Job, Oversight, Resilience, Verdict, agent
from echelon.coordination.autonomy.reviewing import choose_peer
from echelon.coordination.job_run import run_phases
from echelon.model.autonomy.terms import Band
from echelon.model.errors import InvalidJob
from echelon.model.run import RunView, StepKind
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Words(BaseModel):
    """What is written, and whether its author needs a hint."""

    words: tuple[str, ...] = ("one",)


def words(inputs: Words) -> list[str]:
    return list(inputs.words)


@agent
async def write(word: str, brief: Brief) -> str:
    """Write a word, better for each gap."""
    return f"{word}{'!' * len(brief.gaps)}"


def accepts(output: str) -> bool:
    return bool(output)


def wants_more(output: str) -> str:
    return "" if output.endswith("!") else "say it louder"


def never(output: str) -> str:
    return "say it otherwise"


def cannot_tell(output: str) -> Verdict:
    return Verdict.unverifiable("it is in another language")


def counts(output: str) -> int:
    return len(output)


def a_job(*peers: Any, attempts: int = 2, **autonomy: Any) -> Job:
    oversight = Oversight(autonomy=Autonomy(peers=peers, **autonomy))
    defaults = Resilience(attempts=attempts, backoff_seconds=0.001)
    job = Job("writing", goal="Write", inputs=Words, oversight=oversight, defaults=defaults)
    job.phase("write", each=write, over=words)
    return job


async def a_view(job: Job, home: Path, run_id: str, inputs: Words | None = None) -> RunView:
    async with a_run(job, home, inputs or Words(), run_id=run_id) as run:
        await run_phases(run)
        return view_so_far(run)


def checks_in(view: RunView) -> list[str]:
    return [step.handoff.task_id for step in view.steps if step.kind is StepKind.CHECK]


async def test_a_peer_looks_at_what_is_known_and_not_trusted_yet(tmp_path: Path) -> None:
    job = a_job(accepts)
    first, second = await a_view(job, tmp_path, "r1"), await a_view(job, tmp_path, "r2")

    assert (checks_in(first), len(first.concerns)) == ([], 1)  # nobody has seen the like: a person is asked
    assert (checks_in(second), len(second.concerns)) == (["write/one/verify/accepts"], 0)
    assert (second.output, second.missing) == ({"write/one": "one"}, ())
    assert (second.autonomy[0].before.results, second.autonomy[0].now.results) == (0, 1)


async def test_who_was_accepted_often_enough_is_not_looked_at_any_more(tmp_path: Path) -> None:
    job = a_job(accepts)
    views = [await a_view(job, tmp_path, f"r{number}") for number in range(8)]

    assert [len(checks_in(view)) for view in views] == [0, 1, 1, 1, 1, 1, 0, 0]
    assert views[-1].autonomy[0].band is Band.PROCEED


async def test_what_a_peer_rejects_is_done_again_with_what_is_missing(tmp_path: Path) -> None:
    job = a_job(wants_more)
    await a_view(job, tmp_path, "r1")
    view = await a_view(job, tmp_path, "r2")

    assert (view.output, view.missing) == ({"write/one": "one!"}, ())
    assert view.autonomy[0].now.right[-1] == 1
    assert view.autonomy[0].now.wrong[-1] == 1


async def test_what_is_rejected_to_the_end_has_failed(tmp_path: Path) -> None:
    job = a_job(never)
    await a_view(job, tmp_path, "r1")
    view = await a_view(job, tmp_path, "r2")

    assert [one.task_id for one in view.missing] == ["write/one"]
    assert "rejected by never: say it otherwise" in view.missing[0].reason
    assert (view.autonomy[0].now.results, view.autonomy[0].now.accuracy) == (2, 0.0)


async def test_what_was_rejected_counts_where_something_stands_in_for_it_in_the_end(tmp_path: Path) -> None:
    @agent(fallback=Fallback.default("nothing"))
    async def say(word: str) -> str:
        """Say a word."""
        return word

    job = a_job(attempts=1)
    job.phase("say", each=say, over=words, success=[never])
    view = await a_view(job, tmp_path, "r1")

    assert view.stand_ins.keys() == {"say/one"}
    assert [(one.now.results, one.now.accuracy) for one in view.autonomy if one.agent == "say"] == [(1, 0.0)]


async def test_where_a_peer_cannot_tell_a_person_is_asked(tmp_path: Path) -> None:
    job = a_job(cannot_tell)
    await a_view(job, tmp_path, "r1")
    view = await a_view(job, tmp_path, "r2")
    (record,) = view.concerns

    assert record.concern.message.endswith("its agent has no record yet")
    assert view.autonomy[0].now.results == 0
    assert "cannot be verified: cannot_tell: it is in another language" in view.unverified["write/one"]


def test_nobody_looks_at_own_work_be_it_under_another_name() -> None:
    first, second = [agent(name=name)(one) for name, one in (("a", accepts), ("b", accepts))]

    assert choose_peer((second,), first, "t") is None
    assert choose_peer((second, agent(wants_more)), first, "t").name == "wants_more"  # type: ignore[union-attr]


async def test_a_run_that_is_resumed_asks_nobody_twice(tmp_path: Path) -> None:
    job = a_job(wants_more)
    await a_view(job, tmp_path, "r1")
    once = await a_view(job, tmp_path, "r2")
    again = await a_view(job, tmp_path, "r2")

    assert checks_in(again) == checks_in(once)
    assert (again.output, again.autonomy) == (once.output, once.autonomy)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"peers": "write"}, "takes a list"),
        ({"peers": [counts]}, "is no verdict"),
        ({"batch": 0}, "a batch has 1 result or more"),
        ({"batch": 1.5}, "a batch has 1 result or more"),
        ({"batch": "3"}, "a batch has 1 result or more"),
        ({"terms": {"proceed": 1}}, "give AutonomyTerms"),
        ({"lead": 3}, "cannot check anything"),
    ],
)
def test_who_cannot_judge_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        Autonomy(**given)
    assert said in str(refused.value)


@pytest.mark.parametrize("given", [True, Autonomy()])
def test_what_is_no_oversight_is_refused(given: Any) -> None:
    with pytest.raises(InvalidJob, match="oversight= takes an Oversight"):
        Job("writing", goal="Write", oversight=given)
    with pytest.raises(InvalidJob, match=r"Oversight\(autonomy=\) takes Autonomy\(\.\.\.\), and got True"):
        Oversight(autonomy=True)  # type: ignore[arg-type]
    with pytest.raises(InvalidJob, match=r"Oversight\(audit=\) takes Audit\(\.\.\.\), and got 0\.5"):
        Oversight(audit=0.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidJob, match=r"rate='0\.5' is no share"):
        Audit(rate="0.5")  # type: ignore[arg-type]


def test_a_peer_that_can_judge_nothing_in_the_job_is_refused() -> None:
    def asks_for_more(output: str, word: str, sources: list[str]) -> bool:
        return bool(sources and output and word)

    with pytest.raises(InvalidJob, match="'asks_for_more' asks for what no phase gives"):
        a_job(asks_for_more).check_complete()
