"""People for tests: they answer at gates as they were told, at once.

async with a_run(job, tmp_path, ask=answering(begin="approve")) as run: ...
"""

from echelon.coordination.context import AskPerson, RunContext
from echelon.model.oversight.gate import Action, GateRecord, Question, Verdict
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.gate_events import ApprovalUsed, GateAnswered, GateRaised


def answering(
    *,
    begin: Verdict | None = None,
    again: Verdict | None = None,
    cut_off: Verdict | None = None,
    by: str = "tester",
    asked: list[GateRecord] | None = None,
) -> AskPerson:
    """Return who answers each question so, and leaves it open where nothing is said; `asked` gets what was asked.

    An answer is given once: one that does not count is not given again.
    """
    verdicts: dict[Question, Verdict | None] = {
        Question.BEGIN: begin,
        Question.AGAIN: again,
        Question.CUT_OFF: cut_off,
    }

    async def ask(gate: GateRecord) -> AnswerWish | None:
        if asked is not None and gate.id not in {one.id for one in asked}:
            asked.append(gate)
        verdict = verdicts[gate.question]
        if verdict is None or gate.answers:
            return None
        return AnswerWish(verdict=verdict, author=by, reason="told so", partial=True, channel="python")

    return ask


async def approval_of(run: RunContext, key: str, task_id: str) -> ApprovalUsed:
    """Return the approval of a step, as its executor uses it: its gate is raised and answered."""
    at, run_id = run.now(), run.spec.run_id
    action = Action(agent="tester", task_id=task_id, phase="tests", effect="irreversible", arguments={})
    gate = GateRecord(
        id=f"g{key[:8]}", run_id=run_id, key=key, node=task_id, action=action, digest="d", nonce="n", at=at
    )
    answer = AnswerWish(verdict="approve", author="tester", channel="python").about(gate, at, ())
    await run.log.append(
        GateRaised(run_id=run_id, at=at, record=gate),
        GateAnswered(run_id=run_id, at=at, gate_id=gate.id, answer=answer),
    )
    return ApprovalUsed(run_id=run_id, at=at, gate_id=gate.id, key=key, digest="d")


def approving(asked: list[GateRecord] | None = None) -> AskPerson:
    """Return who lets work begin for the first time, and answers nothing else."""
    return answering(begin="approve", asked=asked)
