"""`Job`: what people write, plan, run and deploy. The door from a definition to the engine."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from echelon import engine
from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.outcome import Outcome
from echelon.coordination.step.retries import RetryRequest
from echelon.definition.definition import JobDefinition
from echelon.definition.graphs.runnable_graph import graph_plan
from echelon.definition.inputs import read_inputs
from echelon.definition.item_range import forecast_range
from echelon.definition.limits import limits_of
from echelon.definition.nested import ITS_AGENTS_ARE_GUARDED, JobAgent, output_of_job
from echelon.definition.planned import foreseen
from echelon.model.errors import InvalidInput
from echelon.model.graph import CapacityLimit, TaskGraph
from echelon.model.learning.learnt import Learnt
from echelon.model.oversight.gate import Verdict
from echelon.model.plan import Plan
from echelon.model.policy import Resilience
from echelon.model.rolling.item_forecast import ForecastRange
from echelon.model.run import RunResult
from echelon.oversight.gates.answers import AnswerWish, check_reason, read_verdict
from echelon.planning.learning.forecast import with_learnt
from echelon.planning.regime import Priority
from echelon.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow

    from echelon.engine.run import RunOptions
    from echelon.engine.streaming import RunStream
    from echelon.model.oversight.gate import GateRecord
    from echelon.oversight.gates.answering import Answered


class Job(JobDefinition):
    """A job: phases of agents with typed handoffs.

    audit = Job("audit", goal="Find what is risky in this codebase and rank it", inputs=AuditInputs)
    audit.phase("inspect", each=inspect, over=discover, domain=lambda m: m.package, integrate=merge)
    audit.phase("report", agent=write_report, needs="inspect")

    audit.plan(path="src")            # pure: nothing runs
    await audit.run(path="src")       # runs on Prefect
    audit.flow.serve(cron="0 3 * * *")
    """

    def plan(self, *, priority: Priority | None = None, max_concurrency: int | None = None, **inputs: object) -> Plan:
        """Decide how the job would be organised for these inputs; nothing is run."""
        return self.plan_for(read_inputs(self.inputs_type, inputs), priority, max_concurrency)

    def plan_for(
        self,
        inputs: BaseModel,
        priority: Priority | None = None,
        max_concurrency: int | None = None,
        learnt: Learnt | None = None,
    ) -> Plan:
        """Decide how the job would be organised for validated inputs; `learnt` is what earlier runs of it teach."""
        return self.decided(inputs, priority, max_concurrency, learnt)[1]

    def range_for(
        self, inputs: BaseModel, priority: Priority | None = None, max_concurrency: int | None = None
    ) -> ForecastRange | None:
        """Return the forecast with the fewest and the most items that `items=` states; None where nothing does."""
        return forecast_range(self, inputs, priority=priority, limits=self._limits(max_concurrency))

    def decided(
        self,
        inputs: BaseModel,
        priority: Priority | None = None,
        max_concurrency: int | None = None,
        learnt: Learnt | None = None,
    ) -> tuple[TaskGraph, Plan]:
        """Return the tasks of the job for validated inputs, and the plan that is made for them."""
        limits = self._limits(max_concurrency)
        if self.graph is not None:
            return self.graph, with_learnt(graph_plan(self, priority, limits), learnt)
        made = foreseen(self, inputs, priority=priority, limits=limits, learnt=learnt)
        return made.expansion.graph, made.plan

    def _limits(self, max_concurrency: int | None) -> tuple[CapacityLimit, ...]:
        """Return what bounds its agents here: what is stated for this once, in the settings, or by the job (F5)."""
        return limits_of(self, Settings().max_concurrency if max_concurrency is None else max_concurrency)

    async def run(self, **inputs: object) -> RunResult:
        """Run the job to its end. What failed is in the result: `status`, `missing`, `concerns`, `exceptions`.

        Raises `RunSkipped` where an earlier run waits for a person, and the job says `when_waiting="skip"`.
        """
        return await engine.run.run_job(self, read_inputs(self.inputs_type, inputs), self._options)

    def run_sync(self, **inputs: object) -> RunResult:
        """Do the same and wait for it, where nothing is `async`: in a script, or in a Prefect flow that is not.

        Raises `InvalidInput` where an event loop is running, which would stand still meanwhile.
        """
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            raise InvalidInput(
                f"job {self.name!r}: run_sync() was called where an event loop is running, which would stand still "
                "until the run has ended; write `await job.run(…)` there"
            )
        return asyncio.run(self.run(**inputs))

    async def run_fresh(self, **inputs: object) -> RunResult:
        """Run the job and do everything, also what phases with `reuse` would keep of earlier runs."""
        options = replace(self._options, fresh=True)
        return await engine.run.run_job(self, read_inputs(self.inputs_type, inputs), options)

    async def sample(self, items: int, /, **inputs: object) -> RunResult:
        """Run so many tasks of each phase that has more, and nothing that cannot be undone; then the run waits.

        `rest` of the result is what the rest is expected to take; `await job.resume(result.run_id)` does it (V6).
        """
        options = replace(self._options, sample=items)
        return await engine.run.run_job(self, read_inputs(self.inputs_type, inputs), options)

    def stream(self, **inputs: object) -> "RunStream":
        """Return a run that is about to begin: `async for` gives its events, `run_id` says which one it is.

        async with audit.stream(path="src") as run:
            async for event in run:
                print(run.run_id, event.kind)
            result = await run.result()

        Whoever leaves the block, or a loop without a block, before the end stops the run; completed work is kept.
        """
        return engine.streaming.stream_job(self, read_inputs(self.inputs_type, inputs), self._options)

    async def resume(self, run_id: str, **secrets: object) -> RunResult:
        """Go on with a run of this job, by its id or the beginning of it: what is completed is not done again (F8).

        Its inputs are on record; `secrets` are those that are not. Raises `RunHeld` while another process is at it.
        """
        record, inputs = await engine.recording.read_run(Settings(), self, run_id, secrets)
        options = replace(self._options, run_id=record.run_id, source=record.source)
        return await engine.run.run_job(self, inputs, options)

    async def answer(
        self,
        gate_id: str,
        verdict: Verdict,
        *,
        by: str,
        reason: str,
        partial: bool = False,
        output: object = None,
    ) -> "Answered":
        """Answer a gate of a run, as `result.gates` has them; `await job.resume(result.run_id)` goes on then (O8).

        `counts` of what is returned says whether it decides; an answer that does not is on record too, with the reason.
        Raises `InvalidInput` for another verdict, an unknown gate, or a reason that says nothing.
        """
        check_reason(reason)
        wish = AnswerWish(
            verdict=read_verdict(verdict), author=by, reason=reason, partial=partial, output=output, channel="python"
        )
        return await engine.awaiting.answer_from_program(self, gate_id, wish)

    async def extend(self, gate_id: str, *, hours: float, by: str, reason: str = "") -> "GateRecord":
        """Give a gate that ends at a time more of it, from then or from now, whichever is later; anybody may (O5).

        Raises `InvalidInput` for a gate that is not asked any more, or has no end.
        """
        return await engine.awaiting.extend_from_program(gate_id, hours, by, reason)

    def as_agent(self, *, name: str | None = None, resilience: Resilience | None = None) -> Agent:
        """Return the job as an agent of another one; where nothing is to be said about it, the job itself will do.

        Its run is a task there. `resilience` guards the run as a whole, beside what guards its agents: without it there
        is no time limit and one attempt.
        """
        guarded = resilience.over(ITS_AGENTS_ARE_GUARDED) if resilience else ITS_AGENTS_ARE_GUARDED
        return JobAgent(
            job=self,
            name=name or self.name,
            goal=self.goal,
            output_type=output_of_job(self),
            run=_run_as_task,
            resilience=guarded,
        )

    @property
    def _options(self) -> "RunOptions":
        return engine.run.RunOptions(source=self.location)

    async def retry(
        self,
        run_id: str,
        *tasks: str,
        redo: Sequence[str] = (),
        by: str = "",
        secrets: Mapping[str, object] | None = None,
    ) -> RunResult:
        """Do tasks of a run again, whatever came of them, with everything that used what has changed by that.

        Tasks may be patterns, as in `"inspect/*"`. `redo` names those of them that cannot be undone and may happen
        twice; `by` says who asks for it; `secrets` are inputs that are not on record.
        """
        request = RetryRequest(tasks=tasks, redo=tuple(redo), by=by)
        record, inputs = await engine.recording.read_run(Settings(), self, run_id, secrets or {})
        options = replace(self._options, run_id=record.run_id, source=record.source, retry=request)
        return await engine.run.run_job(self, inputs, options)

    @property
    def flow(self) -> "Flow[..., Any]":
        """The job as a Prefect flow: serve it, deploy it, or call it inside another flow."""
        self.check_complete()
        self.source = self.source or self.location
        made = engine.flows.flow_of(self)
        # How a worker finds the flow again; Prefect would look for a function of that name in a file.
        made._entrypoint = self._entrypoint()  # noqa: SLF001
        return made

    @property
    def entrypoint(self) -> str:
        """How a process that has the project on its import path finds the flow: `module:variable.flow`.

        Raises `InvalidInput` for a job that no other process could run: one that was made from a task graph, or is
        defined in the script that is running.
        """
        if self.graph is not None:
            raise InvalidInput(f"{self.source or self.name} is a task graph: it has no flow; write a job in Python")
        if self.module == "__main__":
            raise InvalidInput(
                f"job {self.name!r} is defined in the script that is running, where no other process can import it; "
                "move it to a module of its own and import it from there"
            )
        return self._entrypoint()

    def _entrypoint(self) -> str:
        return f"{self.module}:{self.variable or self.name}.flow"


async def _run_as_task(agent: JobAgent, inputs: BaseModel, call: Call) -> Outcome[object]:
    return await engine.nested_run.run_as_task(agent, inputs, call)  # the engine is imported when it is needed
