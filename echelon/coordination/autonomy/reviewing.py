"""Who of the peers looks at a result that its agent is not trusted with alone (X6)."""

from echelon.agents.agent import Agent, cannot_be_undone
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.coordination.autonomy.situations import Situations
from echelon.coordination.context import RunContext
from echelon.coordination.success.verifying import is_independent
from echelon.definition.oversight.peers import peers_of
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.repeat import works_alike
from echelon.journal.digest import digest_of
from echelon.model.autonomy.terms import Band
from echelon.model.handoff import Handoff
from echelon.oversight.autonomy.deciding import decide


class Peers:
    """Those who look at the results of one phase."""

    def __init__(self, run: RunContext, phase: PhaseDefinition) -> None:
        job = run.spec.job
        self._autonomy = job.oversight.autonomy
        self._peers = peers_of(self._autonomy, phase, job.inputs_type)
        self._situations = Situations(run, phase, self._autonomy.terms) if self._autonomy else None

    @property
    def are_stated(self) -> bool:
        """Is there anybody?"""
        return bool(self._peers)

    def choose(self, handoff: Handoff) -> Agent | None:
        """Return who looks at a result; None where it needs nobody, or nobody is there but its author."""
        if self._situations is None or self._autonomy is None or not handoff.done or handoff.kept_from:
            return None
        made = self._situations.maker(handoff)
        if cannot_be_undone(made.agent):  # a person decided about it at its gate, and it cannot be done again
            return None
        if decide(self._situations.of(made), self._autonomy.terms).band is not Band.REVIEW:
            return None
        return choose_peer(self._peers, made.agent, handoff.task_id)


def choose_peer(peers: tuple[Agent, ...], author: Agent, task_id: str) -> Agent | None:
    """Return one of the peers that did not write a result, in turn by task; first of those of another model (O3)."""
    others = [one for one in peers if not _is_author(one, author)]
    independent = [one for one in others if is_independent(one, author)]
    chosen = independent or others
    return chosen[int(digest_of(task_id)[:8], 16) % len(chosen)] if chosen else None


def _is_author(peer: Agent, author: Agent) -> bool:
    """Say whether a peer is whoever did the work, be it under another name."""
    code = fingerprint_of(peer)
    return works_alike(peer, author) or (bool(code) and code == fingerprint_of(author))
