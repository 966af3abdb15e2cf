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
from echelon.runlog.events import EffectIntended, EffectSettled, OperatorDecided

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
        )


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
        self._redo = set(self._decision.redo)

    def stands(self, task_id: str, key: str) -> bool:
        """Say whether the step with this key is the last that was begun of a task, and no person decides otherwise."""
        if task_id in self._redo or task_id in self._decision.done:
            return False
        begun = [intent for intent in self._begun.get(task_id, ()) if not intent.settled]
        return not begun or begun[-1].key == key

    async def recall_decision(self, task_id: str) -> Outcome[object] | None:
        """Return what a person knows to have come of a task; None where nobody said that it was done."""
        if task_id not in self._decision.done or task_id not in self._begun:
            return None
        await self._note("done", task_id)
        return Outcome(output=self._decision.done[task_id], summary="a person says that it was done")

    async def begin(self, key: str, task_id: str, effect: str, renewed: str = "") -> EffectIntent:
        """Put it on record that a task is about to change the world; durable when this returns.

        `renewed` says why what was done before does not count any more.
        `EffectUncertain` for irreversible work that may have happened; `LeaseLost` when another process has the run.
        """
        begun = self._begun.setdefault(task_id, [])
        uncertain = [intent for intent in begun if not intent.settled]
        if effect == "irreversible" and uncertain:
            if task_id not in self._redo:
                raise self._uncertain(uncertain[-1], renewed)
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
        )
        await self._log.append(EffectIntended(run_id=intent.run_id, at=intent.at, intent=intent))
        begun.append(intent)
        return intent

    async def settle(self, intent: EffectIntent) -> None:
        """Put it on record that nothing happened."""
        await self._log.append(
            EffectSettled(
                run_id=intent.run_id, at=self._now(), key=intent.key, task_id=intent.task_id, attempt=intent.attempt
            )
        )
        begun = self._begun[intent.task_id]
        begun[begun.index(intent)] = intent.model_copy(update={"settled": True})

    async def _note(self, decision: Literal["redo", "done"], task_id: str) -> None:
        await self._log.append(
            OperatorDecided(run_id=self._log.run_id, at=self._now(), task_id=task_id, decision=decision)
        )

    def _uncertain(self, intent: EffectIntent, renewed: str) -> EffectUncertain:
        at = f"{intent.at:%Y-%m-%d %H:%M:%S} UTC (idempotency key {intent.idempotency_key[:16]})"
        was_done = renewed and intent.key in self._log.state.finished_steps
        return EffectUncertain(
            f"{intent.task_id} cannot be undone and was done on {at}, which does not count any more: {renewed}"
            if was_done
            else f"{intent.task_id} cannot be undone and may have happened: it was begun at {at}, and its end is not "
            "on record",
            # The same for all that one death left open, so that it is said once.
            f"find out, then: echelon resume {intent.run_id} --redo TASK (do it again) or --done TASK=OUTPUT (it "
            "happened; OUTPUT is JSON); a TASK may be a pattern, as 'pay/*'",
        )
