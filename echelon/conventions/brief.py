"""The part of the conventions that an agent gets with its brief: its regime's rules at the level of a task (K, X2)."""

from echelon.conventions.plan import shared_things
from echelon.conventions.words import ALONE, PERSON_LOOKS, SILENCE, STOP, TRIGGERS, decides
from echelon.model.markdown import names
from echelon.model.organisation import Structure
from echelon.model.plan import Plan

#: File in the folder of a run that has the whole page.
PAGE = "conventions.md"

SHARED_NAMED = 3  # shared things named in a brief; the page names more

_SAY_HOW_SURE = "Where your output allows it, state your confidence and your concerns; no one may suppress them."
_ALONE_TO_THE_END = "Until its phase ends each agent works alone; report progress only when asked."
_WHOLE_PAGE = f"The whole page is {PAGE} in the folder of the run."

#: Rules of an agent that does a task, by structure.
BRIEFS: dict[Structure, tuple[str, ...]] = {
    Structure.SINGLE: (ALONE, STOP),
    Structure.FLAT: (*decides(Structure.FLAT), TRIGGERS, PERSON_LOOKS, _SAY_HOW_SURE),
    Structure.HIERARCHICAL: (
        *decides(Structure.HIERARCHICAL),
        TRIGGERS,
        SILENCE,
        PERSON_LOOKS,
        _SAY_HOW_SURE,
        _ALONE_TO_THE_END,
        _WHOLE_PAGE,
    ),
    Structure.MULTI_TIER: (
        *decides(Structure.MULTI_TIER),
        TRIGGERS,
        SILENCE,
        PERSON_LOOKS,
        _SAY_HOW_SURE,
        _ALONE_TO_THE_END,
        _WHOLE_PAGE,
    ),
    Structure.FEDERATED: (
        *decides(Structure.FEDERATED),
        TRIGGERS,
        SILENCE,
        PERSON_LOOKS,
        _SAY_HOW_SURE,
        "Of other domains rely on their contracts only, and on the version that you were given.",
        _ALONE_TO_THE_END,
        _WHOLE_PAGE,
    ),
}


def brief_conventions(plan: Plan) -> tuple[str, ...]:
    """Return what every agent of a plan is told to keep to, a sentence or two a line; the same for all of them (K)."""
    shared = list(shared_things(plan))
    turns = (f"Several tasks change {names(shared, SHARED_NAMED)}: touch these only if your task says so.",)
    return BRIEFS[plan.structure] + (turns if shared else ())
