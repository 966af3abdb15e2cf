"""What changes the world outside is put on record before it is done, so that no crash can hide that it was begun (F8).

An agent with the effect `write` is let work again after a crash, with the same idempotency key: the receiver can tell
that it got this before. One with the effect `irreversible` is not: whether it happened only a person can find out.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal

from echelon.agents.outcome import Outcome
from echelon.coordination.run_log import RunLog
from echelon.journal.digest import digest_of
from echelon.model.errors import EffectUncertain, InvalidInput
from echelon.model.session import EffectIntent
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.events import EffectIntended, EffectSettled, OperatorDecided
from echelon.runlog.gate_events import ApprovalReturned, ApprovalUsed
from echelon.runlog.state import RunState

#: Tasks that a refusal names at most.
MAX_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class OperatorDecision:
    """What a person says about irreversible work whose end is not on record.

    By task, or by a pattern as in `pay/*`.
    """

    redo: frozenset[str] = frozenset()
    """It did not happen, or may happen twice: do it again."""
    done: Mapping[str, object] = field(default_factory=dict[str, Any])
    """It happened, and this came out of it."""
    by: str = ""
    """Who says so; empty when that is not known."""

    def __post_init__(self) -> None:
        both = sorted(self.redo & self.done.keys())
        if both:
            raise InvalidInput(f"task {both[0]!r} is to be redone and is done: say one of the two")

    def about(self, begun: Collection[str], run_id: str) -> "OperatorDecision":
        """Return it by task, for the tasks that were begun; `InvalidInput` for what means none of them."""
        meant = {one: tasks_meant(one, begun) for one in (*self.redo, *self.done)}
        strange = sorted(one for one, tasks in meant.items() if not tasks)
        if strange:
            raise InvalidInput(
                f"run {run_id!r} has started no irreversible or writing work for task {strange[0]!r} that could be "
                f"redone or done; what it has started: {', '.join(sorted(begun)[:MAX_NAMED]) or 'nothing'}"
            )
        return OperatorDecision(
            redo=frozenset(task for one in self.redo for task in meant[one]),
            done={task: output for one, output in self.done.items() for task in meant[one]},
            by=self.by,
        )


def retried_by(state: RunState) -> dict[str, str]:
    """Return what a person wants done again that cannot be undone, and that was not asked about since, with who."""
    asked = {gate.action.task_id: gate.at for gate in state.gates.values()}  # the last gate of each
    return {
        task: event.by
        for event in state.retries
        for task in event.redo
        if not (task in asked and asked[task] > event.at)
    }


def tasks_meant(said: str, tasks: Collection[str]) -> list[str]:
    """Return the tasks that a person means by a name, or by a pattern as in `pay/*`."""
    return [said] if said in tasks else [task for task in tasks if fnmatchcase(task, said)]


class IntentLog:
    """What was begun in one run that changes the world."""

    def __init__(self, log: RunLog, *, decision: OperatorDecision, token: int, now: Callable[[], datetime]) -> None:
        self._log = log
        self._token = token
        self._now = now
        self._begun: dict[str, list[EffectIntent]] = {}
        for intent in log.state.intents.values():
            self._begun.setdefault(intent.task_id, []).append(intent)
        self._decision = decision.about(self._begun, log.run_id)
        self._stated = {*self._decision.redo, *self._decision.done}
        self._retried = retried_by(log.state)
        self._redo = set[str]()
        self._done = dict[str, object]()

    def stands(self, task_id: str, key: str) -> bool:
        """Say whether the step with this key is the last that was begun of a task, as far as is known."""
        begun = self._uncertain(task_id)
        return not begun or begun[-1].key == key

    def has_stated(self, task_id: str) -> bool:
        """Say whether a person said something of a task when the run was set to work again, and it is not used yet."""
        return task_id in self._stated or task_id in self._retried

    def stated(self, task_id: str) -> AnswerWish | None:
        """Return what a person said of a task when the run was set to work again; once, None behind that."""
        if task_id in self._retried:
            by = self._retried.pop(task_id) or "operator"
            return AnswerWish(verdict="approve", author=by, reason="retried", partial=True, channel="option")
        if task_id not in self._stated:
            return None
        self._stated.remove(task_id)
        is_done, author = task_id in self._decision.done, self._decision.by or "operator"
        said = "said when the run was resumed"
        if is_done:
            output = self._decision.done[task_id]
            return AnswerWish(verdict="done", author=author, reason=said, output=output, channel="option")
        return AnswerWish(verdict="approve", author=author, reason=said, partial=True, channel="option")

    def uncertainty(self, task_id: str, renewed: str = "") -> str:
        """Say what is on record of irreversible work that may have happened; empty when there is none.

        `renewed` says why what was done before does not count any more.
        """
        begun = self._uncertain(task_id)
        return self._said(begun[-1], renewed) if begun and task_id not in self._redo else ""

    def allow_again(self, task_id: str) -> None:
        """Let irreversible work that may have happened be begun once more: a person said so."""
        self._redo.add(task_id)

    def note_done(self, task_id: str, output: object) -> None:
        """Take a person's word for it that a task was done, and what came of it."""
        self._done[task_id] = output

    def forget_done(self, task_id: str) -> None:
        """Take a person's word no more for what came of a task: it was not accepted, and they are asked again."""
        self._done.pop(task_id, None)
        self._redo.discard(task_id)

    async def recall_decision(self, task_id: str) -> Outcome[object] | None:
        """Return what a person knows to have come of a task; None where nobody said that it was done."""
        if task_id not in self._done:
            return None
        await self._note("done", task_id)
        return Outcome(output=self._done[task_id], summary="a person says that it was done")

    def check(self, task_id: str, effect: str, renewed: str = "") -> None:
        """Raise `EffectUncertain` for irreversible work that may have happened, unless a person lets it be redone."""
        uncertain = self.uncertainty(task_id, renewed) if effect == "irreversible" else ""
        if uncertain:
            raise EffectUncertain(uncertain, self._asks)

    async def begin(
        self, key: str, task_id: str, effect: str, renewed: str = "", approved: ApprovalUsed | None = None
    ) -> EffectIntent:
        """Put it on record that a task is about to change the world; durable when this returns.

        `renewed` says why what was done before does not count any more; `approved` uses up the approval of what cannot
        be undone, in the same transaction.
        `EffectUncertain` for irreversible work that may have happened; `LeaseLost` when another process has the run.
        """
        self.check(task_id, effect, renewed)
        begun = self._begun.setdefault(task_id, [])
        if effect == "irreversible" and self._uncertain(task_id):
            self._redo.remove(task_id)  # once: what is cut off again is uncertain again
            await self._note("redo", task_id)
        intent = EffectIntent(
            run_id=self._log.run_id,
            key=key,
            task_id=task_id,
            effect=effect,
            idempotency_key=digest_of((self._log.run_id, key)),
            attempt=1 + sum(one.key == key for one in begun),
            token=self._token,
            at=self._now(),
            gate_id=approved.gate_id if approved else "",
        )
        used = [approved] if approved else []
        await self._log.append(*used, EffectIntended(run_id=intent.run_id, at=intent.at, intent=intent))
        begun.append(intent)
        return intent

    async def settle(self, intent: EffectIntent) -> None:
        """Put it on record that nothing happened."""
        run_id, at = intent.run_id, self._now()
        returned = [ApprovalReturned(run_id=run_id, at=at, gate_id=intent.gate_id)] if intent.gate_id else []
        settled = EffectSettled(run_id=run_id, at=at, key=intent.key, task_id=intent.task_id, attempt=intent.attempt)
        await self._log.append(*returned, settled)
        begun = self._begun[intent.task_id]
        begun[begun.index(intent)] = intent.model_copy(update={"settled": True})

    async def _note(self, decision: Literal["redo", "done"], task_id: str) -> None:
        await self._log.append(
            OperatorDecided(run_id=self._log.run_id, at=self._now(), task_id=task_id, decision=decision)
        )

    def _uncertain(self, task_id: str) -> list[EffectIntent]:
        return [intent for intent in self._begun.get(task_id, ()) if not intent.settled]

    def _said(self, intent: EffectIntent, renewed: str) -> str:
        at = f"{intent.at:%Y-%m-%d %H:%M:%S} UTC (idempotency key {intent.idempotency_key[:16]})"
        was_done = renewed and intent.key in self._log.state.finished_steps
        return (
            f"{intent.task_id} cannot be undone and was done on {at}, which does not count any more: {renewed}"
            if was_done
            else f"{intent.task_id} cannot be undone and may have happened: it was begun at {at}, and its end is not "
            "on record"
        )

    @property
    def _asks(self) -> str:
        # The same for all that one death left open, so that it is said once.
        return f"find out, then: echelon resume {self._log.run_id}, which asks what became of it"
