"""Place the agents that coordinate only: state, messages, audit, verification (R3).

How many there are depends on the number of agents alone, so that a plan and the advice before it always agree.
"""

from collections.abc import Iterator, Sequence

from echelon.model.plan import InfrastructureAgent, InfrastructureRole, Node
from echelon.planning.regime import Table, row

#: From so many agents on, coordination needs agents of its own (R3).
INFRASTRUCTURE_FROM = 50  # agents

STATE, ROUTER = InfrastructureRole.STATE_MANAGER, InfrastructureRole.MESSAGE_ROUTER
AUDIT, VERIFICATION = InfrastructureRole.AUDIT, InfrastructureRole.VERIFICATION

#: Agents of each role. One of each from 50 on, 8 in all at 500 (R3 asks for 6 to 10), then checking grows first: nobody
#: can look at everything, so it is checking that decides what goes unnoticed. It ends at one auditor and one verifier
#: for each of the 8 parts that a primary leads at most.
ROLES: Table[dict[InfrastructureRole, int]] = (
    (INFRASTRUCTURE_FROM - 1, {}),
    (199, {STATE: 1, ROUTER: 1, AUDIT: 1, VERIFICATION: 1}),
    (499, {STATE: 1, ROUTER: 1, AUDIT: 2, VERIFICATION: 2}),
    (999, {STATE: 2, ROUTER: 2, AUDIT: 2, VERIFICATION: 2}),
    (4_999, {STATE: 2, ROUTER: 2, AUDIT: 3, VERIFICATION: 3}),
    (49_999, {STATE: 2, ROUTER: 2, AUDIT: 4, VERIFICATION: 4}),
    (None, {STATE: 4, ROUTER: 4, AUDIT: 8, VERIFICATION: 8}),
)

#: What each role does, and what would fail without it (R3, O2, O3, O4).
WHY_ROLE: dict[InfrastructureRole, str] = {
    STATE: "keeps the one valid state, or domains would continue with outdated inputs",
    ROUTER: "carries what crosses domains, or it would fill the context of the leads",
    AUDIT: "samples integrations, or what is lost in them would go unnoticed",
    VERIFICATION: (
        "checks critical paths by another way and answers to the primary alone, so no lead it checks can hold it back"
    ),
}


def roles_for(agents: int) -> dict[InfrastructureRole, int]:
    """Return how many coordination agents of each role `agents` need, none below 50 (R3); `InvalidInput` below 0."""
    return dict(row(ROLES, agents))


def infrastructure_count(agents: int) -> int:
    """Return how many coordination agents `agents` need in all (R3)."""
    return sum(roles_for(agents).values())


def infrastructure_for(tree: Sequence[Node], agents: int) -> tuple[InfrastructureAgent, ...]:
    """Return the coordination agents of a plan with `agents` agents and this tree (R3, O2).

    They are no part of the tree. All report to the primary, past the leads whose work they carry or check. What stands
    directly below the primary is divided among those of one role; where they are more than that, several serve the
    same part. Their ids differ from those of all nodes and tasks.
    """
    primary = tree[0]
    taken = {name for node in tree for name in (node.id, *node.members)}
    return tuple(
        InfrastructureAgent(
            id=_free(f"infrastructure:{role}/{number}", taken),
            role=role,
            reports_to=primary.id,
            serves=served,
            why=WHY_ROLE[role],
        )
        for role, count in roles_for(agents).items()
        for number, served in enumerate(_shares(primary.members, count), start=1)
    )


def _shares(parts: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    """Divide `parts` among `count` agents, as evenly as it goes and neighbours together; nobody goes without."""
    for number in range(count):
        if count >= len(parts):
            yield (parts[number % len(parts)],)
        else:
            yield tuple(parts[number * len(parts) // count : (number + 1) * len(parts) // count])


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"coordination:{name}"
    return name
