"""Which phases in waves are put together in part before their end, and which compare results on the way (X3, X9)."""

from echelon.contract.claims import has_keys
from echelon.definition.phase import PhaseDefinition


def compares_between_waves(phase: PhaseDefinition) -> bool:
    """Say whether a contradiction is an event: its contracts have keys, and some of it goes by that."""
    rhythms = phase.sync.rhythms.values() if phase.sync is not None else ()
    is_event = any("conflict" in one.terms.events for one in rhythms)
    return is_event and any(has_keys(one.output_type) for one in phase.agents)


def integrates_early(phase: PhaseDefinition) -> bool:
    """Say whether teams and domains are put together as soon as their tasks have ended.

    Results of an integration must be integrated further; and what may still be contradicted is put together at the
    end, since a decision would make it out of date.
    """
    is_staged = phase.integrator is not None and phase.integrator.combiner is not None
    return phase.sync is not None and is_staged and not compares_between_waves(phase)
