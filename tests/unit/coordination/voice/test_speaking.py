"""X15: what an agent says while it works is on record at once, whatever becomes of the agent."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Brief, Concern, Job, Outcome, Resilience, agent, command
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.voice.recording import FOLDER, KEPT
from echelon.model.concern import ConcernRecord
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff
from echelon.model.status import Status
from echelon.redaction import REDACTED
from echelon.runlog.state import RunState
from echelon.testing.runs import a_run
from echelon.testing.voices import hear
from tests.unit.coordination.jobs import ONCE
from tests.unit.coordination.voice.speakers import crunch

pytestmark = pytest.mark.anyio

#: A command that says what its arguments are, a line each.
SPEAK = "import os, sys; open(os.environ['ECHELON_VOICE'], 'a').write(''.join(one + '\\n' for one in sys.argv[1:]))"


def speaking(*lines: str, code: str = SPEAK, **options: Any) -> Any:
    escaped = code.replace("{", "{{").replace("}", "}}")
    said = (line.replace("{", "{{").replace("}", "}}") for line in lines)
    return command([sys.executable, "-c", escaped, *said], name="speak", **options)


def of_one(work: Any, defaults: Resilience = ONCE) -> Job:
    made = Job("one", goal="Do it", defaults=defaults)
    made.phase("work", agent=work)
    return made


async def worked(job: Job, home: Path) -> tuple[RunState, Handoff]:
    """Do a job; returns what is known of its run, and the handoff of its last step."""
    async with a_run(job, home) as run:
        await run_phases(run)
        state = await run.log.refresh()
        return state, state.steps[-1].handoff


def messages(state: RunState) -> list[str]:
    return [record.concern.message for record in state.concerns.values()]


async def test_a_concern_is_on_record_while_its_agent_is_still_at_work(tmp_path: Path) -> None:
    seen: list[ConcernRecord] = []
    holder: list[RunContext] = []

    @agent
    async def look(brief: Brief) -> str:
        """Look, and say what is odd."""
        brief.raise_concern("two files claim the lock", about="lock", confidence=0.3, impact=0.9, evidence=("a.py:3",))
        while not seen:
            await asyncio.sleep(0.01)
            seen.extend((await holder[0].log.refresh()).concerns.values())
        return "looked"

    async with a_run(of_one(look), tmp_path) as run:
        holder.append(run)
        await run_phases(run)
        state = await run.log.refresh()

    (record,) = state.concerns.values()
    assert seen == [record]
    assert (record.source, record.step) == ("work/look", state.steps[0].key)
    assert record.concern == Concern(
        about="lock", message="two files claim the lock", confidence=0.3, impact=0.9, evidence=("a.py:3",)
    )
    assert state.steps[0].handoff.concerns == (record.concern,)


@pytest.mark.parametrize(("word", "weight"), [("low", 0.2), ("Medium", 0.5), ("high", 0.9)])
def test_an_impact_may_be_a_word(brief: Brief, word: str, weight: float) -> None:
    with hear() as said:
        brief.raise_concern("odd", impact=word)

    assert [one.model_dump()["concern"]["impact"] for one in said] == [weight]


def test_a_word_that_is_no_weight_is_refused(brief: Brief) -> None:
    with pytest.raises(ValueError, match="impact"):
        brief.raise_concern("odd", impact="terrible")


@pytest.mark.parametrize(
    ("own", "stated", "counts"), [(1.0, (0.7,), 0.7), (1.0, (0.2, 0.9), 0.9), (0.4, (0.9,), 0.4), (1.0, (), 1.0)]
)
async def test_the_last_confidence_counts_unless_the_output_has_one(
    tmp_path: Path, own: float, stated: tuple[float, ...], counts: float
) -> None:
    @agent
    def look(brief: Brief) -> Outcome[str]:
        """Look."""
        for one in stated:
            brief.state_confidence(one)
        return Outcome(output="looked", confidence=own)

    _, handoff = await worked(of_one(look), tmp_path)

    assert handoff.confidence == counts


async def test_who_reports_that_it_is_blocked_ends_so(tmp_path: Path) -> None:
    @agent
    def look(brief: Brief) -> str:
        """Look."""
        brief.report_blocked("the schema", "two versions of it are about")

    state, handoff = await worked(of_one(look), tmp_path)

    assert (handoff.status, handoff.error and handoff.error.message) == (
        Status.BLOCKED,
        "blocked on the schema: two versions of it are about",
    )
    assert state.blocked == {"work/look": "blocked on the schema: two versions of it are about"}


async def test_what_is_said_and_handed_on_is_one_concern(tmp_path: Path) -> None:
    worry = Concern(about="the door", message="it is open", confidence=0.9, impact=0.9)

    @agent
    def look(brief: Brief) -> Outcome[str]:
        """Look."""
        brief.raise_concern("it is open", about="the door", confidence=0.9, impact=0.9)
        return Outcome(output="looked", concerns=(worry,))

    state, handoff = await worked(of_one(look), tmp_path)

    assert messages(state) == ["it is open"]
    assert handoff.concerns == (worry,)


async def test_what_every_attempt_says_is_one_concern_and_kept_although_all_of_them_fail(tmp_path: Path) -> None:
    @agent
    def look(brief: Brief) -> str:
        """Look."""
        brief.raise_concern("it is open")
        raise AgentFailed("the light is off", passing=True)

    state, handoff = await worked(of_one(look, Resilience(attempts=3, backoff_seconds=0.001)), tmp_path)

    assert (handoff.attempts, handoff.status) == (3, Status.FAILED)
    assert messages(state) == ["it is open"]


async def test_ten_thousand_concerns_are_bounded_named_and_kept(tmp_path: Path) -> None:
    @agent
    def shout(brief: Brief) -> str:
        """Shout."""
        for number in range(10_000):
            brief.raise_concern(f"concern {number}")
        return "done"

    state, handoff = await worked(of_one(shout), tmp_path)

    assert messages(state) == [f"concern {number}" for number in range(100)]
    (report,) = (one for one in state.exceptions if one.trigger is Trigger.OVERRUN)
    assert (
        "work/shout: it said more than is taken from one task: 10,000 critical concerns (100 on record)"
        in report.message
    )
    (kept,) = (tmp_path / "runs" / "run" / FOLDER).iterdir()
    assert kept.name.endswith(KEPT)
    assert str(kept) in report.message
    assert len(kept.read_text().splitlines()) == 10_001  # the first one says whose they are
    assert handoff.done


async def test_secrets_that_are_said_are_on_no_record(tmp_path: Path) -> None:
    @agent
    def look(brief: Brief) -> str:
        """Look."""
        brief.raise_concern("the key is sk-ant-REDACTED")
        brief.propose_task("revoke it", item={"key": "sk-ant-REDACTED"})
        return "done"

    state, _ = await worked(of_one(look), tmp_path)

    (proposal,) = state.proposals.values()
    assert REDACTED in messages(state)[0]
    assert "sk-ant" not in messages(state)[0] + str(proposal.proposal.item)


async def test_a_function_in_another_process_is_heard(tmp_path: Path) -> None:
    state, handoff = await worked(of_one(crunch), tmp_path)

    assert messages(state) == ["it is heavy"]
    assert handoff.confidence == 0.6


async def test_a_command_says_lines_of_json(tmp_path: Path) -> None:
    concern = '{"kind": "concern", "concern": {"about": "lock", "message": "odd", "confidence": 0.3, "impact": "high"}}'
    task = '{"kind": "task", "proposal": {"goal": "look again"}}'
    state, handoff = await worked(
        of_one(speaking(concern, '{"kind": "confidence", "confidence": 0.5}', task)), tmp_path
    )

    record, doubt = state.concerns.values()
    assert (record.source, record.concern.about, record.concern.impact) == ("work/speak", "lock", 0.9)
    assert (doubt.source, doubt.concern.about, handoff.confidence) == ("autonomy", "work/speak", 0.5)
    assert [one.proposal.goal for one in state.proposals.values()] == ["look again"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("the disk is full", "the disk is full"),
        ('{"kind": "concern", "concern": {"message": ""}}', '{"kind": "concern", "concern": {"message": ""}}'),
        ('{"message": "it is open", "level": 3}', "it is open"),
        ('{"kind": "wish", "message": "it is open"}', "it is open"),
        ("[1, 2", "[1, 2"),
    ],
)
async def test_a_line_that_is_none_of_ours_is_a_concern_in_plain_words(tmp_path: Path, line: str, message: str) -> None:
    state, _ = await worked(of_one(speaking(line)), tmp_path)

    (record,) = state.concerns.values()
    assert (record.concern.about, record.concern.message) == ("work/speak", message)
    assert record.concern.route == "human_review"


async def test_a_command_that_is_killed_for_its_time_has_said_it(tmp_path: Path) -> None:
    code = f"{SPEAK}\nimport time; time.sleep(60)"
    slow = speaking("the disk is full", code=code, timeout=1.5)
    state, handoff = await worked(of_one(slow), tmp_path)

    assert handoff.status is Status.FAILED
    assert messages(state) == ["the disk is full"]


async def test_a_command_that_says_it_is_blocked_delivers_nothing(tmp_path: Path) -> None:
    state, handoff = await worked(of_one(speaking('{"kind": "blocked", "on": "mia", "reason": "she knows"}')), tmp_path)

    assert handoff.status is Status.BLOCKED
    assert state.blocked == {"work/speak": "blocked on mia: she knows"}


async def test_nothing_is_left_behind_when_all_of_it_is_on_record(tmp_path: Path) -> None:
    await worked(of_one(speaking("the disk is full")), tmp_path)

    assert [path for path in (tmp_path / "runs" / "run").rglob("*") if path.is_file()] == []


async def test_forty_commands_that_speak_some_of_them_killed_are_all_heard(tmp_path: Path) -> None:
    script = tmp_path / "speak.py"
    script.write_text(
        "import json, os, signal, subprocess, sys\n"
        "item = sys.argv[1]\n"
        "said = {'about': item, 'message': f'{item} is odd', 'confidence': 0.3, 'impact': 0.9}\n"
        "if int(item) % 10 == 0:\n"
        "    subprocess.run([sys.executable, '-m', 'echelon', 'say', 'concern', said['message'], '--about', item,\n"
        "                    '--confidence', '0.3', '--impact', '0.9'], check=True)\n"
        "else:\n"
        "    open(os.environ['ECHELON_VOICE'], 'a').write(json.dumps({'kind': 'concern', 'concern': said}) + '\\n')\n"
        "if int(item) % 4 == 0:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    job = Job("forty", goal="Do it", defaults=ONCE)
    job.phase("work", each=command([sys.executable, str(script), "{item}"], name="speak"), over=lambda: range(40))

    state, _ = await worked(job, tmp_path / "home")

    killed = [step for step in state.steps if step.handoff.status is Status.FAILED]
    assert len(killed) == 10
    heard = {(one.source, one.step, one.concern.about, one.concern.message) for one in state.concerns.values()}
    steps = {step.handoff.task_id: step.key for step in state.steps}
    assert heard == {(f"work/{n}", steps[f"work/{n}"], str(n), f"{n} is odd") for n in range(40)}
    assert len(state.concerns) == 40
