"""Work of earlier runs is kept where nothing that it was made from has changed; what is uncertain is done again."""

from pathlib import Path
from typing import Any

import pytest

from echelon import Changes, Handoffs, Job, Unchanged, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.model.exception_report import Trigger
from echelon.model.run import RunStatus
from echelon.model.usage import Usage
from echelon.runlog.events import TasksRetried
from tests.unit.coordination.reuse.words import (
    ASKED,
    ONCE,
    Runs,
    Seen,
    Word,
    Words,
    doubt,
    handed_on,
    join,
    look,
    reading,
    words,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


async def test_what_has_not_changed_is_not_done_again(runs: Runs) -> None:
    await runs.run(reading(), words(a="1", b="1"))
    names, view = await runs.run(reading(), words(a="1", b="1"))
    kept = handed_on(view)["look/a"]

    assert names == []
    assert view.output == {"look/a": {"text": "a=1"}, "look/b": {"text": "b=1"}}
    assert (kept.kept_from, kept.usage, kept.attempts) == ("run-1", Usage(), 0)
    assert kept.summary == "text: a=1 (kept from run-1)"
    assert (view.launched, view.returned, view.missing) == (2, 2, ())
    assert (view.measures.completed, view.measures.kept, view.measures.first_try_rate) == (2, 2, None)


async def test_only_what_was_changed_or_added_is_done(runs: Runs) -> None:
    given = Unchanged(inputs=())
    await runs.run(reading(given), words(a="1", b="1", c="1"))
    names, view = await runs.run(reading(given), words(a="1", b="2", d="1"))

    assert names == ["b", "d"]
    assert view.items == {
        "look": Changes(since_run="run-1", kept=("look/a",), done=("look/b",), new=("look/d",), gone=("look/c",))
    }


async def test_what_was_kept_again_and_again_says_where_it_was_really_done(runs: Runs) -> None:
    for _ in range(3):
        names, view = await runs.run(reading(), words(a="1"))

    assert names == []
    assert handed_on(view)["look/a"].kept_from == "run-1"
    assert handed_on(view)["look/a"].summary == "text: a=1 (kept from run-1)"


async def test_an_item_that_was_left_out_for_a_while_is_known_when_it_is_back(runs: Runs) -> None:
    """A run on what has changed since a branch was begun must not cost the next nightly one everything."""
    given = Unchanged(inputs=())
    await runs.run(reading(given), words(a="1", b="1"))
    await runs.run(reading(given), words(a="1"))
    names, view = await runs.run(reading(given), words(a="1", b="1"))

    assert names == []
    assert view.items["look"].since_run == "run-1"  # the last one on the same inputs


async def test_an_integration_is_kept_while_all_that_it_holds_is_the_same(runs: Runs) -> None:
    await runs.run(reading(integrate=join), words(a="1", b="1"))
    same, view = await runs.run(reading(integrate=join), words(a="1", b="1"))
    other, changed = await runs.run(reading(Unchanged(inputs=()), integrate=join), words(a="1", b="2"))

    assert same == []
    assert (view.output, changed.output) == ("a=1 b=1", "a=1 b=2")
    assert other == ["a", "b", "join"]  # the inputs that matter are others, so that nothing is known of it


async def test_later_phases_follow_what_they_receive(runs: Runs) -> None:
    @agent
    async def count_words(look: Handoffs[Seen]) -> int:
        """Count"""
        ASKED.append("count")
        return len(look)

    def job() -> Job:
        made = reading(Unchanged(inputs=()))
        made.phase("count", agent=count_words, needs="look", reuse=Unchanged(inputs=()))
        return made

    await runs.run(job(), words(a="1"))
    same, _ = await runs.run(job(), Words(words=words(a="1").words, since="main"))
    more, view = await runs.run(job(), words(a="1", b="1"))

    assert (same, more, view.output) == ([], ["b", "count"], 2)


@pytest.mark.parametrize("digest", ["broken", None, ""])
async def test_what_failed_or_does_not_know_its_state_is_done_again(runs: Runs, digest: str | None) -> None:
    await runs.run(reading(), words(a=digest, b="1"))
    names, view = await runs.run(reading(), words(a=digest, b="1"))

    assert names == ["a"]
    assert view.items["look"].kept == ("look/b",)


async def test_what_was_not_all_of_the_work_is_done_again(runs: Runs) -> None:
    job = reading(each=doubt)
    await runs.run(job, words(a="half", b="1"))
    names, _ = await runs.run(job, words(a="half", b="1"))

    assert names == ["a"]


async def test_what_was_raised_is_raised_in_every_run_that_keeps_it(runs: Runs) -> None:
    """Nobody who reads a run takes it for clean because somebody else has read an earlier one."""
    await runs.run(reading(each=doubt), words(a="1"))
    names, view = await runs.run(reading(each=doubt), words(a="1"))

    assert names == []
    assert [(one.run_id, one.concern.message) for one in view.concerns] == [("run-2", "it looks odd")]


async def test_an_output_that_is_lost_is_made_again(runs: Runs) -> None:
    @agent
    async def write(word: Word) -> str:
        """Write more than stands in a journal"""
        ASKED.append(word.id)
        return f"{word.id}\n" * 100_000

    await runs.run(reading(each=write), words(a="1", b="1"))
    async with runs.begun(reading(each=write), words()) as run:
        [lost] = [one.handoff.output_location for one in await run.log.journal.steps("run-1") if one.node == "look/a"]
        assert lost is not None
        (runs.home / "outputs" / lost.location).unlink()
    names, view = await runs.run(reading(each=write), words(a="1", b="1"))

    assert names == ["a"]
    assert view.lost_outputs == ()


async def test_inputs_that_do_not_matter_force_no_work(runs: Runs) -> None:
    given = Unchanged(inputs=("words",))
    await runs.run(reading(given), words(a="1"))
    names, _ = await runs.run(reading(given), words(a="1").model_copy(update={"since": "main"}))
    all_matter, _ = await runs.run(reading(), words(a="1").model_copy(update={"since": "main"}))

    assert (names, all_matter) == ([], ["a"])


@pytest.mark.parametrize("changed", ["goal", "constraints", "code", "contract"])
async def test_another_rule_makes_everything_be_done_again(runs: Runs, changed: str) -> None:
    @agent(name="look")
    async def look_closer(word: Word) -> Seen:
        """Look at a word"""
        ASKED.append(word.id)
        return Seen(text=f"{word.id}: {word.digest}")

    @agent(name="look")
    async def look_at_text(word: Word) -> dict[str, str]:
        """Look at a word"""
        ASKED.append(word.id)
        return {"text": word.id}

    stated: dict[str, Any] = {"goal": "See everything"}
    stated |= {"goal": {"goal": "See more"}, "constraints": {"constraints": ("be quick",)}}.get(changed, {})
    job = Job("reading", inputs=Words, defaults=ONCE, **stated)
    each = {"code": look_closer, "contract": look_at_text}.get(changed, look)
    job.phase("look", each=each, over=lambda words: words, reuse="unchanged")
    await runs.run(reading(), words(a="1", b="1"))

    names, _ = await runs.run(job, words(a="1", b="1"))

    assert names == ["a", "b"]


async def test_another_job_keeps_nothing_of_this_one(runs: Runs) -> None:
    other = Job("writing", goal="See everything", inputs=Words, defaults=ONCE)
    other.phase("look", each=look, over=lambda words: words, reuse="unchanged")
    await runs.run(reading(), words(a="1"))

    assert (await runs.run(other, words(a="1")))[0] == ["a"]


async def test_a_function_says_what_an_item_is_made_from(runs: Runs, tmp_path: Path) -> None:
    def content(word: Word, inputs: Words) -> bytes:
        return (tmp_path / word.id).read_bytes() + inputs.since.encode()

    for name in "ab":
        (tmp_path / name).write_text("1")
    given = Unchanged(by=content)
    await runs.run(reading(given), words(a=None, b=None))
    (tmp_path / "b").write_text("2")
    names, _ = await runs.run(reading(given), words(a=None, b=None))

    assert names == ["b"]


async def test_an_item_is_done_where_the_function_fails_and_that_is_told(runs: Runs, tmp_path: Path) -> None:
    def content(word: Word) -> bytes:
        return (tmp_path / word.id).read_bytes()

    await runs.run(reading(Unchanged(by=content)), words(a=None))
    names, view = await runs.run(reading(Unchanged(by=content)), words(a=None))

    assert names == ["a"]
    assert view.record.status is RunStatus.COMPLETED
    assert [one.trigger for one in view.exceptions] == [Trigger.RENEWED]
    assert view.exceptions[0].message.startswith("look/a is done again: what it is made from cannot be told: ")


async def test_a_phase_without_items_is_kept_by_a_function_of_the_inputs(runs: Runs) -> None:
    @agent
    async def survey(words: tuple[Word, ...]) -> int:
        """Count"""
        ASKED.append("survey")
        return len(words)

    def job() -> Job:
        made = Job("survey", goal="Count", inputs=Words, defaults=ONCE)
        made.phase("survey", agent=survey, reuse=Unchanged(by=lambda inputs: str(len(inputs.words)), inputs=()))
        return made

    await runs.run(job(), words(a="1"))
    same, _ = await runs.run(job(), words(b="2"))
    more, _ = await runs.run(job(), words(a="1", b="2"))

    assert (same, more) == ([], ["survey"])


async def test_a_fresh_run_does_everything_and_the_next_one_keeps_of_it(runs: Runs) -> None:
    await runs.run(reading(integrate=join), words(a="1"))
    fresh, view = await runs.run(reading(integrate=join), words(a="1"), fresh=True)
    names, after = await runs.run(reading(integrate=join), words(a="1"))

    assert (fresh, view.items["look"].kept) == (["a", "join"], ())
    assert (names, handed_on(after)["look/a"].kept_from) == ([], "run-2")


async def test_an_integrator_is_told_what_has_changed(runs: Runs) -> None:
    @integrator
    async def tell(seen: Handoffs[Seen], changes: Changes) -> dict[str, tuple[str, ...]]:
        """Tell"""
        return {"kept": changes.kept, "new": changes.new, "done": changes.done, "gone": changes.gone}

    job = reading(Unchanged(inputs=()), integrate=tell)
    await runs.run(job, words(a="1", b="1", c="1"))
    _, view = await runs.run(job, words(a="1", b="2", d="1"))

    assert view.output == {"kept": ["look/a"], "done": ["look/b"], "new": ["look/d"], "gone": ["look/c"]}


async def test_an_agent_of_a_later_phase_is_told_what_has_changed(runs: Runs) -> None:
    @agent
    async def tell(changes: Changes) -> str:
        """Tell"""
        return f"{changes.kept} since {changes.since_run}"

    job = reading()
    job.phase("tell", agent=tell, needs="look")
    await runs.run(job, words(a="1"))
    _, view = await runs.run(job, words(a="1"))

    assert view.output == "('look/a',) since run-1"


async def test_what_a_person_wants_done_again_is_not_kept(runs: Runs) -> None:
    await runs.run(reading(), words(a="1", b="1"))
    await runs.run(reading(), words(a="1", b="1"))
    runs.number -= 1
    async with runs.begun(reading(), words(a="1", b="1")) as run:
        await run.log.append(TasksRetried(run_id="run-2", at=run.now(), tasks=("look/a",)))
    runs.number -= 1
    names, _ = await runs.run(reading(), words(a="1", b="1"))

    assert names == ["a"]


async def test_a_run_that_is_resumed_keeps_what_it_has_kept(runs: Runs) -> None:
    await runs.run(reading(), words(a="1", b="1"))
    await runs.run(reading(), words(a="1", b="1"))
    runs.number -= 1
    async with runs.begun(reading(), words(a="1", b="1")) as run:
        ASKED.clear()
        await run_phases(run)

        assert ASKED == []
        assert {one.kept_from for one in handed_on_of(run).values()} == {"run-1"}


def handed_on_of(run: Any) -> dict[str, Any]:
    """Return what the tasks of a run at work handed on."""
    return {step.handoff.task_id: step.handoff for step in run.log.state.latest.values()}


async def test_a_thousand_items_cost_the_journal_a_few_questions(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    many = Words(words=tuple(Word(id=f"w{n}", digest="1") for n in range(300)))
    await runs.run(reading(), many)
    async with runs.begun(reading(), many) as run:
        questions: list[int] = []
        journal = run.log.journal
        ask = journal.steps_made_from

        async def counted(bases: Any, **where: Any) -> Any:
            questions.append(len(bases))
            return await ask(bases, **where)

        monkeypatch.setattr(journal, "steps_made_from", counted)
        await run_phases(run)

    assert sum(questions) == len(many.words)
    assert len(questions) <= len(many.words) / 10
