"""Which step on record is the one that is asked for, and why another one is not (F8). Pure.

A step is known by its key: job, phase, contract and everything it is given. Where only the code of its agent has
changed since, it is done again under a key of its own, unless it changed the world: that is not done twice. Where a
person wants a task done again, what came of it before is forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from echelon.agents.agent import Agent
from echelon.agents.fingerprint.agent import changed_parts, fingerprint_of, has_changed
from echelon.journal.digest import digest_of
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.state import RetryMark


@dataclass(frozen=True, kw_only=True)
class MemoHit:
    """What the record says about a step."""

    key: str
    """The key under which it is done, or was done."""
    known: StepRecord | None = None
    """It was done, and this came of it."""
    renewed: str = ""
    """Why what was done before does not count any more; empty when nothing was."""


class StepMemo:
    """The steps of one run that were completed before this process began."""

    def __init__(self, finished: Mapping[str, StepRecord], retried: Mapping[str, RetryMark] | None = None) -> None:
        self._finished = finished
        self._retried = retried or {}
        own = [step for step in finished.values() if step.handoff.fallback is None and not step.replica]
        self._by_task = {(step.kind, step.handoff.task_id, step.round): step for step in own}

    def key_of(self, task_id: str, key: str) -> str:
        """Return the key under which a step is done now: one of its own each time that it was to be done again.

        What is completed is never written over; and who is asked to change the world again takes it for a new order.
        """
        mark = self._retried.get(task_id)
        return digest_of((key, "retry", mark.times)) if mark else key

    def is_retried(self, task_id: str) -> bool:
        """Say whether a person wants a task done again, whatever came of it."""
        return task_id in self._retried

    def knows(self, key: str) -> bool:
        """Say whether a step with this key was completed before this process began."""
        return key in self._finished

    def find(self, key: str) -> StepRecord | None:
        """Return the step with this key that was completed before this process began; None when there is none."""
        return self._finished.get(key)

    def older(self, kind: StepKind, task_id: str, contract: str) -> StepRecord | None:
        """Return what a task delivered last, whatever it was given, if it can be read as `contract`; else None."""
        before = self._by_task.get((kind, task_id, 1))  # what is done in rounds can be undone
        return before if before is not None and _contract_of(before) == contract else None

    def recall(
        self, key: str, kind: StepKind, task_id: str, contract: str, agent: Agent, round_number: int = 1
    ) -> MemoHit:
        """Find a step with its key; the code of its agent decides whether it still counts."""
        known = self._finished.get(key)
        if known is None:
            return MemoHit(key=key, renewed=self._why(kind, task_id, contract, round_number))
        code = fingerprint_of(agent)
        if agent.effect != "read" or not has_changed(known.code, code):
            return MemoHit(key=key, known=known)
        own_key = digest_of((key, code))
        parts = " and ".join(changed_parts(known.code, code))
        why = f"{agent.name} has changed in {parts} ({known.code} → {code})"
        again = self._finished.get(own_key)
        return MemoHit(key=own_key, known=again, renewed="" if again else why)

    def renew(self, key: str, why: str) -> MemoHit:
        """Return what is known of a step in place of one on record that does not count any more, and why it does not.

        It has a key of its own: what is completed is never written over.
        """
        own_key = digest_of((key, "output lost"))
        return MemoHit(key=own_key, known=self._finished.get(own_key), renewed=why)

    def _why(self, kind: StepKind, task_id: str, contract: str, round_number: int) -> str:
        before = self._by_task.get((kind, task_id, round_number))
        if before is None:
            return ""
        was = _contract_of(before)
        if was != contract:
            return f"its contract has changed ({was} → {contract})"
        return "what it is given has changed"


def _contract_of(step: StepRecord) -> str:
    assert step.handoff.output_location is not None, "what was completed has an output"
    return step.handoff.output_location.contract
