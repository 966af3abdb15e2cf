"""Integrations are audited at the sync point: on record, once, and with a concern beside the hierarchy (O4)."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Audit, Complete, Handoffs, Job, Key, Oversight, Sync, Verdict, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.audit.audit import AuditKind
from echelon.model.concern import Route
from echelon.model.errors import InvalidJob
from echelon.model.run import RunStatus, RunView
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Word(BaseModel):
    word: Annotated[str, Key()]
    letters: int = 2


class Words(BaseModel):
    words: Annotated[list[Word], Complete()]
    whole: Annotated[bool, Complete()] = False


@agent
async def spell(name: str) -> Word:
    """Spell a word."""
    return Word(word=name)


Change = Callable[[list[Word]], list[Word]]


def a_job(
    audit: Audit | None = None, *, change: Change = lambda words: words, count: int = 20, each: Any = spell
) -> Job:
    @integrator
    def merge(spelled: Handoffs[Word]) -> Words:
        return Words(words=change([one.load() for one in spelled]))

    @merge.combine
    def combine(merged: Handoffs[Words]) -> Words:
        return Words(words=[word for one in merged for word in one.load().words])

    job = Job("spelling", goal="Spell words", oversight=Oversight(audit=audit))
    job.phase("spell", each=each, over=lambda: [f"w{number}" for number in range(count)], integrate=combine)
    return job


async def seen(job: Job, folder: Path) -> tuple[RunView, RunStatus]:
    async with a_run(job, folder) as run:
        outputs = await run_phases(run)
        return view_so_far(run), status_after(outputs)


async def test_integrations_that_keep_what_they_promise_are_accepted(tmp_path: Path) -> None:
    view, status = await seen(a_job(Audit()), tmp_path)

    assert (view.judged.integrations, view.judged.audited, view.judged.audit_rejected) == (4, 4, 0)
    assert {one.verdict for one in view.audits} == {"accepted"}
    assert (view.concerns, view.missing, status) == ((), (), RunStatus.COMPLETED)
    assert view.measures.sound_integrations == 1.0


async def test_what_leaves_a_key_out_is_rejected_and_falls_short(tmp_path: Path) -> None:
    view, status = await seen(a_job(Audit(), change=lambda words: words[1:]), tmp_path)

    assert (view.judged.audited, view.judged.audit_rejected) == (4, 3)
    assert {one.task_id.partition("/merge/")[2] for one in view.missing} == {"team:1", "team:2", "team:3"}
    assert all("an audit rejects it: words lacks Word 'w" in one.reason for one in view.missing)
    assert view.launched == view.returned + len(view.missing)
    assert (view.measures.sound_integrations, status) == (0.25, RunStatus.PARTIAL)


async def test_a_concern_about_it_goes_to_a_person_and_its_owner_may_not_end_it(tmp_path: Path) -> None:
    view, _ = await seen(a_job(Audit(), change=lambda words: words[1:]), tmp_path)
    concern = view.concerns[0]

    assert (concern.source, concern.lead, concern.route) == ("audit", "", Route.IMMEDIATE)
    assert concern.about_nodes == (concern.concern.about.partition("/merge/")[2],)
    assert concern.concern.evidence[0].startswith("gap: words lacks Word")


async def test_it_is_on_record_with_who_integrated(tmp_path: Path) -> None:
    view, _ = await seen(a_job(Audit(), change=lambda words: words[1:]), tmp_path)
    wrong = next(one for one in view.audits if one.verdict == "rejected")

    assert (wrong.agent, wrong.code != "", wrong.parts > 1) == ("merge", True, True)
    assert [one.kind for one in wrong.findings] == [AuditKind.GAP]


async def test_a_run_that_is_resumed_says_nothing_twice(tmp_path: Path) -> None:
    job = a_job(Audit(), change=lambda words: words[1:])
    once, _ = await seen(job, tmp_path)
    again, status = await seen(job, tmp_path)

    assert status is RunStatus.PARTIAL
    assert (again.audits, again.concerns) == (once.audits, once.concerns)
    assert (again.missing, again.exceptions) == (once.missing, once.exceptions)


async def test_an_agent_judges_besides_given_the_integration_and_its_parts(tmp_path: Path) -> None:
    asked: list[tuple[int, int]] = []

    def look(output: Words, parts: Handoffs[object]) -> Verdict:
        asked.append((len(output.words), len(parts)))
        return Verdict.rejected("too many words") if len(output.words) > 7 else Verdict.accepted()

    view, _ = await seen(a_job(Audit(by=look)), tmp_path)
    (wrong,) = [one for one in view.audits if one.verdict == "rejected"]

    assert max(asked) == (20, 3)
    assert (wrong.task_id, wrong.by, wrong.said) == ("spell/combine/primary", ("look",), "look: too many words")


async def test_an_auditor_that_fails_leaves_it_open_and_rejects_nothing(tmp_path: Path) -> None:
    def fails(output: Words) -> bool:
        raise ConnectionError("the model is down")

    view, status = await seen(a_job(Audit(by=fails)), tmp_path)

    assert {one.verdict for one in view.audits} == {"error"}
    assert "the model is down" in view.audits[0].said
    assert (view.concerns, view.judged.audit_rejected) == ((), 0)
    assert status is RunStatus.COMPLETED


async def test_a_flag_that_denies_what_is_missing_is_found(tmp_path: Path) -> None:
    @agent(resilience=None)
    async def some(name: str) -> Word:
        """Spell a word, but for one."""
        if name == "w7":
            raise ValueError("no such word")
        return Word(word=name)

    @integrator
    def merge(spelled: Handoffs[Word]) -> Words:
        return Words(words=[one.load() for one in spelled], whole=True)

    job = Job("spelling", goal="Spell words", oversight=Oversight(audit=Audit()))
    job.phase("spell", each=some, over=lambda: [f"w{number}" for number in range(12)], integrate=merge)
    view, _ = await seen(job, tmp_path)
    (wrong,) = view.audits

    assert [one.kind for one in wrong.findings] == [AuditKind.CLAIMS_COMPLETE]
    assert "it lacks spell/w7" in wrong.said


async def test_a_result_that_was_made_for_another_item_is_found(tmp_path: Path) -> None:
    @agent
    async def copies(name: str) -> Word:
        """Spell a word, and copy one."""
        return Word(word="w1" if name == "w2" else name)

    view, _ = await seen(a_job(Audit(), each=copies), tmp_path)
    found = [one for audit in view.audits for one in audit.findings]

    assert [one.kind for one in found] == [AuditKind.COPIED]
    assert "spell/w2 is what was made for 'w1'" in found[0].said


async def test_what_may_be_a_copy_is_a_doubt_and_rejects_nothing(tmp_path: Path) -> None:
    """Two names may stand for one thing: whoever finds that out makes the same of both, and is right."""

    @agent
    async def names(name: str) -> Word:
        """Say what something is really called."""
        return Word(word="w1" if name == "w2" else name)

    view, status = await seen(a_job(Audit(), each=names), tmp_path)
    (doubted,) = [one for one in view.audits if one.verdict == "unverifiable"]
    (asked,) = view.concerns

    assert doubted.findings[0].kind is AuditKind.COPIED
    assert (view.judged.audit_rejected, view.judged.audit_unknown) == (0, 1)
    assert view.judged.said.endswith("4 of 4 integrations audited (1 not known)")
    assert (asked.route, view.missing, status) == (Route.HUMAN_REVIEW, (), RunStatus.COMPLETED)
    assert "an audit doubts it: spell/w2 is what was made for 'w1'" in asked.concern.message


async def test_what_was_not_begun_since_there_was_enough_is_not_missing(tmp_path: Path) -> None:
    def enough(spelled: Handoffs[Word]) -> bool:
        return len(spelled) >= 8

    @integrator
    def merge(spelled: Handoffs[Word]) -> Words:
        return Words(words=spelled.outputs(), whole=not spelled.missing)

    job = Job("spelling", goal="Spell words", oversight=Oversight(audit=Audit()))
    words = [f"w{number}" for number in range(12)]
    job.phase("spell", each=spell, over=lambda: words, integrate=merge, sync=Sync.every(4), stop=enough)
    view, status = await seen(job, tmp_path)

    assert [one.verdict for one in view.audits] == ["accepted"]
    assert (len(view.sync.stopped), view.missing, status) == (4, (), RunStatus.COMPLETED)


@pytest.mark.parametrize(
    ("count", "audit", "audited"),
    [(9, Audit(), 0), (10, None, 0), (10, Audit(), 1), (50, None, 1), (50, Audit(rate=0), 0)],
)
async def test_audits_begin_at_a_size(count: int, audit: Audit | None, audited: int, tmp_path: Path) -> None:
    view, _ = await seen(a_job(audit, count=count), tmp_path)

    assert min(view.judged.audited, 1) == audited


def test_who_audits_stands_beside_the_tree() -> None:
    def look(output: Words) -> bool:
        return True

    assert [one.id for one in a_job(Audit(by=look)).plan().infrastructure] == ["infrastructure:audit/look"]


def test_who_integrates_may_not_audit() -> None:
    @integrator
    def merge(spelled: Handoffs[Word]) -> bool:
        return bool(len(spelled))

    job = Job("spelling", goal="Spell", oversight=Oversight(audit=Audit(by=merge.merger)))
    with pytest.raises(InvalidJob, match="would check its own work"):
        job.phase("spell", each=spell, over=lambda: ["a"], integrate=merge)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_that_is_no_share_is_refused(rate: float) -> None:
    with pytest.raises(InvalidJob, match="is no share"):
        Audit(rate=rate)
