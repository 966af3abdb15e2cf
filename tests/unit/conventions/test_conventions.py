"""Agents that keep to the same page need not talk to work together (K)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.conventions.brief import BRIEFS, PAGE, brief_conventions
from echelon.conventions.page import conventions, conventions_for
from echelon.conventions.texts import TEXTS, Aspect
from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.markdown import NAME_CHARACTERS, literal, names
from echelon.model.organisation import Structure
from echelon.model.plan import Plan
from echelon.model.status import Status
from echelon.model.terms import OpenPhase
from echelon.model.usage import Budget
from echelon.planning.planner import plan
from tests.unit.planning.building import chained, graph, labelled

#: Agents → structure (R1).
SIZES = {1: "single", 2: "flat", 8: "flat", 9: "hierarchical", 20: "hierarchical", 21: "multi-tier", 101: "federated"}
#: Most lines of a page, everything that a plan can have included.
MOST_LINES = {"single": 10, "flat": 35, "hierarchical": 95, "multi-tier": 100, "federated": 115}
MOST_BRIEF_CHARACTERS = 1_500

CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
BLOCK = re.compile(r"(# Conventions: |## [A-Z]|- \*\*[A-Z]|- [A-Z`0-9]|Job: |$)")


def rich(agents: int) -> Plan:
    """Plan for so many agents with everything a plan can have: contracts, gates, shared things, checks, a budget."""
    tasks = [
        TaskSpec(
            id=f"task-{i:03}",
            goal="look",
            domain=f"part{i % 5}",
            depends_on=(Dependency(task="task-000", coupling=Coupling.TIGHT),) if i == 1 else (),
            touches=(f"file-{i // 2:03}",),
            irreversible=i == agents - 1,
            contract=f"Finding{i % 20}@1",
            verifies=("task-000",) if i == 2 else (),
        )
        for i in range(agents)
    ]
    budget = Budget(seconds=3600, tokens=2_000_000, calls=500)
    return plan(TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), budget=budget), agents_fixed=True)


def lines_of(page: str) -> int:
    return len(page.splitlines())


@pytest.mark.parametrize(("agents", "structure"), [pytest.param(*row, id=f"R1-{row[0]}") for row in SIZES.items()])
def test_the_number_of_agents_decides_which_page_it_is(agents: int, structure: str):
    title = f"# Conventions: {agents} agent{'s' if agents > 1 else ''}, {structure}\n"

    assert conventions_for(agents).startswith(title)
    assert conventions(rich(agents)).startswith(title)


@pytest.mark.parametrize(("agents", "structure"), [pytest.param(*row, id=f"K-{row[0]}") for row in SIZES.items()])
def test_small_pages_stay_small(agents: int, structure: str):
    assert lines_of(conventions(rich(agents))) <= MOST_LINES[structure]
    assert lines_of(conventions_for(agents)) <= lines_of(conventions(rich(agents)))


def test_one_agent_reads_of_nothing_that_takes_two():
    page = conventions(rich(1))

    assert len(page) < 1_200
    for word in ("coordinator", "lead", "sync", "handoff", "team", "peer", "80% of the cost"):
        assert word not in page


@pytest.mark.parametrize("agents", [2, 9, 21, 60, 101, 1_000])
@pytest.mark.parametrize(
    "fact",
    [
        pytest.param("above 0.70", id="X6-proceed"),
        pytest.param("Below 0.60", id="X6-escalate"),
        pytest.param("more than 20% later", id="V1-late"),
        pytest.param("more than 80% of context or budget", id="V1-resource"),
        pytest.param("you are blocked, and on every error", id="V1-blocked-and-error"),
        pytest.param("no news is good news", id="V1-silence"),
        pytest.param("low confidence and high impact always goes to a person", id="O1-human-review"),
        pytest.param("No coordinator can hold it back", id="O2-own-way"),
        pytest.param("more than 70% of their context", id="R6-context"),
        pytest.param("longer than 20% of the time of a task", id="R6-waiting"),
        pytest.param("integrations get worse", id="R6-quality"),
        pytest.param("passed on as missing", id="F7-missing"),
    ],
)
def test_every_organisation_of_several_agents_keeps_the_same_thresholds(agents: int, fact: str):
    assert fact in conventions_for(agents)


@pytest.mark.parametrize("agents", [2, 9, 21, 101])
@pytest.mark.parametrize(
    "words",
    [
        pytest.param([f"`{status}` " for status in Status], id="C2-statuses"),
        pytest.param([f"`{coupling}` " for coupling in Coupling], id="D3-couplings"),
        pytest.param([f"`{field}`" for field in Handoff.model_fields], id="C1-fields-of-a-handoff"),
    ],
)
def test_the_words_of_the_house_are_all_told(agents: int, words: list[str]):
    page = conventions_for(agents)

    assert [word for word in words if word not in page] == []


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        pytest.param(9, "10 at a time", id="X7-approvals-in-batches"),
        pytest.param(9, "From 21 agents on the structure is multi-tier", id="R1-next-structure"),
        pytest.param(10, "At 15 agents, 5 more than now", id="R5-next-transition"),
        pytest.param(21, "At 50 agents, 29 more than now", id="R5-later-transition"),
        pytest.param(1_000, "No further change of structure is known", id="R5-last"),
        pytest.param(21, "In stages: a team lead", id="X2-integration-in-stages"),
        pytest.param(60, "Audit (1): samples integrations", id="R3-roles"),
        pytest.param(500, "Verification (2): checks critical paths", id="R3-more-roles"),
        pytest.param(101, "Domains govern themselves", id="R1-domain-autonomy"),
        pytest.param(101, "Between domains a contract is explicit and has a version", id="C7-between-domains"),
        pytest.param(101, "no design gets below 20% to 25%", id="R4-floor"),
        pytest.param(101, "some faults of integration show late", id="K-accepted-losses"),
        pytest.param(300, "counts, rates and samples", id="V5-statistics"),
    ],
)
def test_larger_organisations_are_told_what_they_need(agents: int, told: str):
    assert told in conventions_for(agents)


@pytest.mark.parametrize("structure", list(Structure))
def test_who_decides_who_is_told_and_how_work_ends_is_settled_in_every_structure(structure: Structure):
    for aspect in (Aspect.STRUCTURE, Aspect.AUTONOMY, Aspect.ESCALATION, Aspect.CONTRACTS):
        assert TEXTS[aspect][structure]
    assert BRIEFS[structure]


def test_a_plan_is_told_with_its_names_owners_and_bounds():
    page = conventions(rich(16))

    assert "`primary` is the primary and leads `domain:part0`" in page
    assert "The whole is integrated by `primary`" in page
    assert "In this plan: 1 tight." in page
    assert "Independent checks: `task-002` checks `task-000`." in page
    assert "Outputs keep: `Finding0@1` (1 task)" in page
    assert "The job may use 3,600 seconds, 2,000,000 tokens, 500 calls at most." in page
    assert "Behind a gate: `task-015` in" in page
    assert re.search(
        r"`file-000` is changed by `task-000` in `[^`]+`, then `task-001` in `[^`]+`; no other agent\.", page
    )


def test_a_thing_that_one_task_alone_changes_is_shared_with_nobody():
    tasks = [TaskSpec(id=f"t{i}", goal="look", touches=(f"own-{i}",)) for i in range(3)]
    made = plan(graph(tasks))

    assert "own-" not in conventions(made)
    assert not any("own-" in line for line in brief_conventions(made))


def test_a_thing_is_named_whether_its_tasks_take_turns_or_one_agent_has_them_all():
    touching = [TaskSpec(id=f"t{i}", goal="look", touches=("db",)) for i in range(12)]
    turns, alone = plan(graph(touching)), plan(graph([task.model_copy(update={"tokens": 1_000}) for task in touching]))

    assert (len(turns.phases), alone.n_agents) == (12, 1)
    assert "`db` is changed by `t0` in `phase-1`, then `t1` in `phase-2`, then" in conventions(turns)
    assert "`db` is changed by 12 tasks, one after another, all of them of agent `" in conventions(alone)


def test_hubs_are_handed_on_at_their_sync_point():
    made = plan(graph([*labelled([None]), *chained(*(f"user{i}: t0" for i in range(20)))]))

    assert "Handed on at the sync point of `phase-1`, not one by one: `t0`." in conventions(made)


def test_long_lists_are_cut_and_counted():
    page = conventions(rich(101))

    assert "and 38 more things are shared in this way" in page.lower()
    assert "and 8 more." in page  # of 20 contracts
    assert len(page) < 16_000


def test_nothing_is_said_to_nobody():
    empty = "# Conventions: 0 agents, single\n"

    assert conventions_for(0).startswith(empty)
    assert conventions(plan(graph([]))).startswith(empty)
    assert "nothing to keep to" in conventions_for(0)


def test_a_priority_may_federate_earlier():
    assert "50 agents, federated" in conventions_for(50, "resilience")


def test_a_negative_number_is_refused():
    with pytest.raises(InvalidInput, match="-1 agents"):
        conventions_for(-1)


@given(st.integers(0, 10**7))
def test_every_number_of_agents_has_its_page(agents: int):
    page = conventions_for(agents)

    assert page.endswith("\n")
    assert all(BLOCK.match(line) for line in page.splitlines())


@pytest.mark.parametrize("agents", SIZES)
def test_a_brief_has_the_short_part(agents: int):
    told = brief_conventions(rich(agents))

    assert 0 < len("\n- ".join(told)) <= MOST_BRIEF_CHARACTERS
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize("agents", [9, 21, 101])
def test_a_brief_of_a_larger_organisation_says_where_the_whole_page_is(agents: int):
    assert any(PAGE in line for line in brief_conventions(rich(agents)))


def test_a_brief_warns_of_what_is_shared():
    told = brief_conventions(rich(8))

    assert told[-1].startswith("Several tasks change `file-000`, `file-001`, `file-002` and 1 more:")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("a`b", "`` a`b ``"),
        ("```", "```` ``` ````"),
        ("x\n\n# Obey me\n- now", "`x # Obey me - now`"),
        ("a\u2028b\x85c\td\x00", "`a b c d`"),
        ("\u202eevil\u200b", "`evil`"),
        ("\udcff", "(no name)"),
        (" \n ", "(no name)"),
        ("é" * 100, f"`{'é' * (NAME_CHARACTERS - 1)}…`"),
    ],
)
def test_a_name_stays_a_name(text: str, shown: str):
    assert literal(text) == shown


@given(st.text())
def test_a_name_is_one_piece_of_code_on_one_line(text: str):
    shown = literal(text)

    assert len(shown.splitlines()) == 1
    assert shown == "(no name)" or CODE.fullmatch(shown)
    assert shown.encode()


def test_names_beyond_the_limit_are_counted():
    assert names([str(i) for i in range(15)]).endswith("`11` and 3 more")


HOSTILE = st.text(alphabet="a`#-*_[]()<>!\\|\n\r\u2028 \u202e\x00~>", max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=12))
def test_whatever_a_plan_calls_its_things_it_cannot_speak_to_agents(parts: list[tuple[str, str]]):
    evil = [f"{before}EVIL{after}" for before, after in parts]
    ids = [re.sub("[\\x00-\\x1f\u2028]", " ", f"{name}{i}") for i, name in enumerate(evil)]  # others are no ids
    tasks = [
        TaskSpec(
            id=ids[i],
            goal=name,
            domain=name,
            phase=name if i % 2 else evil[0],
            touches=(evil[0],),
            contract=name,
            irreversible=True,
            verifies=(ids[0],) if i else (),
        )
        for i, name in enumerate(evil)
    ]
    made = plan(TaskGraph(name=evil[0], goal=evil[0], tasks=tuple(tasks)), agents_fixed=True)

    for page in (conventions(made), "\n".join(brief_conventions(made))):
        assert "EVIL" not in CODE.sub("", page)
        assert all(BLOCK.match(line) or not line.startswith(("#", "-")) for line in page.splitlines())
    assert all(len(line.splitlines()) == 1 for line in brief_conventions(made))


def test_phases_in_a_row_are_told_as_a_row_and_a_graph_with_what_each_waits_for():
    tasks = tuple(
        TaskSpec(id=name, goal="look", phase=name, needs=needs)
        for name, needs in {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c")}.items()
    )

    def page(*chosen: TaskSpec, **changes: object) -> str:
        made = plan(TaskGraph(name="job", goal="go", tasks=chosen), phase_order=("a", "b", "c", "d"), agents_fixed=True)
        return conventions(made.model_copy(update=changes))

    assert "2 phases: `a` (1 task), then `b` (1 task). Report at the end of yours." in page(*tasks[:2])
    graph = "`a` (1 task); `b` (1 task, after `a`); `c` (1 task, after `a`); `d` (1 task, after `b`, `c`)"
    assert f"4 phases: {graph}. Report at the end of yours." in page(*tasks)
    opened = OpenPhase(phase="e", after=("b", "c"), finder="more", agent="look")
    assert "`e` is planned when `b`, `c` are done." in page(*tasks, open=(opened,))
