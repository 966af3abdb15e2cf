"""A job, checked as it is built: what contradicts itself is refused before anything runs."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from echelon.agents.agent import AgentLike
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check
from echelon.agents.decorators import PhaseIntegrator
from echelon.agents.fallback import Fallbacks
from echelon.agents.prices import published_prices
from echelon.definition.budgets import told_budgets
from echelon.definition.channels import channels_stated
from echelon.definition.conflicts.settle import Settle
from echelon.definition.conflicts.settling import check_settles_for_others, settler_of
from echelon.definition.declaration import PhaseDeclaration, stated_gate, unsettled
from echelon.definition.fitting import agents_of
from echelon.definition.graphs.graph_agents import GraphAgents, graph_agents, with_facts
from echelon.definition.graphs.graph_job import job_name
from echelon.definition.need import Needs, needs_of
from echelon.definition.nested import check_nesting
from echelon.definition.oversight.oversight import Oversight, oversight_stated
from echelon.definition.oversight.peers import check_autonomy
from echelon.definition.phase import PhaseDefinition
from echelon.definition.redundancy.redundancy import AgreeOn, Replicas
from echelon.definition.redundancy.wish import RedundancyWish
from echelon.definition.reuse.unchanged import ReuseLike
from echelon.definition.rolling.condition import Condition
from echelon.definition.rolling.discovery import Over
from echelon.definition.rolling.loop import Loop, check_closed, loop_of
from echelon.definition.rolling.repeat import Repeat
from echelon.definition.stated import Adapt, Merge, WhenWaiting, check_series, check_stated
from echelon.definition.success.constraints import Constraint, constraints_of
from echelon.definition.success.criteria import Verifiers
from echelon.definition.success.success import StatedSuccess
from echelon.definition.sync.sync import StatedSync, SyncLike, inherited_sync
from echelon.definition.touched import Touches
from echelon.model.diagnosis.adjustment import Adjustment
from echelon.model.errors import InvalidJob
from echelon.model.graph import ErrorConsequence, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.terms import GateLike
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.priors import Priors
from echelon.model.run import RunView
from echelon.model.usage import Budget, Price

#: Makes the files of a report: file name → content.
Render = Callable[[RunView], Mapping[str, str | bytes]]


class NoInputs(BaseModel):
    """The inputs of a job that takes none."""

    model_config = ConfigDict(extra="forbid")


class JobDefinition:
    """What must be done, by which agents, with which typed handoffs.

    `name` identifies the job in journals and flows; `goal` is what every assignment is told (D8); `inputs` is a
    pydantic model; `constraints` bound every task, in words and as checks of what each phase hands on (D9); `defaults`
    guard every call; `report` makes the report. `budget` is what a run may use, or several, `[Budget(seconds=900),
    Budget(cost=5, per="day")]`: those with `per` are for all runs of the job together (F4, F10).
    `organisation` is what people want whatever the rules say, which the linter comments on; `priors` replaces
    assumptions, and `prices` what is published about a model. `max_concurrency` bounds how many of its agents are at
    work at one time, whatever they are; without it each kind has a bound of its own (F5).
    `transcripts` says whether it is kept what models are asked and answered. With `merge="auto"` one agent goes through
    phases over the same items with its item, end to end, where that saves handoffs and nothing speaks against it (D1).
    `series` names the inputs that make runs a series: an agent is given what the newest run before it with the same of
    these delivered, as `Previous[...]`, whatever the others were; None: all inputs must be the same.
    `adapt` says what happens when a run measures that its structure is outgrown: nothing (`off`), a change is proposed
    (`propose`), or phases that have not begun go by it (`apply`, R10).
    `notify` says how people are told of its gates and of urgent concerns, as in `[Notify.command([…])]`; None: as
    `ECHELON_NOTIFY` says, and an empty list: not at all (O8).
    `when_waiting` says what happens when a run begins while an earlier one, on the same inputs or in the same series,
    waits for a person: both are kept (`keep`), the new one takes its place (`supersede`), or none begins (`skip`, O8).
    `oversight` says how the job judges its own work: who verifies what everything rests on, how integrations are
    audited, how far results proceed by the record of their agents, and what settles conflicts (O3, O4, X6, X9).
    `sync` says when phases synchronise that do not say so themselves (X3).
    """

    def __init__(
        self,
        name: str,
        *,
        goal: str,
        inputs: type[BaseModel] = NoInputs,
        budget: Budget | Sequence[Budget] | None = None,
        defaults: Resilience | None = None,
        constraints: Sequence[Constraint] = (),
        report: Render | None = None,
        span: int = 8,
        organisation: Organisation | None = None,
        priors: Priors | None = None,
        prices: Mapping[str, Price] | None = None,
        transcripts: bool = True,
        max_concurrency: int | None = None,
        merge: Merge = "never",
        adapt: Adapt = "propose",
        series: Sequence[str] | None = None,
        notify: Sequence[NotifyChannel] | None = None,
        when_waiting: WhenWaiting = "keep",
        oversight: Oversight | None = None,
        sync: SyncLike = "phase",
    ) -> None:
        check_stated(name, max_concurrency, merge, adapt, when_waiting)
        check_series(name, series, inputs)
        self.name = name
        self.goal = goal
        self.inputs_type = inputs
        #: What one run may use, and what all of them together may use in a day or a month (F4, F10).
        self.budget, self.standing = told_budgets(name, budget)
        self.defaults = (defaults or Resilience()).over(DEFAULT_RESILIENCE)
        self.constraints, self.constraint_checks = constraints_of(name, constraints, inputs)
        self.render = report
        self.span = span
        self.organisation = organisation or Organisation()
        self.priors = priors or Priors()
        self.prices = dict(prices or {})
        self.transcripts = transcripts
        self.max_concurrency = max_concurrency
        self.merge: Merge = merge
        self.adapt: Adapt = adapt
        self.when_waiting: WhenWaiting = when_waiting
        #: How it judges its own work.
        self.oversight = oversight_stated(name, oversight)
        settle = self.oversight.settle
        #: Settles conflicts in phases that state nothing else (X9).
        self.settler = None if settle is None else settler_of(f"oversight of job {name!r}", settle, (), inputs)
        self.sync: SyncLike = sync
        self.series = None if series is None else tuple(series)
        #: How people are told of its gates and urgent concerns; None: as the settings say (O8).
        self.notify = channels_stated(name, notify)
        # Who defines the job is in the frame above.
        self.module: str = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public name
        self.source = ""
        self.phases: dict[str, PhaseDefinition] = {}
        #: Phases that are repeated together.
        self.loops: list[Loop] = []
        self._looped: dict[str, Repeat] = {}
        self._open_loops: list[tuple[str, ...]] = []
        #: Phases that need one which is not there yet.
        self._waiting: dict[str, PhaseDeclaration] = {}
        #: The task graph that the job was made from; None for one with phases of its own.
        self.graph: TaskGraph | None = None
        #: Who does the tasks of that graph, and which of them were given beside the file, as sources.
        self.graph_agents: GraphAgents | None = None
        self.agent_sources: dict[str, str] = {}
        #: What a diagnosis of an earlier run changed of it; it is organised otherwise than its code says then (G).
        self.adjustments: tuple[Adjustment, ...] = ()
        #: Is it an agent of another job?
        self.is_inner = False

    @classmethod
    def from_graph(
        cls,
        graph: TaskGraph,
        *,
        agents: Mapping[str, AgentLike] | None = None,
        checks: Mapping[str, Check] | None = None,
        source: str = "",
    ) -> Self:
        """Make a job of a task graph: it can be planned and rehearsed, and run when it is known who does its tasks.

        `agents` are those by capability, `*` for all capabilities that are not named; each gets its task as a
        `TaskSpec`. `checks` are those that the success of its tasks names, by that name (D11). `source` is the file
        that the graph was read from.
        """
        job = cls(
            job_name(graph),
            goal=graph.goal,
            budget=[*filter(None, [graph.budget]), *graph.standing],
            constraints=graph.constraints,
        )
        shape = CallShape(inputs_type=NoInputs, takes_item=True, item_type=TaskSpec)
        job.graph_agents = graph_agents(graph, agents or {}, shape, checks or {})
        graph = with_facts(job.graph_agents, job.defaults)
        # What the file says about prices holds; the rest is looked up.
        prices = published_prices(task.model for task in graph.tasks) | graph.prices
        job.graph = graph.model_copy(update={"prices": prices})
        job.source = source
        return job

    def phase(
        self,
        name: str,
        *,
        agent: AgentLike | None = None,
        agents: Sequence[AgentLike] = (),
        each: AgentLike | None = None,
        over: Over | None = None,
        key: Callable[[Any], str] | None = None,
        domain: Callable[[Any], str] | None = None,
        items: tuple[int, int] | None = None,
        foresee: Callable[..., Iterable[object]] | None = None,
        needs: Needs = (),
        fallback: Fallbacks | None = None,
        when: Condition | None = None,
        repeat: Repeat | None = None,
        reuse: ReuseLike | None = None,
        replicas: Replicas = 1,
        agree: int = 1,
        agree_on: AgreeOn | None = None,
        standby: AgentLike | None = None,
        standby_after: float | None = None,
        success: StatedSuccess = (),
        verify: Verifiers | None = None,
        integrate: PhaseIntegrator | AgentLike | None = None,
        resilience: Resilience | None = None,
        seconds: float | None = None,
        tokens: int | None = None,
        error_consequence: ErrorConsequence = "minor",
        priority: int = 0,
        touches: Touches = (),
        capability: str | None = None,
        gate: GateLike | None = None,
        staged: bool = False,
        settle: Settle | None = None,
        flat: bool = False,
        sync: StatedSync | None = None,
        stop: Check | None = None,
    ) -> None:
        """Add a phase; in which order phases are added means nothing, `needs` says which comes behind which (X12).

        Give exactly one of `agent`, `agents`, or `each` with `over`: the function that finds the items, given the
        inputs of the job. When it asks for `Handoffs[...]` of the phases that are needed, it is asked when those are
        there, and the phase is planned then.
        An agent is a function under `@agent`, a `command`, a plain `pydantic_ai.Agent`, or a job.
        `key` names an item, `domain` says where it belongs. `items` are the fewest and the most that are expected: with
        fewer the phase fails, with more the run is refused. `foresee` lists, given the inputs, the items that it is
        expected to find on the way: plans show those, a run finds its own. `needs` names the phases whose handoffs its
        agents receive, with a coupling where that matters: `needs={"inspect": "tight"}`, or a `Need` (D3). `fallback`
        stands in for an agent that does not deliver and has none of its own (F2). `when` says whether the phase is
        wanted, asked when the phases that it needs are there; `repeat` does its work again until a check passes (X12).
        With `reuse="unchanged"`, or an `Unchanged`, it is not done again what an earlier run did of the same.
        `replicas` is how many do each task at the same time, or who they are, its own agent first: the first handoff
        wins, or so many must `agree`, in all of their output or in what `agree_on` returns of it. `standby` is an agent
        that takes over when the first one fails, or is at work for twice the expected `seconds`, or for `standby_after`
        seconds (F9).
        `success` states what must be true of each result: functions, commands and agents that say whether it passes,
        `Evidence` of the work behind it, and texts; what does not pass is done again with what is missing, within
        `attempts`, and then it has failed (D11); a mapping states it by domain, `*` for all results. Agents state their
        own. `verify` is somebody else who judges each result (O3).
        `integrate` makes one output of all: a function under `@integrator`, any agent, or an `integrator` of agents
        (D6). `seconds` and `tokens` are what one call is expected to take. `error_consequence` is how bad a
        wrong output is (R9).
        Where agents wait for slots, those of the higher `priority` come first (F5). `touches` names shared things that
        its tasks change, for all of them or as a function of the item: tasks that touch the same are never at work at
        one time (D4). `capability` is what its agents are able to do: where there are no domains, teams go by it (R1).
        `gate` lets each of its tasks wait until a person has said that it may begin: True, the reason, or a `Gate`;
        what cannot be undone always waits (O5). With `staged` what its agents would write, as their `preview=` says, is
        recorded and shown, and done by `echelon apply RUN`.
        `settle` decides which output counts where two say different things about one key of their contract (X9). With
        `flat` everybody who decides behind its sync point reads all open concerns, unfiltered (O6).
        `sync` lets it be done in waves: `"adaptive"`, a `Sync`, one for each domain, or `"domains"`, as their plans say
        (X3, X14). `stop` is asked between waves whether what is there is enough; the rest is not begun then.
        """
        self._check_name(name)
        who = agents_of(name, agent=agent, agents=agents, each=each)
        declared = PhaseDeclaration(
            name=name,
            who=who,
            over=over,
            takes_item=each is not None,
            single=agent is not None,
            key=key or default_key,
            domain=domain,
            items=items,
            foresee=foresee,
            needs=needs_of(needs),
            fallback=fallback,
            when=when,
            repeat=repeat,
            reuse=reuse,
            redundancy=RedundancyWish(
                replicas=replicas,
                agree=agree,
                agree_on=agree_on,
                standby=standby,
                standby_after=standby_after,
            ),
            success=success,
            verify=verify,
            integrate=integrate,
            resilience=resilience,
            seconds=seconds,
            tokens=tokens,
            error_consequence=error_consequence,
            priority=priority,
            touches=touches,
            capability=capability,
            gate=stated_gate(name, gate, who, staged=staged),
            settles=settle,
            flat=flat,
            sync=inherited_sync(self.sync, domain) if sync is None else sync,
            stop=stop,
        )
        declared.check()
        self._waiting[name] = declared
        self._settle()

    def loop(self, phases: Sequence[str], *, until: Check, rounds: int = 3, stall: int = 2) -> None:
        """Do phases again, all of them, until a check of what they hand on passes (X12).

        `until` gets their handoffs and says True or False, a text with what is missing, or a `Verdict`; agents of the
        next round are given that, and what they delivered before. Whoever needs one of the phases waits for the end of
        the loop. At most `rounds` are made, and none any more after `stall` in a row in which the check found nothing
        new.
        """
        names = tuple(phases)
        twice = sorted({name for name in names if names.count(name) > 1 or name in self._looped})
        if not names or twice:
            said = f"phase {twice[0]!r} is in a loop already" if twice else "a loop needs the names of its phases"
            raise InvalidJob(f"job {self.name!r}: {said}")
        self._looped.update(dict.fromkeys(names, Repeat(until=until, rounds=rounds, stall=stall)))
        self._open_loops.append(names)
        self._settle_loops()

    def check_complete(self) -> None:
        """Raise `InvalidJob` unless every phase that is needed is there, and none waits for itself."""
        if self._waiting:
            raise unsettled(self.name, self._waiting, tuple(self.phases))
        for names in self._open_loops:
            unknown = next(name for name in names if name not in self.phases)
            raise InvalidJob(f"job {self.name!r}: a loop goes over phase {unknown!r}, which is no phase of it")
        for one in self.loops:
            check_closed(one, self.phases)
        check_autonomy(self.oversight.autonomy, self.phases, self.inputs_type)

    def _settle_loops(self) -> None:
        ready = [names for names in self._open_loops if all(name in self.phases for name in names)]
        for names in ready:
            self._open_loops.remove(names)
            self.loops.append(loop_of(names, self._looped[names[0]], self.phases, self.inputs_type))

    def _settle(self) -> None:
        """Make every phase a part of the job that needs nothing but what is one: `phases` is in an order to run in."""
        while ready := [one for one in self._waiting.values() if all(need.phase in self.phases for need in one.needs)]:
            for declared in ready:
                del self._waiting[declared.name]
                settled = declared.settle(self.phases, self.inputs_type, self.oversight)
                check_nesting(self, settled)
                check_settles_for_others(f"phase {settled.name!r}", self.settler, settled.agents)
                self.phases[declared.name] = settled
        self._settle_loops()

    @property
    def location(self) -> str:
        """Where the job is written, as `<absolute file>:<variable>`, so that a run can be resumed from any folder.

        Empty for a job that cannot be found again: made in a function, or typed into an interpreter.
        """
        file = getattr(sys.modules.get(self.module), "__file__", None)
        return f"{Path(file).resolve()}:{self.variable}" if file and self.variable else ""

    @property
    def variable(self) -> str | None:
        """The name of the job in its module; None when it has none there."""
        variables = vars(sys.modules[self.module]) if self.module in sys.modules else {}
        return next((name for name, value in variables.items() if value is self), None)

    def _check_name(self, name: str) -> None:
        if not name.replace("-", "").replace("_", "").isalnum():
            raise InvalidJob(f"phase name {name!r} may only have letters, digits, '-' and '_'")
        if self.graph is not None:
            raise InvalidJob(
                f"job {self.name!r} is a task graph; phases cannot be added, write them as tasks of the graph"
            )
        if name in self.phases or name in self._waiting:
            raise InvalidJob(f"job {self.name!r} has two phases called {name!r}")


def default_key(item: object) -> str:
    """Name an item by its `id`, `key`, `name` or `path`; a plain value names itself."""
    for field in ("id", "key", "name", "path"):
        if hasattr(item, field):
            return str(getattr(item, field))
    return str(item)
