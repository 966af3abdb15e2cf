"""R6: what says that a structure is outgrown is measured from the log, and what is not known is None."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from echelon.model.organisation import StructureSignal
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan, SyncPoint
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.planning.adaptation import Load
from echelon.runlog import events as happened
from echelon.runlog.signals import coordination_shares, good_share, rework_share, signals_at, waiting_share
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import NOON, run_started, small_plan, step_record

AGENTS = tuple(f"a{i}" for i in range(6))


def plan(*phases: str, integration: str = "staged", leads: int = 0) -> Plan:
    """Return a plan with six agents below the primary, or below leads of as many agents each."""
    parents = [f"lead:{i % leads}" if leads else "primary" for i in range(len(AGENTS))]
    agents = tuple(
        Node(id=one, kind=NodeKind.AGENT, parent=parent, members=tuple(f"{phase}/{one}" for phase in phases))
        for one, parent in zip(AGENTS, parents, strict=True)
    )
    below = {parent: tuple(one.id for one in agents if one.parent == parent) for parent in parents}
    between = tuple(
        Node(id=lead, kind=NodeKind.TEAM, parent="primary", members=members) for lead, members in below.items()
    )
    primary = Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=tuple(below) if leads else AGENTS)
    planned = tuple(
        PhasePlan.model_validate(
            {
                "name": phase,
                "tasks": tuple(f"{phase}/{one}" for one in AGENTS),
                "sync": SyncPoint(owner="primary"),
                "integration": integration,
            }
        )
        for phase in phases
    )
    tree = (primary, *(between if leads else ()), *agents)
    return small_plan().model_copy(update={"tree": tree, "phases": planned, "n_agents": len(AGENTS)})


def step(phase: str, node: str, began: float, ended: float, **changes: Any) -> StepRecord:
    """Return a step that was at work between two seconds; `changes` are fields of its handoff."""
    integrates = not node.startswith("a")
    record = step_record(
        f"{phase}/{node}",
        changes.pop("status", Status.COMPLETED),
        phase=phase,
        kind=StepKind.INTEGRATION if integrates else StepKind.TASK,
    )
    usage = changes.pop("usage", Usage(seconds=ended - began))
    return record.model_copy(
        update={
            "node": node,
            "key": f"{phase}/{node}",
            "started": NOON + timedelta(seconds=began),
            "finished": NOON + timedelta(seconds=ended),
            "handoff": record.handoff.model_copy(update={"usage": usage, **changes}),
        }
    )


def phase_of(
    name: str, *, at: float = 0.0, takes: float = 1.0, integration: float = 0.1, worse: dict[str, Any] | None = None
) -> list[StepRecord]:
    """Return the steps of a phase: all agents work side by side, then the primary integrates, `worse` than well."""
    tasks = [step(name, one, at, at + takes) for one in AGENTS]
    return [*tasks, step(name, "primary", at + takes, at + takes + integration, **(worse or {}))]


def passed(made: Plan, *phases: Sequence[StepRecord]) -> RunState:
    """Return the state behind phases that ended one after the other."""
    log: list[Any] = [run_started(plan=made), happened.RunTaken(run_id="r1", at=NOON, token=1, host="here", pid=7)]
    for steps in phases:
        name, end = steps[0].phase, max(one.finished for one in steps)
        log.append(happened.PhaseStarted(run_id="r1", at=NOON, phase=name, expected=len(AGENTS)))
        log += [happened.StepEnded(run_id="r1", at=one.finished, record=one) for one in steps]
        log.append(happened.PhaseEnded(run_id="r1", at=end, phase=name))
    return fold(log)


def signals(state: RunState, phase: str) -> dict[StructureSignal, Load]:
    assert state.plan is not None
    return {load.signal: load for load in signals_at(state, state.plan, phase)}


@pytest.mark.parametrize(
    ("takes", "integration", "share"),
    # The wait for the primary over the time of six tasks.
    [(10.0, 3.0, 0.05), (10.0, 12.0, 0.2), (10.0, 12.6, 0.21), (1.0, 60.0, 10.0)],
)
def test_the_wait_for_coordinators_is_a_share_of_the_time_of_tasks(
    takes: float, integration: float, share: float
) -> None:
    made = plan("look")
    state = passed(made, phase_of("look", takes=takes, integration=integration))

    assert waiting_share(state, made, "look") == pytest.approx(share)
    assert (StructureSignal.WAITING in signals(state, "look")) == (share > 0.2)


def test_a_wait_counts_from_the_last_one_below_and_not_while_nobody_works_on_the_run() -> None:
    made = plan("look", leads=2)
    tasks = [step("look", one, 0, 2 if one == "a0" else 4) for one in AGENTS]  # 22 s; lead 0 has a0, a2, a4
    leads = [step("look", "lead:0", 4, 6), step("look", "lead:1", 4, 5)]  # 2 s and 1 s behind their last agent
    whole = [step("look", "primary", 106, 108)]  # 102 s behind the last lead, of which 100 are a pause
    idle, again = (NOON + timedelta(seconds=seconds) for seconds in (6, 106))
    state = replace(passed(made, [*tasks, *leads, *whole]), pauses=((idle, again),))

    assert waiting_share(state, made, "look") == pytest.approx(((2 * 3 + 1 * 3) / 6 + 2) / 22)


def test_a_wait_below_a_second_is_no_signal_whatever_its_share() -> None:
    state = passed(plan("look"), phase_of("look", takes=0.01, integration=0.9))

    assert signals(state, "look") == {}


def test_without_an_integration_nothing_is_known() -> None:
    made = plan("look")
    state = passed(made, phase_of("look")[:-1])

    assert waiting_share(state, made, "look") is None
    assert coordination_shares(state, made, "look") == {}
    assert signals(state, "look") == {}
    assert rework_share([]) is None
    assert good_share([]) is None


@pytest.mark.parametrize(
    ("tokens", "expected"),
    # Tokens where both sides know them: 600 / (600 + 6 × 100). Else seconds: 14 / (14 + 6).
    [((600, 100), 0.5), ((600, None), 0.7), ((None, 100), 0.7), ((None, None), 0.7)],
)
def test_coordination_is_counted_in_tokens_where_both_sides_know_them(
    tokens: tuple[int | None, int | None], expected: float
) -> None:
    made, (ours, theirs) = plan("look"), tokens
    tasks = [step("look", one, 0, 1, usage=Usage(seconds=1, tokens_in=theirs)) for one in AGENTS]
    state = passed(made, [*tasks, step("look", "primary", 1, 15, usage=Usage(seconds=14, tokens_in=ours))])

    assert coordination_shares(state, made, "look") == {"primary": pytest.approx(expected)}


def test_coordination_that_is_most_of_it_at_two_sync_points_is_a_signal() -> None:
    phases = [phase_of(name, at=at, integration=20) for name, at in (("one", 0), ("two", 100))]
    made = plan("one", "two")

    assert StructureSignal.COORDINATION not in signals(passed(made, phases[0]), "one")
    found = signals(passed(made, *phases), "two")[StructureSignal.COORDINATION]
    assert found.measured == pytest.approx(20 / 26)
    assert (found.coordinator, found.agents, found.reports) == ("primary", 6, 6)


def test_coordination_that_was_most_of_it_once_is_none() -> None:
    phases = [phase_of("one", integration=2), phase_of("two", at=100, integration=20)]

    assert StructureSignal.COORDINATION not in signals(passed(plan("one", "two"), *phases), "two")


REWORKED: dict[str, Any] = {"attempts": 2}
LOST: dict[str, Any] = {"status": Status.FAILED}
MENDED: dict[str, Any] = {"repairs": ("a number was text",)}
CUT_SHORT: dict[str, Any] = {"wrapped_up": True}


@pytest.mark.parametrize("worse", [REWORKED, LOST, MENDED, CUT_SHORT])
def test_integrations_that_get_worse_while_tasks_are_delivered_are_a_signal(worse: dict[str, Any]) -> None:
    phases = [phase_of("one"), phase_of("two", at=100, worse=worse)]
    found = signals(passed(plan("one", "two"), *phases), "two")

    assert found[StructureSignal.QUALITY].measured == 1.0
    assert found[StructureSignal.QUALITY].coordinator == "primary"


def test_integrations_that_are_no_worse_than_before_are_none() -> None:
    phases = [phase_of("one", worse=LOST), phase_of("two", at=100, worse=LOST)]

    assert signals(passed(plan("one", "two"), *phases), "two") == {}


def test_where_the_tasks_fail_too_the_structure_is_not_blamed() -> None:
    worse = phase_of("two", at=100, worse=LOST)
    worse[0] = step("two", "a0", 100, 101, status=Status.FAILED)  # 5 of 6 are good, which is below 90 %

    assert signals(passed(plan("one", "two"), phase_of("one"), worse), "two") == {}


def test_a_load_counts_who_had_a_part_in_the_phase() -> None:
    made = plan("look", leads=2)
    tasks = [step("look", one, 0, 1) for one in AGENTS if one != "a0"]
    state = passed(made, [*tasks, step("look", "lead:0", 1, 2), step("look", "lead:1", 1, 9)])
    found = signals(state, "look")[StructureSignal.WAITING]

    assert found.measured == pytest.approx((2 * 1 + 3 * 8) / 5 / 5)
    assert found._replace(measured=0) == Load(StructureSignal.WAITING, 0, "lead:1", 5, 3, 0, 1)


def test_where_the_primary_alone_integrates_all_agents_report_to_it() -> None:
    made = plan("look", leads=2, integration="primary")
    state = passed(made, phase_of("look", integration=30))

    assert signals(state, "look")[StructureSignal.WAITING].reports == 6
