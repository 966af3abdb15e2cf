"""A plan as people read it: the structure and why, a tree that stays small, phases, forecast, findings."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from echelon.cli.views.domains import show_domains
from echelon.cli.views.output import facts, table
from echelon.contract.version import without_digest
from echelon.model.phrasing import count, duration, head, listed, percent, truncate
from echelon.model.plan import (
    FindingLevel,
    Makespan,
    Node,
    NodeKind,
    Plan,
    Share,
    Spending,
)
from echelon.model.rolling.item_forecast import ForecastEnd, ForecastRange
from echelon.model.terms import Level, Terms
from echelon.planning.dependency_prices import dearest_dependencies
from echelon.planning.outline import agents_below
from echelon.planning.schedule.critical import ON_CRITICAL_PATH
from echelon.planning.schedule.phase_graph import direct_needs, phases_awaited, side_by_side
from echelon.planning.spending import UNKNOWN_MODEL
from echelon.visibility.gates import gate_lines

#: Agents drawn one by one at most; above, coordinators are drawn with the number of agents below them.
AGENTS_DRAWN = 24
#: Members of one coordinator drawn at most.
MEMBERS_DRAWN = 12

#: Phases named in a line at most.
PHASES_NAMED = 3
THINGS_NAMED = 5

#: Phases listed at most.
PHASES_SHOWN = 30

#: Dependencies listed with their terms at most.
TERMS_SHOWN = 20
TERMS_TOLD = ("phase, agent", "needs", "makes", "an attempt", "attempts", "when it is missing", "stands in")

#: Characters of the place of a finding, which may name many.
WHERE_CHARACTERS = 40

FINDING_STYLES = {FindingLevel.ERROR: "bold red", FindingLevel.WARNING: "yellow", FindingLevel.INFO: "dim"}


def show_plan(console: Console, plan: Plan, expected: ForecastRange | None = None, windows: Sequence[str] = ()) -> None:
    """Print a plan; `expected` is its forecast with the fewest and the most items that are expected.

    `windows` say what is left of its standing budgets (F10).
    """
    console.print(Text.assemble((plan.job, "bold"), f": {plan.goal}"))
    console.print()
    facts(console, [*_facts(plan, expected), ("budgets", "\n".join(windows))])
    console.print()
    console.print(tree_of(plan))
    _show_phases(console, plan)
    show_domains(console, plan.domains)
    _show_terms(console, plan)
    _show_dependencies(console, plan)
    _show_reasons(console, plan)
    _show_findings(console, plan)


def _facts(plan: Plan, expected: ForecastRange | None) -> list[tuple[str, str]]:
    levels = count(plan.levels, "level")
    transition = plan.profile.next_transition
    return [
        (
            "structure",
            f"{plan.structure.value}: {count(plan.n_agents, 'agent')}, {levels} of coordination, span {plan.span}",
        ),
        ("forecast", "; ".join(filter(None, [_forecast(plan.makespan), _counted(plan)]))),
        ("learnt", plan.learnt.said if plan.learnt else ""),
        ("known later", _known_later(plan, expected)),
        ("concurrency", _concurrency(plan)),
        ("in turns", _in_turns(plan)),
        ("providers", "; ".join(f"{limit.name}: {limit.stated}" for limit in plan.limits if limit.provider)),
        ("spending", _spending(plan.spending)),
        ("at least", _end(expected.low) if expected else ""),
        ("at most", _end(expected.high) if expected else ""),
        ("coordination", f"usually {_share(plan.overhead.band)}, expected here {percent(plan.overhead.predicted)}"),
        ("handoffs", _handoffs(plan)),
        ("pairs talking", _pairs(plan)),
        ("sync", plan.profile.sync),
        ("to verify", _to_verify(plan)),
        ("infrastructure", _infrastructure(plan)),
        (
            "next change",
            f"at {transition.at} agents: {transition.change}, since {transition.why}" if transition else "",
        ),
    ]


def _counted(plan: Plan) -> str:
    """Say what a forecast counts of phases that may be skipped, or are repeated (X12)."""
    if plan.makespan.predicted is None:
        return ""
    repeated = any(phase.until or phase.verify for phase in plan.phases)
    wanted = any(phase.when for phase in plan.phases)
    parts = ["one round of what is repeated"] * repeated + ["every phase that may be skipped"] * wanted
    return f"counts {' and '.join(parts)}" if parts else ""


def _known_later(plan: Plan, expected: ForecastRange | None) -> str:
    """Say which phases the forecast does not have, since their items are found on the way (X12)."""
    ranged = expected.high.items if expected else {}
    shown = listed(plan.open, PHASES_NAMED, lambda one: f"{one.phase} ({one.known})")
    without = [one.phase for one in plan.open if one.phase not in ranged]
    covered = f"; at least and at most are without {listed(without, PHASES_NAMED)}" if expected and without else ""
    return f"structure and forecast are without {shown}{covered}" if shown else ""


def _end(end: ForecastEnd) -> str:
    """Return what a job would be with so many items."""
    items = listed(end.items.items(), PHASES_NAMED, lambda one: f"{count(one[1], 'item')} in {one[0]}")
    agents = f"{items}: {count(end.n_agents, 'agent')}"
    if end.structure is None or end.makespan is None or end.spending is None:
        return f"{agents}, which are too many for a forecast"
    return "; ".join(
        filter(None, [f"{agents}, {end.structure.value}", _forecast(end.makespan), _spending(end.spending)])
    )


def _concurrency(plan: Plan) -> str:
    """Return how many agents are at work at one time, of the kinds that the plan has (F5)."""
    limits = [limit for limit in plan.limits if limit.at_once and not (limit.provider or limit.thing)]
    shown = ", ".join(f"{limit.at_once:,} {limit.name}" for limit in limits if any(map(limit.bounds, plan.tasks)))
    return f"{shown} at a time" if shown else ""


def _in_turns(plan: Plan) -> str:
    """Return the shared things that several tasks change, one at a time (D4)."""
    return listed([limit.thing for limit in plan.limits if limit.thing], THINGS_NAMED)


def _forecast(made: Makespan) -> str:
    least = f"at least {duration(made.bound_seconds)}: {made.bound_by}" if made.bound_by else ""
    if made.predicted is None:
        return "; ".join(filter(None, ["unknown: no task states its seconds", least]))
    width = "" if made.max_concurrency is None else f" {made.max_concurrency:,} at a time"
    parts = f"{duration(made.work)} of work, longest chain {duration(made.critical_path)}"
    foreseen = f"{duration(made.predicted)}{width} ({parts}, {duration(made.coordination)} of coordination)"
    return "; ".join(filter(None, [foreseen, least]))


def _spending(spent: Spending) -> str:
    """Return tokens and cost; empty where no task states any tokens, which functions and commands never do."""
    if spent.tokens is None or spent.coordination_tokens is None:
        return ""
    assumed = f", {count(spent.assumed, 'task')} assumed" if spent.assumed else ""
    low, high = f"{spent.tokens.low:,.0f}", f"{spent.tokens.high:,.0f}"
    tokens = f"{low if low == high else f'{low} to {high}'} tokens ({spent.work_tokens:,} of work{assumed})"
    if spent.cost is None:
        return f"{tokens}; cost unknown: {_unpriced(spent.unpriced)}"
    return f"{tokens}; {spent.cost.low:,.2f} to {spent.cost.high:,.2f} {spent.currency}"


def _unpriced(models: Sequence[str]) -> str:
    named = [model for model in models if model != UNKNOWN_MODEL]
    parts = [f"no price for {', '.join(head(named, 3))}"] if named else []
    parts += ["not all tasks name their model"] if len(named) < len(models) else []
    return ", ".join(parts) or "prices in several currencies"


def _handoffs(plan: Plan) -> str:
    counted = plan.handoffs
    hubs = f" ({counted.at_sync_points:,} at sync points)" if counted.at_sync_points else ""
    teams = f"{counted.between_teams:,} between teams{hubs}, {counted.crossing:,} between domains"
    return f"{counted.after:,} of {counted.before:,}, {teams}"


def _pairs(plan: Plan) -> str:
    """Return the pairs along the tree, in a mesh, and what is seen within scope (R7, V4)."""
    pairs = plan.pairs
    scoped = "" if pairs.scoped is None or plan.n_agents < 2 else _scoped(pairs.scoped, plan.n_agents)
    return f"{pairs.structure:,} instead of {pairs.mesh:,}{scoped}"


def _scoped(views: int, agents: int) -> str:
    return f"; each agent sees {views / agents:.1f} others in its scope, {count(views, 'view')} in all (n × k)"


def _infrastructure(plan: Plan) -> str:
    """Return who judges the work of others, by role (R11)."""
    judges = ", ".join(f"{one.id.rpartition('/')[2]} ({one.role.value})" for one in plan.infrastructure)
    return f"{judges}; beside the tree, reporting to a person" if judges else ""


def _to_verify(plan: Plan) -> str:
    """Return how many results somebody else must verify, and why (O3)."""
    if not plan.to_verify:
        return ""
    before = sum(why != ON_CRITICAL_PATH for why in plan.to_verify.values())
    parts = ((len(plan.to_verify) - before, ON_CRITICAL_PATH), (before, "in front of gates"))
    return f"{count(len(plan.to_verify), 'result')}: " + ", ".join(
        f"{number:,} {why}" for number, why in parts if number
    )


def _share(share: Share) -> str:
    return percent(share.low) if share.low == share.high else f"{share.low * 100:.0f}–{percent(share.high)}"


def tree_of(plan: Plan) -> Tree:
    """Return the tree of a plan; for many agents only its coordinators, with how many are below each."""
    children: dict[str | None, list[Node]] = defaultdict(list)
    for node in plan.tree:
        children[node.parent].append(node)
    single = plan.n_agents <= AGENTS_DRAWN
    root = Tree(_label(plan.primary, agents_below(plan.tree)))
    replicas = {task.id: task.replicas for task in plan.tasks}
    _grow(root, plan.primary, children, agents_below(plan.tree), replicas if single else None)
    return root


def _grow(
    tree: Tree,
    node: Node,
    children: Mapping[str | None, Sequence[Node]],
    below: Mapping[str, int],
    replicas: Mapping[str, int] | None,
) -> None:
    """Draw what is below a node; `replicas` of each task, None where agents are not drawn one by one."""
    shown = [child for child in children.get(node.id, ()) if replicas is not None or child.kind is not NodeKind.AGENT]
    for child in shown[:MEMBERS_DRAWN]:
        _grow(tree.add(_label(child, below, replicas)), child, children, below, replicas)
    rest = shown[MEMBERS_DRAWN:]
    if rest:
        tree.add(Text(f"and {len(rest):,} more with {count(sum(below[c.id] for c in rest), 'agent')}", style="dim"))


def _label(node: Node, below: Mapping[str, int], replicas: Mapping[str, int] | None = None) -> Text:
    if node.kind is NodeKind.AGENT:
        tasks = "" if len(node.members) == 1 else f"  {count(len(node.members), 'task')}"
        most = max(((replicas or {}).get(task, 1) for task in node.members), default=1)
        return Text.assemble(node.id, f" ×{most}" if most > 1 else "", (tasks, "dim"))
    return Text.assemble((node.id, "bold"), (f"  {node.kind.value}, {count(below[node.id], 'agent')}", "dim"))


def _show_phases(console: Console, plan: Plan) -> None:
    awaited = phases_awaited(plan)
    order = ("after", "side by side with") if len(awaited) > 1 else ()
    rows = table("phase", *order, "tasks", "behind a gate", "hubs", "sync owned by", "when", title="Phases")
    first = dict(islice(awaited.items(), PHASES_SHOWN))  # what they wait for is among them
    after, beside = direct_needs(first), side_by_side(first)
    planned, opened = {phase.name: phase for phase in plan.phases}, {one.phase: one for one in plan.open}
    for name in first:
        where = [listed(names[name], PHASES_NAMED) for names in (after, beside)[: len(order)]]
        if name in opened:
            known = Text(f"{opened[name].known}, {opened[name].agent} on each", style="dim")
            rows.add_row(name, *where, known, "each" if opened[name].at_gate else "")
            continue
        phase = planned[name]
        gate, hubs = (str(len(tasks)) if tasks else "" for tasks in (phase.gate, phase.sync.hubs))
        rows.add_row(name, *where, str(len(phase.tasks)), gate, hubs, phase.sync.owner, phase.sync.policy)
    console.print()
    console.print(rows)
    for phase in plan.phases[:PHASES_SHOWN]:
        if phase.said:
            console.print(Text(f"{phase.name}: {phase.said}", style="dim"))
    for line in head(list(gate_lines(plan)), PHASES_SHOWN):
        console.print(Text(line, style="dim"))
    if len(awaited) > PHASES_SHOWN:
        console.print(Text(f"and {len(awaited) - PHASES_SHOWN:,} more phases (--json has them all)", style="dim"))


def _show_terms(console: Console, plan: Plan) -> None:
    """Print what consumers are handed, and how long, how often and how strictly they are waited for (C4, C5, C7)."""
    if not plan.terms:
        return
    rows = table(
        "phase, agent", "needs", "makes", "an attempt", "attempts", "when it is missing", "stands in", title="Contracts"
    )
    for one in plan.terms[:TERMS_SHOWN]:
        seconds = "no limit" if one.timeout_seconds is None else duration(one.timeout_seconds)
        rows.add_row(
            f"{one.phase}, {one.consumer}",
            _needed(one),
            f"{without_digest(one.delivers)}, {one.strictness}{_by(one.strictness_stated)}",
            f"{seconds}{_by(one.timeout_stated)}",
            f"{one.attempts}{_by(one.attempts_stated)}",
            one.when_missing if one.needs else "",
            ", then ".join(one.stands_in),
        )
    console.print()
    console.print(rows)
    if len(plan.terms) > TERMS_SHOWN:
        console.print(Text(f"and {len(plan.terms) - TERMS_SHOWN:,} more (--json has them all)", style="dim"))


def _needed(terms: Terms) -> str:
    """Say which phase is needed, how much where that is stated, and how long it is waited for."""
    coupled = f", {terms.coupling}" if terms.coupling else ""
    within = f", within {duration(terms.wait_seconds)}" if terms.wait_seconds else ""
    return f"{terms.needs or ''}{coupled}{within}"


def _by(level: Level) -> str:
    """Say who stated something, unless nobody did."""
    return "" if level == "usual" else f" ({level})"


def _show_dependencies(console: Console, plan: Plan) -> None:
    """Print what the dearest dependencies cost: in handoffs, when one fails, and when it changes (D1, D3, C8)."""
    dearest = dearest_dependencies(plan)
    if not dearest:
        return
    rows = table(
        "used", "by tasks", "handoffs", "tokens", "a failure stops", "change together", "to be informed",
        title="Dependencies that cost most",
    )  # fmt: skip
    for one in dearest:
        tokens = f"{one.tokens.low:,.0f} to {one.tokens.high:,.0f}" if one.tokens else ""
        counts = (one.consumers, one.handoffs, one.failure_reach, one.change_together, one.change_notified)
        used, handoffs, stopped, together, informed = (f"{number:,}" for number in counts)
        rows.add_row(truncate(one.producer, WHERE_CHARACTERS), used, handoffs, tokens, stopped, together, informed)
    console.print()
    console.print(rows)


def _show_reasons(console: Console, plan: Plan) -> None:
    rows = table("rule", "why", title="Reasons")
    for reason in plan.reasons:
        rows.add_row(reason.rule, reason.text)
    console.print()
    console.print(rows)


def _show_findings(console: Console, plan: Plan) -> None:
    if not plan.findings:
        return
    rows = table("rule", "level", "where", "what is wrong", "what to do", title="Findings")
    for finding in plan.findings:
        level = Text(finding.level.value, style=FINDING_STYLES[finding.level])
        rows.add_row(finding.rule, level, truncate(finding.where, WHERE_CHARACTERS), finding.message, finding.fix)
    console.print()
    console.print(rows)
