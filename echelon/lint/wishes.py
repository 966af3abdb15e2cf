"""What a job asks for and no plan or run does: it is named, since a wish that is passed over in silence deceives."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from echelon.lint.context import WARNING, LintContext, Problem, named
from echelon.model.phrasing import count
from echelon.planning.enough import wish_refused


class Obeyed(NamedTuple):
    """What runs do about a wish."""

    field: str
    """The field of the organisation."""
    values: Collection[str]
    """What may be asked for, since runs do it."""
    instead: str
    """What runs do whatever is asked for."""
    alone: bool = False
    """Does the wish mean something for a single agent?"""


OBEYED: tuple[Obeyed, ...] = (
    Obeyed("sync", {"phase"}, "each phase ends with a sync point, and there is no other"),
    Obeyed(
        "visibility",
        {"scope", "exceptions"},
        "agents are handed what they need, and only exceptions are pushed upwards",
    ),
    Obeyed(
        "approval",
        {"none", "selected"},
        "a person is asked at gates: before what cannot be undone, and where the job states one",
        alone=True,
    ),
)


def wishes_not_followed(context: LintContext) -> Iterator[Problem]:
    """Find wishes that the plan could not follow, or that no run obeys, with what happens instead (R1)."""
    yield from _fewer_agents(context)
    yield from _not_obeyed(context)
    yield from _asked_all_the_same(context)


def _fewer_agents(context: LintContext) -> Iterator[Problem]:
    refused, asked, made = wish_refused(context.graph), context.wishes.agents, context.plan.n_agents
    fix = "merge tasks that belong together, or leave the number to the plan"
    if refused and made > 1 and context.wishes.structure is None:  # L8 judges a structure that is asked for
        yield Problem(WARNING, "organisation", refused.text, fix)
    elif asked is not None and asked < made and not refused:
        text = f"{count(asked, 'agent')} asked for, the plan has {made:,}: only chains that fit one context are merged"
        yield Problem(WARNING, "organisation.agents", text, fix)


def _not_obeyed(context: LintContext) -> Iterator[Problem]:
    for wish in OBEYED:
        asked = getattr(context.wishes, wish.field)
        if asked is None or asked in wish.values or (context.plan.n_agents < 2 and not wish.alone):
            continue
        obeyed = " or ".join(map(repr, sorted(wish.values)))
        yield Problem(
            WARNING,
            f"organisation.{wish.field}",
            f"{wish.field} {asked!r} is asked for, and no run of this version obeys it: {wish.instead}",
            f"leave it out, or ask for {obeyed}",
        )


def _asked_all_the_same(context: LintContext) -> Iterator[Problem]:
    gated = [task for phase in context.plan.phases for task in phase.gate]
    if gated and context.wishes.approval == "none":
        yield Problem(
            WARNING,
            "organisation.approval",
            f"no approval is asked for, and a run waits for a person before {named(gated)} all the same",
            "ask for approval 'selected', or leave it out",
        )
