"""What one task receives of earlier work: of the phases that its own needs, or of the tasks that it uses (C6, V4).

Tasks of a graph depend on tasks: what they receive, and with it who they are (F8), does not change with the phases that
a plan puts them into.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from echelon.agents.handoffs import Handoffs
from echelon.coordination.briefs import missing_lines
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput, output_of, together
from echelon.coordination.placement import StageOrder
from echelon.journal.digest import digest_of
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff, UsedDependency
from echelon.planning.schedule.order import producers_of

#: References that an assignment names at most.
MAX_REFERENCES = 50


@dataclass(frozen=True)
class Inbox:
    """What a task, or all tasks of a phase, receive."""

    run: RunContext
    outputs: Mapping[str, PhaseOutput]
    """By the phase that handed it on, or by the agent that made it earlier in the same phase."""
    missing: tuple[str, ...]
    """What could not be delivered, for people and models."""
    digest: str
    """Identity of all of it."""
    used: tuple[UsedDependency, ...] = ()
    """The tasks whose outputs these are, where a task depends on tasks (C1)."""

    @cached_property
    def upstream(self) -> dict[str, Handoffs[object]]:
        """Handoffs received."""
        return {name: self.run.receive(name, output) for name, output in self.outputs.items()}

    @cached_property
    def references(self) -> tuple[str, ...]:
        """Where their outputs lie."""
        return tuple(
            received.handoff.output_location.location
            for handoffs in self.upstream.values()
            for received in handoffs
            if received.handoff.output_location
        )[:MAX_REFERENCES]


def inbox_of_phase(run: RunContext, order: StageOrder) -> Inbox:
    """Return what every task of a phase receives: all that the phases it needs handed on."""
    digest = digest_of([(name, output.identity) for name, output in order.upstream.items()])
    return Inbox(run, order.upstream, order.missing, digest)


class TaskInboxes:
    """What each task of a phase receives: what the tasks delivered that it depends on, one by one."""

    def __init__(self, run: RunContext, order: StageOrder) -> None:
        self._run = run
        #: By task, found once: a wide phase has as many producers as consumers.
        self._received = {
            task_id: (name, part) for name, output in order.upstream.items() for task_id, part in _by_task(output)
        }

    def of(self, task: TaskSpec, agent: str, ended: Sequence[Handoff]) -> Inbox:
        """Return what a task receives; `ended` are the tasks that its agent did before it in the same phase."""
        own = {handoff.task_id: (agent, output_of([handoff])) for handoff in ended}
        parts: dict[str, list[PhaseOutput]] = {}
        for used in self._wanted(task, own):
            found = own.get(used) or self._received.get(used)
            if found is not None:
                parts.setdefault(found[0], []).append(found[1])
        outputs = {name: together(several) for name, several in parts.items()}
        everything = together(outputs.values())
        versions = sorted(everything.versions)
        return Inbox(
            self._run,
            outputs,
            missing_lines(everything.lacks),
            digest_of((versions, everything.ruled) if everything.ruled else versions),
            tuple(UsedDependency(task_id=used, version=version) for used, version in versions),
        )

    def _wanted(self, task: TaskSpec, own: Collection[str]) -> Iterable[str]:
        """Return the tasks that one uses, and of those by the same agent what they used of it, however far back."""
        tasks = self._run.spec.tasks
        wanted = dict.fromkeys(producers_of(task))
        left = [used for used in wanted if used in own]
        while left:
            found = [used for used in producers_of(tasks[left.pop()]) if used in own and used not in wanted]
            wanted |= dict.fromkeys(found)
            left += found
        return wanted


def _by_task(output: PhaseOutput) -> Iterator[tuple[str, PhaseOutput]]:
    """Yield what each task of a phase handed on, or why it did not."""
    short = {one.task_id: one for one in output.replaced}
    for handoff in output.handoffs:
        replaced = (short[handoff.task_id],) if handoff.task_id in short else ()
        yield handoff.task_id, PhaseOutput(handoffs=(handoff,), replaced=replaced)
    for one in output.missing:
        yield one.task_id, PhaseOutput(missing=(one,))
