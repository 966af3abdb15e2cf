"""What changes the world outside is put on record before it is done, so that no crash can hide that it was begun (F8).

An agent with the effect `write` is let work again after a crash, with the same idempotency key: the receiver can tell
that it got this before. One with the effect `irreversible` is not: whether it happened only a person can find out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.function import FunctionAgent
from echelon.agents.outcome import Outcome
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import Journal
from echelon.model.errors import AgentFailed, EffectUncertain, InvalidInput
from echelon.model.session import Claim

#: What an agent raises to say that it did nothing. A command or a model says so of what it knows, which is less.
_NOTHING_HAPPENED = (AgentFailed, InvalidInput)

#: Tasks that a refusal names at most.
MAX_NAMED = 10

#: Kinds of the events that a person's word leaves.
REDONE, TOLD_DONE = "effect.redone", "effect.told-done"


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a person says about irreversible work of which nobody knows whether it happened.

    By task, or by a pattern as in `pay/*`.
    """

    redo: frozenset[str] = frozenset()
    """It did not happen, or may happen twice: do it again."""
    done: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """It happened, and this came out of it."""

    def __post_init__(self) -> None:
        both = sorted(self.redo & self.done.keys())
        if both:
            raise InvalidInput(f"task {both[0]!r} is to be redone and is done: say one of the two")

    def about(self, begun: Collection[str], run_id: str) -> "Word":
        """Return it by task, for the tasks that were begun; `InvalidInput` for what means none of them."""
        meant = {one: _meant(one, begun) for one in (*self.redo, *self.done)}
        strange = sorted(one for one, tasks in meant.items() if not tasks)
        if strange:
            raise InvalidInput(
                f"run {run_id!r} has begun nothing for task {strange[0]!r} that could be redone or done; what it has "
                f"begun that changes the world: {', '.join(sorted(begun)[:MAX_NAMED]) or 'nothing'}"
            )
        return Word(
            redo=frozenset(task for one in self.redo for task in meant[one]),
            done={task: output for one, output in self.done.items() for task in meant[one]},
        )


def _meant(said: str, begun: Collection[str]) -> list[str]:
    return [said] if said in begun else [task for task in begun if fnmatchcase(task, said)]


class Claims:
    """What was begun in one run that changes the world."""

    def __init__(
        self,
        journal: Journal,
        run_id: str,
        recorded: Iterable[Claim],
        *,
        word: Word,
        token: int,
        now: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._run_id = run_id
        self._token = token
        self._now = now
        self._begun: dict[str, list[Claim]] = {}
        for claim in recorded:
            self._begun.setdefault(claim.task_id, []).append(claim)
        self._word = word.about(self._begun, run_id)
        self._redo = set(self._word.redo)

    async def carried_out(self, key: str, task_id: str, agent: Agent, call: Call) -> Outcome[Any]:
        """Let an agent that changes the world work, once it is durable that it was begun.

        `EffectUncertain` for irreversible work that may have happened; `LeaseLost` when another process has the run.
        """
        if task_id in self._word.done and task_id in self._begun:
            await self._note(TOLD_DONE, task_id)
            return Outcome(output=self._word.done[task_id], summary="a person says that it was done")
        claim = await self._take(key, task_id, agent.effect)
        failpoint("claim.taken")
        brief = call.brief.model_copy(update={"idempotency_key": claim.idempotency_key})
        try:
            outcome = await agent.perform(replace(call, brief=brief))
        except _NOTHING_HAPPENED:
            if isinstance(agent, FunctionAgent):
                await self._settle(claim)
            raise
        failpoint("effect.done")
        return outcome

    async def _take(self, key: str, task_id: str, effect: str) -> Claim:
        begun = self._begun.setdefault(task_id, [])
        uncertain = [claim for claim in begun if not claim.settled]
        if effect == "irreversible" and uncertain:
            if task_id not in self._redo:
                raise _uncertain(uncertain[-1])
            self._redo.remove(task_id)  # once: what is cut off again is uncertain again
            await self._note(REDONE, task_id)
        claim = Claim(
            run_id=self._run_id,
            key=key,
            task_id=task_id,
            effect=effect,
            idempotency_key=digest_of((self._run_id, key)),
            attempt=1 + sum(claim.key == key for claim in begun),
            token=self._token,
            at=self._now(),
        )
        await self._journal.claim(claim)
        begun.append(claim)
        return claim

    async def _settle(self, claim: Claim) -> None:
        await self._journal.settle(claim)
        begun = self._begun[claim.task_id]
        begun[begun.index(claim)] = claim.model_copy(update={"settled": True})

    async def _note(self, kind: str, task_id: str) -> None:
        await self._journal.append_event(self._run_id, kind, task_id, {}, self._now())


def _uncertain(claim: Claim) -> EffectUncertain:
    return EffectUncertain(
        f"{claim.task_id} cannot be undone and may have happened: it was begun at {claim.at:%Y-%m-%d %H:%M:%S} UTC "
        f"(idempotency key {claim.idempotency_key[:16]}), and its end is not on record",
        # The same for all that one death left open, so that it is said once.
        f"find out, then: echelon resume {claim.run_id} --redo TASK (do it again) or --done TASK=OUTPUT (it happened; "
        "OUTPUT is JSON); a TASK may be a pattern, as 'pay/*'",
    )
