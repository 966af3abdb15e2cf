"""Plans and jobs with everything, or nothing, that conventions speak of."""

from echelon.conventions.facts import AGENTS, Facts, JobFacts, facts_of, facts_of_number
from echelon.model.autonomy.terms import AutonomyTerms
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.oversight.terms import Gate
from echelon.model.plan import Plan
from echelon.model.terms import OpenPhase
from echelon.model.usage import Budget
from echelon.planning.planner import plan
from tests.unit.planning.building import graph

#: A job that has switched on whatever can be.
EVERYTHING = JobFacts(
    agents=AGENTS,
    speaking=AGENTS,
    breakers=("provider",),
    flexible=True,
    fallbacks=True,
    kept=("phase-1",),
    adapt="propose",
    verifiers=("referee",),
    auditors=("auditor",),
    audited=True,
    autonomy=AutonomyTerms(escalate=0.5),
    peers=("peer",),
    flat=("phase-1",),
    early=("phase-1",),
)
#: One whose agents have no voice, and nothing else.
NOTHING = JobFacts(agents=AGENTS)


def rich(agents: int) -> Plan:
    """Plan for so many agents with everything a graph can have: contracts, shared things, checks, a budget."""
    tasks = [
        TaskSpec(
            id=f"task-{i:03}",
            goal="look",
            domain=f"part{i % 5}",
            depends_on=(Dependency(task="task-000", coupling=Coupling.TIGHT),) if i == 1 else (),
            touches=(f"file-{i // 2:03}",),
            irreversible=i == agents - 1,
            contract=f"Finding{i % 20}@1",
            verifies=("task-000",) if i == 2 else (),
        )
        for i in range(agents)
    ]
    budget = Budget(seconds=3600, tokens=2_000_000, calls=500)
    return plan(TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), budget=budget), agents_fixed=True)


def plain(agents: int) -> Plan:
    """Plan for so many agents that use nothing of each other."""
    return plan(graph([TaskSpec(id=f"t{i}", goal="look") for i in range(agents)]), agents_fixed=True)


def full(agents: int) -> Plan:
    """Plan for so many agents with all that a job in Python can add to it."""
    made = rich(agents)
    first, second, *rest = made.phases
    first = first.model_copy(
        update={
            "integration": "staged",
            "settle": "stricter",
            "replicas": 3,
            "agree": 2,
            "success": ("it is short",),
            "verify": ("reviewer",),
            "attempts": 3,
            "sync": first.sync.model_copy(update={"policy": "interval", "every": 4}),
        }
    )
    second = second.model_copy(
        update={"integration": "primary", "when": "risky", "until": "passes", "rounds": 3, "standby": "other"}
    )
    opened = (
        OpenPhase(phase="more", after=(first.name,), finder="proposals", agent="look", proposed=True),
        OpenPhase(phase="rest", after=(second.name,), finder="risky", agent="look"),
    )
    standing = (Budget(tokens=5_000_000, per="day"),)
    budget = Budget(tokens=2_000_000, final_call=0.1)
    gate = Gate(expires_seconds=3600, approvers=("mia",))
    tasks = (*made.tasks[:-1], made.tasks[-1].model_copy(update={"gate": gate}))
    changes = {"tasks": tasks, "phases": (first, second, *rest), "open": opened, "standing": standing, "budget": budget}
    return made.model_copy(update=changes | {"to_verify": {first.tasks[0]: "it is on the critical path"}})


def merged() -> Plan:
    """Plan in which agents go on with their item from one phase to the next."""
    made = rich(5)
    first, second, *rest = made.phases
    return made.model_copy(update={"phases": (first, second.model_copy(update={"continues": first.name}), *rest)})


#: What is known of runs of many kinds: of each row one switches it on, and another one off.
KNOWN: dict[str, Facts] = {
    "one agent": facts_of(plain(1), NOTHING),
    "four agents": facts_of(plain(4), NOTHING),
    "four agents with a voice": facts_of(plain(4), EVERYTHING),
    "everything": facts_of(full(16), EVERYTHING),
    "everything without voices": facts_of(full(16), EVERYTHING.model_copy(update={"speaking": frozenset()})),
    "merged phases": facts_of(merged()),
    "a structure that may change": facts_of(full(16), EVERYTHING.model_copy(update={"adapt": "apply"})),
    "nothing": facts_of(plan(graph([]))),
    "only their number": facts_of_number(12),
    "very many": facts_of_number(2_000),
}
