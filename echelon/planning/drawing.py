"""Draw the tree and the phases of a plan as a Mermaid flowchart, small enough to be looked at."""

from collections.abc import Iterator, Sequence
from itertools import islice

from echelon.model.phrasing import count
from echelon.model.plan import Node, NodeKind, Plan
from echelon.planning.outline import agents_below
from echelon.planning.schedule.phase_graph import direct_needs, phases_awaited

DRAWN_AT_MOST = 200  # nodes; above, only coordinators are drawn, with the number of agents below each
PHASES_DRAWN = 40

#: Opening and closing of a node's shape.
SHAPES: dict[NodeKind, tuple[str, str]] = {
    NodeKind.PRIMARY: ("([", "])"),
    NodeKind.DOMAIN: ("[[", "]]"),
    NodeKind.TEAM: ("[", "]"),
    NodeKind.AGENT: ("(", ")"),
}

#: Characters that end a Mermaid label or change its meaning → entity codes.
ESCAPES = str.maketrans(
    {char: f"#{ord(char)};" for char in '"#&;<>`\\'} | dict.fromkeys("\n\r\t\v\f\u2028\u2029\x85", " ")
)


def mermaid(plan: Plan) -> str:
    """Return the tree of `plan` as Mermaid text, and beside it its phases where there are several.

    Above 200 nodes only coordinators are drawn, with counts; should these be too many as well, only so many of their
    upper levels as fit. An arrow between phases says that the second waits for the sync point of the first; one whose
    items are found on the way has a dashed arrow to it.
    """
    drawn = _drawn(plan.tree)
    numbers = {node.id: f"n{number}" for number, node in enumerate(drawn)}
    counted = len(drawn) < len(plan.tree)
    counts = agents_below(plan.tree)
    lines = ["flowchart TD"]
    for node in drawn:
        opening, closing = SHAPES[node.kind]
        text = node.id.translate(ESCAPES) + (f"<br/>{count(counts[node.id], 'agent')}" if counted else "")
        lines.append(f'    {numbers[node.id]}{opening}"{text}"{closing}')
    lines += [f"    {numbers[node.parent]} --> {numbers[node.id]}" for node in drawn if node.parent is not None]
    return "\n".join([*lines, *_phases(plan)]) + "\n"


def _phases(plan: Plan) -> Iterator[str]:
    """Yield the lines of the first phases, each with the arrows to it; none for a plan that has one only."""
    awaited = phases_awaited(plan)
    if len(awaited) < 2:
        return
    needs = direct_needs(dict(islice(awaited.items(), PHASES_DRAWN)))
    tasks, opened = {phase.name: len(phase.tasks) for phase in plan.phases}, {one.phase: one for one in plan.open}
    numbers = {name: f"p{number}" for number, name in enumerate(needs)}
    yield '    subgraph phases ["Phases"]'
    yield "        direction LR"
    for name, after in needs.items():
        what = opened[name].known if name in opened else count(tasks[name], "task")
        yield f'        {numbers[name]}["{name.translate(ESCAPES)}<br/>{what.translate(ESCAPES)}"]'
        arrow = "-.->" if name in opened else "-->"
        yield from (f"        {numbers[one]} {arrow} {numbers[name]}" for one in after)
    if len(awaited) > len(needs):
        yield f'        more["{len(awaited) - len(needs):,} more"]'
    yield "    end"


def _drawn(tree: Sequence[Node]) -> list[Node]:
    """Return all nodes, or the coordinators of so many complete levels as may be drawn."""
    if len(tree) <= DRAWN_AT_MOST:
        return list(tree)
    level = [tree[0]]
    coordinators = [node for node in tree if node.kind is not NodeKind.AGENT]
    drawn: list[Node] = []
    while level and len(drawn) + len(level) <= DRAWN_AT_MOST:
        drawn += level
        parents = {node.id for node in level}
        level = [node for node in coordinators if node.parent in parents]
    return drawn
