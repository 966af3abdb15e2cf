"""What is drawn of a run follows from its log alone, whatever that is cut into (X1, R4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.engine.picture.mapping import DIED, Picture
from echelon.engine.picture.parts import GRACE, STOPPED
from echelon.engine.picture.strokes import JOB, DrawnState, DrawTaskRun, StateKind, Strokes
from echelon.engine.picture.wire import entered_at
from echelon.model.run import RunStatus
from echelon.runlog.events import Logged, PlanExtended, RunEvent, RunReopened
from tests.unit.engine.synthetic import PHASE, RUN_ID, Writer, after, logged, plan_of

LATER = after(1_000)

WRITER = Writer(plan_of(3, 4))
"""12 agents in 3 domains, which report to the primary."""

D0 = f"part/{PHASE}/domain:d0"


class Seen:
    """What somebody sees who looks at Prefect: the last state of everything."""

    def __init__(self) -> None:
        self.flow_runs: dict[str, str] = {}
        self.states: dict[str, DrawnState] = {}
        self.tasks: dict[str, DrawTaskRun] = {}
        self.drawn = 0

    def look(self, strokes: Strokes) -> None:
        for opened in strokes.opened:
            assert opened.key not in self.flow_runs, "a flow run is opened once"
            self.flow_runs[opened.key] = opened.title
            self.states[opened.key] = opened.state
        for entered in strokes.entered:
            assert entered.key in self.flow_runs, "only what is open has states"
            self.states[entered.key] = entered.state
        for task in strokes.tasks:
            assert task.flow_key in self.flow_runs, "a task run lies in a flow run that is open"
            self.tasks[task.title] = task
        self.drawn += len(strokes.tasks) + len(strokes.entered) + len(strokes.opened)

    def kinds(self) -> dict[str, str]:
        return {title: task.state.title for title, task in self.tasks.items()}


def seen(*batches: Sequence[RunEvent], picture: Picture | None = None, until: datetime = LATER) -> Seen:
    picture, found, first = picture or Picture(RUN_ID), Seen(), 1
    for batch in batches:
        found.look(picture.draw(logged(batch, first), until))
        first += len(batch)
    return found


def test_a_job_is_a_flow_run_with_a_flow_run_for_each_domain_and_a_task_run_for_each_agent() -> None:
    found = seen(WRITER.whole(domains=3, each=4))

    assert found.flow_runs == {JOB: RUN_ID, **{f"part/{PHASE}/domain:d{n}": f"domain:d{n} · greet" for n in range(3)}}
    assert {found.tasks[f"greet/d1-{n}"].flow_key for n in range(4)} == {f"part/{PHASE}/domain:d1"}
    assert found.tasks["integrate domain:d1 · greet"].flow_key == f"part/{PHASE}/domain:d1"
    assert found.tasks["integrate primary · greet"].flow_key == JOB
    assert len(found.tasks) == 12 + 3 + 1
    assert {state.kind for state in found.states.values()} == {StateKind.COMPLETED}


def test_times_are_those_of_the_events() -> None:
    found = seen(WRITER.whole())
    task = found.tasks["greet/d0-0"]

    assert (task.started, task.state.at) == (after(0.1), after(1.1))
    assert found.states[D0].at == after(1.5)
    assert found.states[JOB].at == after(1.7)


def test_nothing_is_said_of_what_did_not_change() -> None:
    picture = Picture(RUN_ID)
    seen(WRITER.whole(), picture=picture)

    assert not picture.draw([], LATER)


@pytest.mark.parametrize(
    ("domains", "each", "wanted", "titles"),
    [
        (1, 3, None, {"agent": 3, "integrate": 1}),  # all report to the primary
        (3, 4, None, {"agent": 12, "integrate": 4}),  # 3 domains and the primary integrate
        (2, 30, None, {"agent": 60, "integrate": 11}),  # 8 teams, 2 domains, the primary
        (2, 30, "team", {"team": 8}),
        (10, 25, None, {"team": 40}),  # 250 agents: more than are shown one by one
        (10, 25, "agent", {"agent": 250, "integrate": 49}),  # 40 teams, 8 domains, the primary
        (3, 4, "team", {"agent": 12}),  # nobody is in a team
    ],
)
def test_the_grain_follows_the_size_or_the_wish(domains: int, each: int, wanted, titles: dict[str, int]) -> None:
    found = seen(Writer(plan_of(domains, each)).whole(), picture=Picture(RUN_ID, wanted))
    tasks = [task.task for task in found.tasks.values()]

    assert {task: tasks.count(task) for task in tasks} == titles


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_picture_is_the_same_whatever_the_log_is_cut_into(data: st.DataObject) -> None:
    writer = Writer(plan_of(*data.draw(st.sampled_from([(1, 3), (3, 4), (2, 9)]))))
    granularity = data.draw(st.sampled_from([None, "team"]))
    events = sorted(writer.whole(), key=lambda event: event.at)  # stable: they keep their order where times are equal
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events) - 1), max_size=5)))
    picture, cut = Picture(RUN_ID, granularity), Seen()
    for first, last in zip([0, *cuts], [*cuts, len(events)], strict=True):
        cut.look(picture.draw(logged(events[first:last], first + 1), events[last - 1].at))
    whole = seen(events, picture=Picture(RUN_ID, granularity))

    assert (cut.states, cut.tasks) == (whole.states, whole.tasks)


def test_who_is_at_work_is_running_since_then() -> None:
    found = seen([*WRITER.start(), WRITER.phase_started(), WRITER.begin("greet/d0-0", 0.5)])

    assert found.tasks["greet/d0-0"].state == DrawnState(kind=StateKind.RUNNING, at=after(0.5))
    assert found.states[D0] == DrawnState(kind=StateKind.RUNNING, at=after(0.5))
    assert sorted(found.flow_runs) == [JOB, D0]  # others begin when somebody in them does


def test_what_failed_is_failed_and_what_is_partial_is_called_so() -> None:
    events = WRITER.whole()
    failed = WRITER.end("greet/d0-0", 0.1, 1.1, error="d0-0 is not here")
    events = [failed if event.kind == "step_ended" and event.subject == "greet/d0-0" else event for event in events]
    found = seen([*events[:-1], WRITER.ended(1.7, RunStatus.PARTIAL)])

    assert found.tasks["greet/d0-0"].state.kind is StateKind.FAILED
    assert found.tasks["greet/d0-0"].state.message == "d0-0 is not here"
    assert (found.states[D0].title, found.states[D0].message) == ("Partial", "1 missing, the first: d0-0 is not here")
    assert found.states[JOB].kind is StateKind.COMPLETED
    assert found.states[JOB].title == "Partial"
    assert found.states[JOB].message == f"run {RUN_ID}: 1 missing, the first: greet/d0-0: d0-0 is not here"


@pytest.mark.parametrize(
    ("status", "kind", "title"),
    [
        (RunStatus.COMPLETED, StateKind.COMPLETED, "Completed"),
        (RunStatus.PARTIAL, StateKind.COMPLETED, "Partial"),
        (RunStatus.WAITING, StateKind.COMPLETED, "Waiting"),
        (RunStatus.FAILED, StateKind.FAILED, "Failed"),
        (RunStatus.INTERRUPTED, StateKind.CRASHED, "Crashed"),
    ],
)
def test_a_flow_run_ends_as_its_run_does(status: RunStatus, kind: StateKind, title: str) -> None:
    found = seen([*WRITER.start(), WRITER.ended(1.0, status)])

    assert (found.states[JOB].kind, found.states[JOB].title) == (kind, title)


def test_what_was_at_work_when_the_run_was_stopped_has_crashed() -> None:
    found = seen(
        [*WRITER.start(), WRITER.phase_started(), WRITER.begin("greet/d0-0", 0.5)],
        [WRITER.ended(2.0, RunStatus.INTERRUPTED)],
    )
    crashed = DrawnState(kind=StateKind.CRASHED, at=after(2.0), message=STOPPED)

    assert (found.tasks["greet/d0-0"].state, found.states[D0], found.states[JOB]) == (crashed, crashed, crashed)


def test_a_domain_that_was_done_when_the_run_was_stopped_stays_so() -> None:
    tasks = [f"greet/d0-{n}" for n in range(4)]
    found = seen(
        [*WRITER.start(), WRITER.phase_started(), *[WRITER.begin(task, 0.5) for task in tasks]],
        [WRITER.end(task, 0.5, 1.0) for task in tasks],
        [WRITER.ended(9.0, RunStatus.INTERRUPTED)],
    )

    assert found.states[D0] == DrawnState(kind=StateKind.COMPLETED, at=after(1.0), message="4 handoffs passed on")


def test_a_domain_that_nobody_integrates_ends_after_a_while_of_quiet() -> None:
    tasks, picture = [f"greet/d0-{n}" for n in range(4)], Picture(RUN_ID)
    events = [*WRITER.start(), WRITER.phase_started(), *[WRITER.begin(task, 0.5) for task in tasks]]
    events += [WRITER.end(task, 0.5, 1.0) for task in tasks]
    found = seen(events, picture=picture, until=after(1.0))
    running = found.states[D0].kind
    found.look(picture.draw([], after(1.0) + GRACE))

    assert running is StateKind.RUNNING
    assert found.states[D0] == DrawnState(kind=StateKind.COMPLETED, at=after(1.0), message="4 handoffs passed on")


def test_a_domain_that_is_integrated_late_is_at_work_again() -> None:
    tasks, merge, picture = [f"greet/d0-{n}" for n in range(4)], f"{PHASE}/merge/domain:d0", Picture(RUN_ID)
    ended = [WRITER.end(task, 0.5, 1.0) for task in tasks]
    done = seen([*WRITER.start(), WRITER.phase_started(), *ended], picture=picture, until=after(19.0))
    states = [done.states[D0].kind]
    for event, seconds in ((WRITER.begin(merge, 20.0), 20.0), (WRITER.end(merge, 20.0, 21.0, used=tasks), 30.0)):
        [entered] = picture.draw(logged([event]), after(seconds)).entered
        states.append(entered.state.kind)

    assert states == [StateKind.COMPLETED, StateKind.RUNNING, StateKind.COMPLETED]
    assert (entered.state.at, entered.state.message) == (after(21.0), "1 handoff passed on")


def test_on_a_resume_only_what_is_done_again_is_drawn_again() -> None:
    first = [*WRITER.start(), WRITER.phase_started()]
    for task, error in (("greet/d0-0", ""), ("greet/d0-1", "not here"), ("greet/d1-0", "")):
        first += [WRITER.begin(task, 0.5), WRITER.end(task, 0.5, 1.0, error=error)]
    first += [WRITER.begin("greet/d1-1", 0.5), WRITER.phase_ended(2.0), WRITER.ended(2.0, RunStatus.PARTIAL)]
    resumed: list[RunEvent] = [
        WRITER.taken(10.0, token=2, idle_since=2.0),
        RunReopened(run_id=RUN_ID, at=after(10.0), before=RunStatus.PARTIAL, finished=after(2.0)),
        WRITER.phase_started(10.0),
        WRITER.begin("greet/d0-1", 11.0),
    ]
    picture = Picture(RUN_ID)
    before, again = seen(first, picture=picture), Seen()
    again.flow_runs = before.flow_runs
    again.look(picture.draw(logged(resumed, len(first) + 1), after(11.0)))

    assert before.kinds()["greet/d1-1"] == "Crashed"
    assert again.kinds() == {"greet/d0-1": "Running"}
    assert again.states == {
        D0: DrawnState(kind=StateKind.RUNNING, at=after(11.0)),
        JOB: DrawnState(kind=StateKind.RUNNING, at=after(10.0)),
    }


def test_what_a_killed_process_was_at_work_on_has_crashed_when_it_was_last_heard_of() -> None:
    found = seen(
        [*WRITER.start(), WRITER.phase_started(), WRITER.begin("greet/d0-0", 0.5)],
        [WRITER.taken(60.0, token=2, idle_since=4.0)],
    )
    crashed = DrawnState(kind=StateKind.CRASHED, at=after(4.0), message=STOPPED)

    assert (found.tasks["greet/d0-0"].state, found.states[D0]) == (crashed, crashed)
    assert found.states[JOB].kind is StateKind.RUNNING


def test_a_run_whose_process_died_says_what_to_do() -> None:
    picture = Picture(RUN_ID)
    found = seen([*WRITER.start(), WRITER.phase_started(), WRITER.begin("greet/d0-0", 0.5)], picture=picture)
    found.look(picture.abandon(after(5.0)))

    assert picture.is_over
    assert found.states[JOB] == DrawnState(kind=StateKind.CRASHED, at=after(5.0), message=DIED)
    assert found.states[D0].kind is StateKind.CRASHED
    assert found.kinds() == {"greet/d0-0": "Crashed"}


def test_a_step_that_never_began_is_drawn_where_it_ended() -> None:
    found = seen([*WRITER.start(), WRITER.end("greet/d0-0", 3.0, 3.0, error="blocked")])

    assert found.tasks["greet/d0-0"].started == after(3.0)
    assert found.kinds() == {"greet/d0-0": "Failed"}


def test_a_flow_run_that_prefect_started_is_not_ours_to_draw() -> None:
    picture, strokes = Picture(RUN_ID, owns_flow_run=False), []
    strokes.append(picture.draw(logged(WRITER.whole()), LATER))

    assert {opened.key for opened in strokes[0].opened} == {f"part/{PHASE}/domain:d{n}" for n in range(3)}
    assert JOB not in {entered.key for entered in strokes[0].entered}


def test_a_resume_outside_of_prefect_takes_the_flow_run_that_started_the_run() -> None:
    strokes = Picture(RUN_ID).draw(logged(WRITER.start(flow_run_id="abc")), LATER)

    assert [opened.adopt for opened in strokes.opened] == ["abc"]


@pytest.mark.parametrize(("granularity", "title"), [("agent", "greet/d0-0"), ("team", "team:d0/1 · greet")])
def test_a_line_is_shown_with_the_agent_or_its_team(granularity, title: str) -> None:
    writer = Writer(plan_of(2, 30))
    line = Logged(
        run_id=RUN_ID,
        at=after(0.6),
        key="greet/d0-0#0",
        task_id="greet/d0-0",
        source="stdout",
        level=20,
        message="hello",
    )
    begun = writer.begin("greet/d0-0", 0.5)
    strokes = Picture(RUN_ID, granularity).draw(logged([*writer.start(), begun, line]), after(0.7))
    shown = {task.id: task.title for task in strokes.tasks}

    [written] = strokes.lines
    assert (written.message, written.source, written.flow_key) == ("hello", "greet/d0-0", D0)
    assert written.task_id is not None
    assert shown[written.task_id] == title


def test_a_line_of_nobody_known_is_shown_with_the_job() -> None:
    line = Logged(run_id=RUN_ID, at=after(1), key="?", task_id="?", source="echelon", level=30, message="left out")
    [written] = Picture(RUN_ID).draw(logged([*WRITER.start(), line]), LATER).lines

    assert (written.task_id, written.flow_key) == (None, JOB)


def test_a_plan_that_grows_keeps_a_domain_open() -> None:
    wider = plan_of(3, 6)
    tasks = [f"greet/d0-{n}" for n in range(4)]
    extended = PlanExtended(run_id=RUN_ID, at=after(0.2), plan=wider, reason="two more came")
    found = seen(
        [*WRITER.start(), WRITER.phase_started(), extended],
        [event for task in tasks for event in (WRITER.begin(task, 0.5), WRITER.end(task, 0.5, 1.0))],
        until=LATER,
    )

    assert [state.kind for key, state in found.states.items() if key != JOB] == [StateKind.RUNNING]


def test_a_report_is_shown_when_the_run_has_ended() -> None:
    [report] = Picture(RUN_ID).draw(logged([*WRITER.start(), WRITER.ended(1.0, report="/tmp/out")]), LATER).reports

    assert (str(report.folder), report.job, report.since) == ("/tmp/out", "crowd", after(0))


def test_states_that_share_a_moment_are_kept_apart() -> None:
    """Prefect refuses two states of one run at one time, and with them all that were sent together."""
    states = [entered_at(DrawnState(kind=kind, at=after(0))) for kind in StateKind]

    assert len(set(states)) == len(states)
    assert max(states) - after(0) < timedelta(milliseconds=1)
