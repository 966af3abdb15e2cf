"""Turn a plan into one that can be rehearsed: agents as they will work, at another speed, with its own forecast."""

from collections.abc import Mapping, Sequence

from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan
from echelon.planning.decomposition import merged
from echelon.planning.features import stages_of
from echelon.planning.schedule.makespan import Schedule, durations, makespan

#: How long a task takes in a rehearsal when no task states a duration, in seconds.
UNTIMED_SECONDS = 1.0


def rehearsed(plan: Plan, scale: float) -> Plan:
    """Return `plan` with the work of each agent as one task, its seconds times `scale`, and what that should take.

    What agents state stays as it is but for the seconds: one that states none takes as long as the rest on average. The
    minutes of providers pass at the same speed.
    """
    agents = _work(plan)
    seconds = durations(agents) or {agent.id: UNTIMED_SECONDS for agent in agents}
    timed = tuple(agent.model_copy(update={"seconds": seconds[agent.id] * scale}) for agent in agents)
    tree = tuple(_alone(node) for node in plan.tree)
    phases = tuple(_of_agents(phase, plan.agent_of) for phase in stages_of(plan.phases))
    priors = plan.priors.model_copy(update={"integration_seconds": plan.priors.integration_seconds * scale})
    limits = tuple(_faster(limit, scale) for limit in plan.limits)
    schedule = Schedule(agents=timed, phases=phases, tree=tree, priors=priors, limits=limits)
    # Simulated agents are integrated, whatever the real ones are.
    made = {"tasks": timed, "tree": tree, "phases": phases, "priors": priors, "delivers": ()}
    return plan.model_copy(update=made | {"limits": limits, "makespan": makespan(schedule)})


def _faster(limit: CapacityLimit, scale: float) -> CapacityLimit:
    """Return a limit whose minutes last `scale` times as long; when they take no time, its rates bound nothing."""
    rates = {"requests_per_minute": limit.requests_per_minute, "tokens_per_minute": limit.tokens_per_minute}
    return limit.model_copy(update={name: rate / scale if rate and scale else None for name, rate in rates.items()})


def _work(plan: Plan) -> Sequence[TaskSpec]:
    tasks = {task.id: task for task in plan.tasks}
    agents = [node for node in plan.tree if node.kind is NodeKind.AGENT]
    seconds, assumed = durations(plan.tasks), plan.priors.task_tokens
    return [merged(node.id, [tasks[task] for task in node.members], plan.agent_of, seconds, assumed) for node in agents]


def _alone(node: Node) -> Node:
    return node.model_copy(update={"members": (node.id,)}) if node.kind is NodeKind.AGENT else node


def _of_agents(phase: PhasePlan, agent_of: Mapping[str, str]) -> PhasePlan:
    agents = tuple(dict.fromkeys(agent_of[task] for task in phase.tasks))
    hubs = tuple(dict.fromkeys(agent_of[task] for task in phase.sync.hubs))
    return phase.model_copy(update={"tasks": agents, "sync": phase.sync.model_copy(update={"hubs": hubs})})
