from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.priors import Priors
from echelon.planning.decomposition import decompose
from tests.unit.planning.building import chained, graph, uses

#: Two chains side by side, so that nothing is sequential enough for a single agent.
TWO_CHAINS = chained("a1", "a2: a1", "a3: a2", "b1", "b2: b1", "b3: b2")


def holds(work: TaskGraph) -> list[tuple[str, ...]]:
    return list(decompose(work).holds.values())


def changed(task_id: str, **update) -> TaskGraph:
    return graph(tuple(task.model_copy(update=update) if task.id == task_id else task for task in TWO_CHAINS))


def test_a_chain_becomes_one_feature_agent():
    made = decompose(graph(TWO_CHAINS))

    assert made.holds == {"feature:a1": ("a1", "a2", "a3"), "feature:b1": ("b1", "b2", "b3")}
    assert [agent.goal for agent in made.agents] == ["look; then look; then look"] * 2
    assert [agent.depends_on for agent in made.agents] == [(), ()]


def test_a_chain_is_cut_where_the_context_is_full():
    # 80% of 125,000 tokens are room for two tasks of 50,000 each.
    work = graph(TWO_CHAINS).model_copy(update={"priors": Priors(context_tokens=125_000)})

    assert holds(work) == [("a1", "a2"), ("a3",), ("b1", "b2"), ("b3",)]


def test_stated_tokens_count_instead_of_the_prior():
    assert holds(changed("a2", tokens=150_000)) == [("a1",), ("a2",), ("a3",), ("b1", "b2", "b3")]


def test_a_task_larger_than_a_context_still_has_an_agent():
    assert ("a2",) in holds(changed("a2", tokens=10_000_000))


def test_forks_and_joins_are_no_chains():
    work = graph(chained("a", "b: a", "c: a", "d: b c", "e: d"))

    assert holds(work) == [("a",), ("b",), ("c",), ("d", "e")]


def test_what_must_stay_apart_stays_apart():
    apart = [("a1",), ("a2",), ("a3",)]
    for update in (
        {"domain": "x"},
        {"capability": "law"},
        {"model": "m"},
        {"irreversible": True},
        {"verifies": ("a1",)},
    ):
        assert holds(changed("a2", **update))[:3] == apart, update


def test_a_check_of_a_merged_task_checks_its_agent():
    check = TaskSpec(id="check", goal="look", verifies=("a3",), model="other")
    made = decompose(graph((*TWO_CHAINS, check)))

    assert made.holds["feature:a1"] == ("a1", "a2", "a3")
    assert made.agents[-1].verifies == ("feature:a1",)


def test_a_coupling_of_none_makes_no_chain():
    loose = (Dependency(task="a1", coupling=Coupling.NONE),)

    assert holds(changed("a2", depends_on=loose))[:2] == [("a1",), ("a2", "a3")]


def test_the_work_of_an_agent_is_the_sum_of_its_tasks():
    tasks = tuple(
        TaskSpec(
            id=i, goal=i, tokens=10_000, seconds=2, touches=(i, "db"), depends_on=uses(*used), error_consequence=worst
        )
        for i, used, worst in (
            ("a", (), "significant"),
            ("b", ("a",), "minor"),
            ("x", (), "minor"),
            ("y", ("x",), "minor"),
        )
    )
    first = decompose(graph(tasks)).agents[0]

    assert (first.tokens, first.seconds, first.touches) == (20_000, 4, ("a", "db", "b"))
    assert (first.goal, first.error_consequence) == ("a; then b", "significant")


def test_the_strongest_coupling_to_another_agent_counts():
    tight = Dependency(task="a2", coupling=Coupling.TIGHT, reason="shares a transaction")
    links = (*TWO_CHAINS[:3], TaskSpec(id="c", goal="look", depends_on=(Dependency(task="a1"), tight)), TWO_CHAINS[3])
    made = decompose(graph(links))

    (of_c,) = [agent.depends_on for agent in made.agents if agent.id == "c"]
    assert [(d.task, d.coupling) for d in of_c] == [("a1", "loose"), ("a2", "tight")]


def test_agents_that_are_given_are_kept():
    assert list(decompose(graph(TWO_CHAINS), fixed=True).holds) == [task.id for task in TWO_CHAINS]


def test_names_never_clash_with_tasks():
    work = graph((*TWO_CHAINS, TaskSpec(id="feature:a1", goal="look")))

    assert list(decompose(work).holds) == ["feature:feature:a1", "feature:b1", "feature:a1"]


@given(st.lists(st.sets(st.integers(0, 30), max_size=3), max_size=30), st.integers(20_000, 400_000))
def test_every_task_has_exactly_one_agent_and_no_dependency_is_lost(parents: list[set[int]], context: int):
    tasks = chained(*(f"t{i}: {' '.join(f't{p}' for p in used if p < i)}" for i, used in enumerate(parents)))
    made = decompose(graph(tasks).model_copy(update={"priors": Priors(context_tokens=context)}))

    agent_of = {task: agent for agent, held in made.holds.items() for task in held}
    links = {(agent_of[d.task], agent_of[t.id]) for t in tasks for d in t.depends_on}
    kept = {(d.task, agent.id) for agent in made.agents for d in agent.depends_on}

    assert sorted(agent_of) == sorted(task.id for task in tasks)
    assert sum(len(held) for held in made.holds.values()) == len(tasks)
    assert kept == {(a, b) for a, b in links if a != b}


def test_a_task_without_seconds_does_not_hide_those_of_its_neighbours():
    # a (100 s) → b, beside c and d of 10 s: b is taken for the mean of 40 s.
    seconds = {"a": 100.0, "b": None, "c": 10.0, "d": 10.0}
    tasks = tuple(task.model_copy(update={"seconds": seconds[task.id]}) for task in chained("a", "b: a", "c", "d"))
    agents = decompose(graph(tasks).model_copy(update={"priors": Priors(sequential_share=1)})).agents

    assert [(agent.id, agent.seconds) for agent in agents] == [("feature:a", 140.0), ("c", 10.0), ("d", 10.0)]


def test_a_task_without_tokens_is_taken_for_the_prior_beside_one_that_states_some():
    assert decompose(changed("a2", tokens=30_000)).agents[0].tokens == 130_000
    assert decompose(graph(TWO_CHAINS)).agents[0].tokens is None
