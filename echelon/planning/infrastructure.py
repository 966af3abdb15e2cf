"""Place the agents beside the tree that judge its work; and say how many a size asks for (R3, R11).

Advice says how many agents of each role are usual. A plan has those that run in its job, and no others.
"""

from collections.abc import Sequence

from echelon.model.concern import PERSON
from echelon.model.plan import InfrastructureAgent, InfrastructureRole, Node
from echelon.planning.regime import Table, row

#: From so many agents on, coordination needs agents of its own (R3).
INFRASTRUCTURE_FROM = 50  # agents

#: From so many on results are verified, and integrations audited, where the job asks for it (R11).
ON_REQUEST_FROM = 10  # agents

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
        "checks critical paths by another way and reports to a person, so no lead it checks can hold it back"
    ),
}


def roles_for(agents: int) -> dict[InfrastructureRole, int]:
    """Return how many coordination agents of each role `agents` need, none below 50 (R3); `InvalidInput` below 0."""
    return dict(row(ROLES, agents))


def infrastructure_count(agents: int) -> int:
    """Return how many coordination agents `agents` need in all (R3)."""
    return sum(roles_for(agents).values())


def is_judged(agents: int, *, stated: bool) -> bool:
    """Say whether the results of so many agents are verified, and their integrations audited, beside the phases (R11).

    `stated` says whether the job asks for it; below that, phases state themselves what they want verified.
    """
    return agents >= (ON_REQUEST_FROM if stated else INFRASTRUCTURE_FROM)


def infrastructure_for(
    tree: Sequence[Node], verifiers: Sequence[str] = (), auditors: Sequence[str] = ()
) -> tuple[InfrastructureAgent, ...]:
    """Return the agents of a plan that verify and audit, by their names: those that really run in its job (R11).

    They are no part of the tree, and report to a person beside it: no coordinator stands above who checks its work
    (O11). What keeps the state, and carries what crosses domains, is the journal. Their ids differ from those of all
    nodes and tasks.
    """
    primary = tree[0]
    taken = {name for node in tree for name in (node.id, *node.members)}
    return tuple(
        InfrastructureAgent(
            id=_free(f"infrastructure:{role}/{name}", taken),
            role=role,
            reports_to=PERSON,
            serves=primary.members,
            why=WHY_ROLE[role],
        )
        for role, names in ((VERIFICATION, verifiers), (AUDIT, auditors))
        for name in names
    )


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"coordination:{name}"
    return name
