"""Agents that keep to the same page need not talk to work together (K)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.conventions.brief import brief_conventions
from echelon.conventions.facts import AGENTS, BriefReader, facts_of, facts_of_number
from echelon.conventions.page import conventions, conventions_for
from echelon.conventions.words import COORDINATION_SHARE, WAITING_SHARE
from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.markdown import NAME_CHARACTERS, literal, names
from echelon.model.plan import Plan
from echelon.model.status import Status
from echelon.model.terms import OpenPhase
from echelon.planning.planner import plan
from echelon.runlog import signals
from tests.unit.conventions.plans import EVERYTHING, KNOWN, full, rich
from tests.unit.planning.building import graph

#: Agents → structure (R1).
SIZES = {1: "single", 2: "flat", 8: "flat", 9: "hierarchical", 20: "hierarchical", 21: "multi-tier", 101: "federated"}
#: Most lines of a page, everything that a plan can have included.
MOST_LINES = {"single": 14, "flat": 20, "hierarchical": 90, "multi-tier": 90, "federated": 100}
#: Most characters of what an agent is told: little in a small job, and little more in a large one.
MOST_TOLD = {"model": 900, "command": 1_350, "function": 750}

CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
BLOCK = re.compile(r"(# Conventions: |## [A-Z]|- \*\*[A-Z]|- [A-Z`0-9]|Job: |$)")


def page_of(made: Plan) -> str:
    return conventions(facts_of(made))


def told_in(made: Plan, reader: BriefReader) -> tuple[str, ...]:
    return brief_conventions(facts_of(made, EVERYTHING), reader)


def lines_of(page: str) -> int:
    return len(page.splitlines())


@pytest.mark.parametrize(("agents", "structure"), [pytest.param(*row, id=f"R1-{row[0]}") for row in SIZES.items()])
def test_the_number_of_agents_decides_which_page_it_is(agents: int, structure: str):
    title = f"# Conventions: {agents} agent{'s' if agents > 1 else ''}, {structure}\n"

    assert conventions_for(agents).startswith(title)
    assert page_of(rich(agents)).startswith(title)


@pytest.mark.parametrize(("agents", "structure"), [pytest.param(*row, id=f"K-{row[0]}") for row in SIZES.items()])
def test_small_pages_stay_small(agents: int, structure: str):
    assert lines_of(page_of(rich(agents))) <= MOST_LINES[structure]
    assert lines_of(conventions_for(agents)) <= lines_of(page_of(rich(agents)))


def test_one_agent_reads_of_nothing_that_takes_two():
    page = page_of(rich(1))

    assert len(page) < 2_200
    for word in ("coordinator", "lead", "sync", "handoff", "team", "peer", "incident"):
        assert word not in page


@pytest.mark.parametrize("agents", [1, 2, 9, 21, 101, 1_000])
@pytest.mark.parametrize(
    "claim",
    [
        pytest.param("0.70", id="X6-nothing-proceeds-by-confidence"),
        pytest.param("Below 0.60", id="X6-nobody-is-asked"),
        pytest.param("another agent look", id="X6-nobody-reviews-in-between"),
        pytest.param("waits for approval", id="X7-nothing-is-approved-in-batches"),
        pytest.param("20% later", id="V1-no-agent-knows-that-it-is-late"),
        pytest.param("acted on at once", id="O1-nobody-acts-at-once"),
        pytest.param("any of them may ask for more time", id="O5-no-agent-asks-for-more-time"),
        pytest.param("among themselves", id="R1-agents-settle-nothing-among-themselves"),
        pytest.param("Take directions", id="X9-nobody-directs-an-agent"),
        pytest.param("meet", id="X14-domains-have-no-rhythm-of-their-own"),
        pytest.param("Domains govern themselves", id="R1-domains-govern-nothing"),
        pytest.param("samples integrations", id="R3-no-agent-audits"),
        pytest.param("state manager", id="R3-no-agent-keeps-the-state"),
        pytest.param("out of the ordinary", id="V5-figures-are-not-watched"),
        pytest.param("conflict", id="X9-contradictions-are-not-found"),
        pytest.param("conventions.md", id="K-no-agent-can-read-the-page"),
        pytest.param("report to", id="X2-nobody-can-report-to-a-coordinator"),
    ],
)
def test_what_no_run_does_is_not_said(agents: int, claim: str):
    """Each of these was said to agents, and no code kept it."""
    pages = conventions_for(agents), page_of(full(max(3, agents)))
    briefs = "\n".join(line for one in AGENTS for line in told_in(full(max(3, agents)), BriefReader(one, True)))

    assert [claim for text in (*pages, briefs) if claim.lower() in text.lower()] == []


def test_the_signals_that_are_said_are_those_that_are_measured():
    assert (COORDINATION_SHARE, WAITING_SHARE) == (signals.COORDINATION_SHARE, signals.WAITING_SHARE)


@pytest.mark.parametrize("agents", [2, 9, 21, 101])
@pytest.mark.parametrize(
    "words",
    [
        pytest.param([f"`{status}` " for status in Status], id="C2-statuses"),
        pytest.param([f"`{field}`" for field in Handoff.model_fields], id="C1-fields-of-a-handoff"),
    ],
)
def test_the_words_of_the_house_are_all_told(agents: int, words: list[str]):
    page = conventions_for(agents)

    assert [word for word in words if word not in page] == []


def test_a_plan_is_told_with_its_names_owners_and_bounds():
    page = page_of(rich(16))

    assert "`primary` is the primary and leads `domain:part0`" in page
    assert "1 tight: cannot run unless all of it is there." in page
    assert "Checks of what others made: `task-002` checks `task-000`." in page
    assert "From 21 agents on the structure is multi-tier." in page
    assert "Outputs keep: `Finding0@1` (1 task)" in page
    assert "The job may use 3,600 seconds, 2,000,000 tokens, 500 calls at most." in page
    assert re.search(r"`file-000` is changed by `task-000` in `[^`]+`, then `task-001` in `[^`]+`\.", page)


def test_what_a_job_has_switched_on_is_said_with_its_names_and_numbers():
    page = conventions(KNOWN["everything"])
    first, second = (phase.name for phase in full(16).phases[:2])

    for said in (
        f"Outputs of `{first}` are integrated in stages: each lead integrates those of its own agents, then `primary`",
        f"Outputs of `{second}` are integrated by `primary` alone.",
        f"`{second}`: repeated until `passes` says that it passes, at most 3 rounds",
        f"`{second}` is done only when `risky` says so.",
        f"Tasks that agents of `{first}` propose are taken or declined for `more`, each with a reason on record.",
        f"`rest` is planned when `{second}` is done.",
        f"Each task of `{first}` is done by 3 agents at the same time; 2 of them must agree.",
        f"`other` takes over where an agent of `{second}` fails or is late.",
        f"in `{first}`: `it is short`.",
        f"`{first}` by `reviewer`, done 3 times at most.",
        "is repaired where that takes no guess",
        "refused for a while: `provider`.",
        "All runs of the job in a day together may use 5,000,000 tokens at most.",
        "Of it 10% is kept back",
    ):
        assert said in page, said


def test_a_thing_that_one_task_alone_changes_is_shared_with_nobody():
    tasks = [TaskSpec(id=f"t{i}", goal="look", touches=(f"own-{i}",)) for i in range(3)]
    made = plan(graph(tasks))

    assert "own-" not in page_of(made)
    assert not any("own-" in line for one in AGENTS for line in told_in(made, BriefReader(one, True)))


def test_a_thing_is_named_whether_its_tasks_take_turns_or_one_agent_has_them_all():
    touching = [TaskSpec(id=f"t{i}", goal="look", touches=("db",)) for i in range(12)]
    turns, alone = plan(graph(touching)), plan(graph([task.model_copy(update={"tokens": 1_000}) for task in touching]))

    assert (len(turns.phases), alone.n_agents) == (12, 1)
    assert "`db` is changed by `t0` in `phase-1`, then `t1` in `phase-2`, then" in page_of(turns)
    assert "`db` is changed by 12 tasks, one after another, all of them of agent `" in page_of(alone)


def test_long_lists_are_cut_and_counted():
    page = page_of(rich(101))

    assert "and 38 more things are shared in this way" in page.lower()
    assert "and 8 more." in page  # of 20 contracts
    assert len(page) < 8_000


def test_nothing_is_said_to_nobody():
    empty = "# Conventions: 0 agents, single\n"

    assert conventions_for(0).startswith(empty)
    assert page_of(plan(graph([]))).startswith(empty)
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
def test_what_an_agent_is_told_is_little_whatever_the_size(agents: int):
    for audience in AGENTS:
        told = told_in(full(max(3, agents)), BriefReader(audience, speaks=True))

        assert 0 < len("\n- ".join(told)) <= MOST_TOLD[audience]
        assert all("\n" not in line for line in told)


def test_who_can_act_on_nothing_is_told_nothing():
    for audience in AGENTS:
        assert brief_conventions(facts_of_number(1), BriefReader(audience, speaks=False)) == ()


def test_a_brief_warns_of_what_is_shared():
    told = told_in(rich(8), BriefReader(max(AGENTS), speaks=False))

    assert told[-1].startswith("Several tasks change `file-000`, `file-001`, `file-002` and 1 more, in turns:")


def test_only_who_is_given_other_work_is_told_that_some_may_be_missing():
    some, none = (told_in(rich(8), BriefReader(max(AGENTS), False, "", receives)) for receives in (True, False))

    assert [line for line in some if line not in none] == [
        "What is missing from earlier work is named, with the reason. Do not make it up."
    ]


def test_only_who_does_a_task_of_a_phase_that_is_judged_is_told_by_whom():
    first, second = (phase.name for phase in full(16).phases[:2])

    def judged(phase: str, *, does_task: bool = True) -> list[str]:
        told = told_in(full(16), BriefReader(max(AGENTS), False, phase, True, does_task))
        return [line for line in told if "judged" in line]

    assert judged(first) == [
        "What you make is judged by `reviewer`; what is rejected is done again, with what is missing."
    ]
    assert judged(second) == judged(first, does_task=False) == []


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

    told = [line for one in AGENTS for line in told_in(made, BriefReader(one, speaks=True))]
    for page in (page_of(made), "\n".join(told)):
        assert "EVIL" not in CODE.sub("", page)
        assert all(BLOCK.match(line) or not line.startswith(("#", "-")) for line in page.splitlines())
    assert all(len(line.splitlines()) == 1 for line in told)


def test_phases_in_a_row_are_told_as_a_row_and_a_graph_with_what_each_waits_for():
    tasks = tuple(
        TaskSpec(id=name, goal="look", phase=name, needs=needs)
        for name, needs in {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c")}.items()
    )

    def page(*chosen: TaskSpec, **changes: object) -> str:
        made = plan(TaskGraph(name="job", goal="go", tasks=chosen), phase_order=("a", "b", "c", "d"), agents_fixed=True)
        return page_of(made.model_copy(update=changes))

    assert "2 phases: `a` (1 task), then `b` (1 task)." in page(*tasks[:2])
    graph = "`a` (1 task); `b` (1 task, after `a`); `c` (1 task, after `a`); `d` (1 task, after `b`, `c`)"
    assert f"4 phases: {graph}." in page(*tasks)
    opened = OpenPhase(phase="e", after=("b", "c"), finder="more", agent="look")
    assert "`e` is planned when `b`, `c` are done." in page(*tasks, open=(opened,))
