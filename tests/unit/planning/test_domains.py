"""R9, X3: what is chosen for each domain follows from its own size, coupling and error consequence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Structure
from echelon.planning.domains import DriftFactors, sync_start
from echelon.planning.planner import plan


def task(name: str, domain: str | None = "core", *uses: tuple[str, Coupling], **more: Any) -> TaskSpec:
    depends_on = tuple(Dependency(task=used, coupling=coupling) for used, coupling in uses)
    fields: dict[str, Any] = {"contract": "Seen@1", "domain": domain, "depends_on": depends_on}
    return TaskSpec(id=name, goal="look", **(fields | more))


def domains(*tasks: TaskSpec) -> dict[str, Any]:
    made = plan(TaskGraph(name="audit", goal="find risks", tasks=tasks), agents_fixed=True)
    return {domain.name: domain for domain in made.domains}


@pytest.mark.parametrize(
    ("fast", "dear", "hidden", "costly", "expected"),
    # Each of the first three counts for more often, the last one against it: 2 or more, 1, none.
    [
        (False, False, False, False, "milestone"),
        (True, False, False, False, "phase"),
        (False, True, False, False, "phase"),
        (False, False, True, False, "phase"),
        (True, True, False, False, "interval"),
        (True, True, True, True, "interval"),
        (True, True, False, True, "phase"),
        (False, False, True, True, "milestone"),
        (False, False, False, True, "milestone"),
    ],
)
def test_the_frequency_table_gives_the_start_value(
    fast: bool, dear: bool, hidden: bool, costly: bool, expected: str
) -> None:
    assert sync_start(DriftFactors(fast=fast, dear=dear, hidden=hidden, costly=costly)) == expected


@given(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()))
def test_no_factor_that_asks_for_more_syncs_makes_them_rarer(factors: tuple[bool, bool, bool, bool]) -> None:
    order = ("milestone", "phase", "interval")
    now = order.index(sync_start(DriftFactors(*factors)))

    for position in range(3):
        more = DriftFactors(*(*factors[:position], True, *factors[position + 1 :]))
        assert order.index(sync_start(more)) >= now


def test_each_domain_has_the_structure_of_its_own_size() -> None:
    found = domains(
        *(task(f"a{i}", "small.part") for i in range(3)),
        *(task(f"b{i}", "large") for i in range(12)),
        task("alone", "one"),
    )

    assert {name: (one.agents, one.structure) for name, one in found.items()} == {
        "small": (3, Structure.FLAT),
        "large": (12, Structure.HIERARCHICAL),
        "one": (1, Structure.SINGLE),
    }
    assert all(one.rule == "R9" and one.reason.startswith(f"{one.agents} agent") for one in found.values())


def test_federation_of_a_domain_is_advice_like_its_rhythm() -> None:
    found = domains(*(task(f"a{i}", "huge") for i in range(101)), task("b", "small"))

    assert found["huge"].advised == ("structure", "sync")
    assert found["small"].advised == ("sync",)


def test_a_domain_shows_its_strongest_coupling_inside_and_outward() -> None:
    found = domains(
        task("a", "core"),
        task("b", "core", ("a", Coupling.LOOSE)),
        task("c", "core", ("b", Coupling.TIGHT)),
        task("d", "edge", ("c", Coupling.MEDIUM)),
        task("e", "far"),
    )

    couplings = {name: (one.coupling_inside, one.coupling_outward) for name, one in found.items()}
    assert couplings == {
        "core": (Coupling.TIGHT, Coupling.MEDIUM),
        "edge": (None, Coupling.MEDIUM),
        "far": (None, None),
    }


def test_domains_that_meet_at_a_sync_point_are_loosely_coupled() -> None:
    found = domains(task("a", "core", phase="first"), task("b", "edge", phase="second", needs=("first",)))

    assert {one.coupling_outward for one in found.values()} == {Coupling.LOOSE}


def test_the_worst_consequence_of_a_domain_is_its_own() -> None:
    found = domains(
        task("a", "core", error_consequence="significant"),
        task("b", "core"),
        task("c", "edge"),
    )

    assert {name: (one.error_consequence, one.sync) for name, one in found.items()} == {
        "core": ("significant", "phase"),
        "edge": ("minor", "milestone"),
    }


def test_agents_without_label_or_lead_form_no_domain() -> None:
    assert domains(task("a", None), task("b", None)) == {}
