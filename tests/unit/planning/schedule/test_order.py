import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.planning.schedule.order import producers_of, topological
from tests.unit.planning.building import chained


def ids(tasks: tuple[TaskSpec, ...]) -> list[str]:
    return [task.id for task in topological(tasks)]


def test_producers_come_before_their_consumers():
    assert ids(chained("c: a b", "b: a", "a")) == ["a", "b", "c"]


def test_tasks_without_a_dependency_keep_their_order():
    assert ids(chained("z", "a", "m")) == ["z", "a", "m"]


def test_a_coupling_of_none_is_no_dependency_and_a_repeated_one_counts_once():
    uses = (
        Dependency(task="a"),
        Dependency(task="a", coupling=Coupling.TIGHT),
        Dependency(task="b", coupling=Coupling.NONE),
    )

    assert producers_of(TaskSpec(id="c", goal="look", depends_on=uses)) == ("a",)


@pytest.mark.parametrize(
    ("links", "named"),
    [
        (("a: a",), "a -> a"),
        (("a: b", "b: a", "c: a"), "b -> a -> b"),
        (("start", "x: start z", "y: x", "z: y", "end: z"), "y -> z -> x -> y"),
    ],
)
def test_a_cycle_is_refused_by_the_names_on_it_in_the_order_of_the_work(links: tuple[str, ...], named: str):
    with pytest.raises(InvalidInput) as refusal:
        topological(chained(*links))

    assert f"{named};" in str(refusal.value)
    assert "coupling 'none'" in str(refusal.value)


def test_a_long_cycle_is_cut_short():
    links = [f"t{i}: t{(i + 1) % 5000}" for i in range(5000)]

    with pytest.raises(InvalidInput, match=r"… \(4988 more\)"):
        topological(chained(*links))


@given(st.lists(st.lists(st.integers(0, 40), max_size=4), max_size=40))
def test_every_acyclic_graph_is_ordered_completely(uses: list[list[int]]):
    tasks = chained(*(f"t{i}: " + " ".join(f"t{j % i}" for j in used if i) for i, used in enumerate(uses)))
    position = {task.id: i for i, task in enumerate(topological(tasks[::-1]))}

    assert len(position) == len(tasks)
    assert all(position[used] < position[task.id] for task in tasks for used in producers_of(task))


def test_a_check_comes_after_what_it_checks():
    check, made = TaskSpec(id="check", goal="look", verifies=("made",)), TaskSpec(id="made", goal="look")

    assert [task.id for task in topological((check, made))] == ["made", "check"]
