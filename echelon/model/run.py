"""A run: what happened when a plan was carried out, and what is told about it. Values only."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from echelon.model.adapter import JsonObject
from echelon.model.base import Value
from echelon.model.breaker_news import BreakerStory
from echelon.model.concern import ConcernRecord
from echelon.model.costs.account import CostAccount
from echelon.model.costs.graded import GradedMeasure
from echelon.model.costs.measures import Measures
from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.handoff import Handoff, Missing
from echelon.model.incident import Incident
from echelon.model.learning.retrospective import Retrospective
from echelon.model.organisation import PlanChange
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.notification import NotificationRecord
from echelon.model.phrasing import count, one_line, truncate
from echelon.model.plan import Plan
from echelon.model.rolling.phases import PhaseView, PlanExtension, RepeatedWork
from echelon.model.sync.seen import ToldVersions
from echelon.model.views.conversation import Conversation
from echelon.model.views.items import Changes
from echelon.model.views.judged import JudgedWork
from echelon.model.views.rest import Rest, Waiting
from echelon.model.views.retry import TaskRetry
from echelon.model.views.rollup import Visibility
from echelon.model.views.waits import WaitView
from echelon.model.voice.proposals import ProposalRecord


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"  #: running, or its process was killed
    COMPLETED = "completed"  #: everything was delivered
    PARTIAL = "partial"  #: done, with something missing
    FAILED = "failed"  #: no output
    INTERRUPTED = "interrupted"  #: stopped from outside; what is done is kept
    WAITING = "waiting"  #: a person must answer, or ask for the rest of a sample


#: Exit code of the command line for each way a run can end.
EXIT_CODES: dict[RunStatus, int] = {
    RunStatus.COMPLETED: 0,
    RunStatus.FAILED: 1,
    RunStatus.INTERRUPTED: 130,
    RunStatus.RUNNING: 1,
    RunStatus.PARTIAL: 3,
    RunStatus.WAITING: 4,
}


#: Done, but partial or over a stated limit.
OVER_LIMIT = 3


def exit_code_of(status: RunStatus, exceptions: Iterable[ExceptionReport]) -> int:
    """Return the exit code of a run that ended so; one that passed a budget is not simply done."""
    over = status is RunStatus.COMPLETED and any(one.trigger is Trigger.OVERRUN for one in exceptions)
    return OVER_LIMIT if over else EXIT_CODES[status]


class RunRecord(Value):
    """A run in the journal."""

    run_id: str
    """Unique."""
    job: str
    """Name of the job."""
    source: str
    """Where the job is defined, as it was given."""
    inputs: JsonObject
    """Inputs, as JSON."""
    status: RunStatus
    """Where it stands."""
    started: datetime
    """When it began, in UTC."""
    finished: datetime | None = None
    """When it ended, in UTC; for a run at work again that was completed before, when that was."""
    report: str | None = None
    """Folder of the report."""
    plan: Plan | None = None
    """The plan it carries out; None where only the list of runs is wanted."""
    flow_run_id: str | None = None
    """The flow run of Prefect that started it: when Prefect retries that, it goes on with this run (F8)."""
    parent_run_id: str | None = None
    """The run that it was begun inside of; None for one that stands alone."""
    parent_task: str | None = None
    """The task of that run that began it."""
    damage: str | None = None
    """Why its row in the journal cannot be read, in a list of runs; what is known all the same stands in the others."""

    def has_inputs_of(self, other: "RunRecord", names: Iterable[str]) -> bool:
        """Does it have the same inputs as another run, as far as these names go?"""
        return all(self.inputs.get(name) == other.inputs.get(name) for name in names)


class StepKind(StrEnum):
    """What a step is."""

    TASK = "task"  #: an agent does a task
    INTEGRATION = "integration"  #: a coordinator integrates what its members delivered
    PLANNING = "planning"  #: a coordinator finds out what there is to do, and whether (X12)
    CHECK = "check"  #: somebody who did not do the work finds out whether it passes (X12)

    @property
    def noun(self) -> str:
        """Return what one of them is called where they are counted: tasks by who does them."""
        return _NOUNS.get(self, self.value)


_NOUNS = {StepKind.TASK: "agent", StepKind.PLANNING: "planning step"}


class StepRecord(Value):
    """A finished step in the journal: the handoff, and when it was worked on."""

    run_id: str
    """The run."""
    key: str
    """Identity of the step: sha256 of job, contracts, phase, agent and inputs (F8)."""
    phase: str
    """The phase."""
    node: str
    """The agent or coordinator."""
    kind: StepKind
    """Task, integration or planning."""
    started: datetime
    """When the first attempt began, in UTC."""
    finished: datetime
    """When it ended, in UTC."""
    handoff: Handoff
    """What was handed on."""
    code: str = ""
    """Version of the code that did it; empty when it is not known (F8)."""
    model: str | None = None
    """Name of the model that did it; None for functions and commands, and when it is not known."""
    round: int = Field(default=1, ge=1)
    """Which round of work that is repeated until a check passes; 1 for what is done once (X12)."""
    interim: bool = False
    """Is it a round that is still to be checked? What counts is the record that ends all rounds."""
    replica: int = Field(default=0, ge=0)
    """Which replica of its task it is, from 1; what counts is the record that ends all of them. 0: it is none (F9)."""
    basis: str = ""
    """Identity of everything that it was made from, its code included, so that a later run can keep it where nothing
    of that has changed; empty when it is not known, or not wanted."""
    told: ToldVersions | None = None
    """Versions of what was told to who did a task; None for other steps, and in logs of before (X4)."""
    worker: str = ""
    """Kind of agent that did it: function, command, model, job; empty in logs of before."""

    @property
    def can_be_kept(self) -> bool:
        """May a later run keep it instead of doing it again? What is uncertain in any way is done again."""
        handoff = self.handoff
        plain = handoff.done and handoff.fallback is None and not handoff.falls_short and not handoff.repairs
        return bool(self.basis) and plain and not handoff.kept_from and not self.interim and not self.replica


class MissingGroup(Value):
    """What is missing for one cause, so that it is said once (F6)."""

    cause: str
    """Why: the words of the incident that it belongs to, or of the first of them."""
    varies: bool = False
    """Is `cause` what is said of the first of them, and of the others with other names and figures?"""
    kind: StepKind
    """Are they tasks, integrations, checks, or planning?"""
    tasks: tuple[str, ...]
    """All of them, in the order they were lost."""
    instead: str = ""
    """What stands in for each of them; empty when nothing does, or for each something else."""
    traced: str = ""
    """The first of them of which a log or a conversation is on record; empty when nothing is (V2)."""

    @property
    def why(self) -> str:
        """Return the cause in one line; what differs from task to task is said to be an example."""
        cause = truncate(one_line(self.cause), CAUSE_CHARACTERS)
        others = " (the first; others differ)" if self.varies else ""
        return cause + others

    @property
    def said(self) -> str:
        """Say it in one line, with the names of the first."""
        cause = self.why
        instead = f" (instead: {one_line(self.instead)})" if self.instead else ""
        if len(self.tasks) <= FIRST_NAMED:
            return f"{', '.join(self.tasks)}: {cause}{instead}"
        many = count(len(self.tasks), self.kind.noun)
        return f"{many}: {cause}{instead}; first: {', '.join(self.tasks[:FIRST_NAMED])}"


#: How much of a cause is said in one line, in characters; and how many of those that it hit are named there.
CAUSE_CHARACTERS, FIRST_NAMED = 400, 3


class RunView(JudgedWork):
    """Everything known about a run: what commands, reports and pages are made from."""

    record: RunRecord
    """The run itself, with its plan."""
    steps: tuple[StepRecord, ...]
    """All finished steps, in the order they ended."""
    launched: int
    """Steps that the run had to do: every task of its plan that was asked for, and the integrations that were begun."""
    returned: int
    """Those that delivered their own work, whole; launched = returned + the number of missing ones."""
    missing: tuple[Missing, ...]
    """What was not delivered, and why."""
    missing_by_cause: tuple[MissingGroup, ...] = ()
    """The same by cause, the one that hit most first (F6)."""
    items: dict[str, Changes] = Field(default_factory=dict[str, Changes])
    """Of each phase that keeps work of earlier runs, what became of its items."""
    concerns: tuple[ConcernRecord, ...]
    """Everything raised."""
    proposals: tuple[ProposalRecord, ...] = ()
    """Tasks that agents proposed, each with what became of it (D10)."""
    gates: tuple[GateRecord, ...] = ()
    """Steps that waited for a person, or do, with what was asked and answered (O5)."""
    notifications: tuple[NotificationRecord, ...] = ()
    """Who was to be told of gates and urgent concerns, with what came of that (O8)."""
    confidences: dict[str, float] = Field(default_factory=dict[str, float])
    """How sure agents said they are while they worked, by task; the last word of each (X15)."""
    blocked: dict[str, str] = Field(default_factory=dict[str, str])
    """What agents said they wait for, by task (X15)."""
    exceptions: tuple[ExceptionReport, ...]
    """Everything pushed."""
    exceptions_by_cause: tuple[tuple[ExceptionReport, ...], ...] = ()
    """The same, with reports together that say the same of different places."""
    visibility: Visibility = Visibility()
    """What each level sees: its parts, what was pushed to it, and how old that is (V3, V7, V10)."""
    incidents: tuple[Incident, ...] = ()
    """Failures that share a cause (F6)."""
    breakers: tuple[BreakerStory, ...] = ()
    """Breakers that it used (F1)."""
    plan_changes: tuple[PlanChange, ...] = ()
    """Changes of the structure that were proposed or made (R10)."""
    measures: Measures
    """What was measured."""
    account: CostAccount = CostAccount()
    """Where every second, every token and all money went (M1)."""
    graded: tuple[GradedMeasure, ...] = ()
    """How the measures stand: target, warning or critical (M)."""
    single: bool = False
    """Was it run with one agent at a time, to be what others are compared with (M10)?"""
    phases: tuple[PhaseView, ...] = ()
    """Where each phase of its plan stands."""
    extensions: tuple[PlanExtension, ...] = ()
    """Phases that were planned on the way, in that order (X12)."""
    waits: tuple[WaitView, ...] = ()
    """How long steps waited for slots, by limiter."""
    at_work: tuple[str, ...] = ()
    """Tasks that somebody works on, the longest first."""
    conversations: tuple[Conversation, ...] = ()
    """What models were asked and answered, in the order they ended."""
    log_lines: dict[str, int] = Field(default_factory=dict[str, int])
    """Lines that each task logged; of those that logged anything."""
    retries: tuple[TaskRetry, ...] = ()
    """What was to be done again, whatever had come of it (F8)."""
    skipped: dict[str, str] = Field(default_factory=dict[str, str])
    """Phases that were not wanted, each with the reason (X12)."""
    repeated: tuple[RepeatedWork, ...] = ()
    """Work that is repeated until a check passes, and how that ended (X12)."""
    rest: Rest | None = None
    """What a sample leaves to be done, and what that is expected to take; None where everything was asked for."""
    waiting: Waiting | None = None
    """What it waits for; None when it does not wait."""
    retrospective: Retrospective | None = None
    """What it teaches: forecast against measured, what failed, what to change (X10); None until it has an output."""
    output: object = None
    """Output of the phase at the end, by phase where there are several, as JSON; None when there is none."""
    stand_ins: dict[str, str] = Field(default_factory=dict[str, str])
    """What stands in for the work itself, or for all of it, in outputs that are there (F2, F4); by task."""
    unverified: dict[str, str] = Field(default_factory=dict[str, str])
    """Outputs that are there and that nobody knows to be what was asked for, with the reason (D11); by task."""
    unchecked: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    """What is stated of success in words, and was checked by nobody (D11); by phase."""
    lost_outputs: tuple[str, ...] = ()
    """Why `output` is not whole: outputs that are on record and cannot be read any more."""
    previous: object = None
    """Output of the last completed run of this job on the same inputs, as JSON; None when there is none."""


class RunResult(JudgedWork):
    """What a run returns to its caller; the JSON document of `echelon run`."""

    run_id: str
    """Unique."""
    status: RunStatus
    """How it ended."""
    output: object
    """Output of the phase at the end, by phase where there are several, as JSON."""
    stand_ins: dict[str, str] = Field(default_factory=dict[str, str])
    """What stands in for the work itself, or for all of it, in outputs that are there (F2, F4); by task."""
    unverified: dict[str, str] = Field(default_factory=dict[str, str])
    """Outputs that are there and that nobody knows to be what was asked for, with the reason (D11); by task."""
    unchecked: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    """What is stated of success in words, and was checked by nobody (D11); by phase."""
    launched: int
    """Steps that the run had to do: every task of its plan that was asked for, and the integrations that were begun."""
    returned: int
    """Those that delivered their own work, whole; launched = returned + the number of missing ones."""
    missing: tuple[Missing, ...]
    """What was not delivered, and why (F7)."""
    missing_by_cause: tuple[MissingGroup, ...] = ()
    """The same by cause, the one that hit most first (F6)."""
    items: dict[str, Changes] = Field(default_factory=dict[str, Changes])
    """Of each phase that keeps work of earlier runs, what became of its items."""
    concerns: tuple[ConcernRecord, ...]
    """Everything raised (O1)."""
    proposals: tuple[ProposalRecord, ...] = ()
    """Tasks that agents proposed, each with what became of it (D10)."""
    gates: tuple[GateRecord, ...] = ()
    """Steps that waited for a person, or do, with what was asked and answered (O5)."""
    measures: Measures
    """What was measured (M)."""
    exceptions: tuple[ExceptionReport, ...]
    """Everything pushed (V1)."""
    visibility: Visibility = Visibility()
    """What each level sees: its parts, what was pushed to it, and how old that is (V3, V7, V10)."""
    rest: Rest | None = None
    """What a sample leaves to be done, and what that is expected to take; None where everything was asked for."""
    waiting: Waiting | None = None
    """What it waits for; None when it does not wait."""
    plan_changes: tuple[PlanChange, ...] = ()
    """Changes of the structure that were proposed or made (R10)."""
    skipped: dict[str, str] = Field(default_factory=dict[str, str])
    """Phases that were not wanted, each with the reason (X12)."""
    repeated: tuple[RepeatedWork, ...] = ()
    """Work that is repeated until a check passes, and how that ended (X12)."""
    retrospective: Retrospective | None = None
    """What it teaches: forecast against measured, what failed, what to change (X10); None until it has an output."""
    report: str | None
    """Folder of the report."""
