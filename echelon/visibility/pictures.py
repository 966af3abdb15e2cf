"""Pictures of a plan and of a run, as SVG that needs nothing else."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from markupsafe import Markup

from echelon.model.phrasing import count
from echelon.model.plan import Node, NodeKind, Plan
from echelon.model.run import RunView, StepKind, StepRecord
from echelon.planning.schedule.phase_graph import depths, direct_needs, phases_awaited
from echelon.visibility.svg import clipped, clipped_start, element, picture
from echelon.visibility.treemap import TreemapItem, treemap_svg

__all__ = ["TreemapItem", "phases_svg", "structure_svg", "timeline_svg", "treemap_svg"]

WIDTH = 1200.0
_ROW = 22.0
_COLUMN = 230.0
_BOX = 206.0
#: The most nodes that are drawn; levels below are counted.
_MAX_DRAWN = 64
#: The most lanes of a timeline; what is left shares the last.
_MAX_LANES = 36
_LANE = 18.0
_LEFT = 230.0


@dataclass(frozen=True)
class _Placed:
    node: Node
    level: int
    row: float
    counted: str


def structure_svg(plan: Plan) -> str:
    """Draw the tree of a plan from left to right, as deep as fits; what is below is counted beside its coordinator."""
    placed = _Placing(plan).result()
    width = (max(one.level for one in placed.values()) + 1) * _COLUMN + 140
    height = max(one.row + 1 for one in placed.values()) * _ROW + 8
    body = [*_edges(placed), *(_box(one) for one in placed.values())]
    title = f"Structure of {plan.job}: {plan.structure.value.replace('_', '-')}"
    description = f"{plan.n_agents} agents, {plan.levels} coordinating levels, at most {plan.span} direct reports"
    return picture(title, description, max(width, WIDTH), height, body)


class _Placing:
    """Gives every node of the upper levels a row; nodes above stand in the middle of those below."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._level: dict[str, int] = {}
        self._agents: dict[str, int] = {}
        for node in plan.tree:  # parents come before their members
            self._level[node.id] = self._level[node.parent] + 1 if node.parent is not None else 0
        for node in reversed(plan.tree):
            own = 1 if node.kind is NodeKind.AGENT else self._agents.get(node.id, 0)
            self._agents[node.id] = own
            if node.parent is not None:
                self._agents[node.parent] = self._agents.get(node.parent, 0) + own
        self._deepest = self._depth_that_fits()
        self._placed: dict[str, _Placed] = {}

    def result(self) -> dict[str, _Placed]:
        """Place all nodes that are drawn."""
        self._place(self._plan.primary, 0.0)
        return self._placed

    def _depth_that_fits(self) -> int:
        sizes = Counter(self._level.values())
        totals = accumulate(sizes[level] for level in sorted(sizes))
        return max(1, sum(total <= _MAX_DRAWN for total in totals) - 1)

    def _place(self, node: Node, row: float) -> float:
        """Place a node and what is below it; return the first free row."""
        level = self._level[node.id]
        members = [] if node.kind is NodeKind.AGENT else [self._plan.nodes[member] for member in node.members]
        drawn = members if level < self._deepest else []
        free = row
        for member in drawn:
            free = self._place(member, free)
        middle = (self._placed[drawn[0].id].row + self._placed[drawn[-1].id].row) / 2 if drawn else row
        counted = count(self._agents[node.id], "agent") if members and not drawn else ""
        self._placed[node.id] = _Placed(node, level, middle, counted)
        return max(free, row + 1)


def _edges(placed: dict[str, _Placed]) -> Iterator[Markup]:
    for one in placed.values():
        above = placed.get(one.node.parent or "")
        if above is None:
            continue
        yield _arrow((above.level * _COLUMN, above.row * _ROW + 4), (one.level * _COLUMN, one.row * _ROW + 4))


def _box(one: _Placed) -> Markup:
    x, y = one.level * _COLUMN, one.row * _ROW + 4
    fill = "var(--box-agent, #f4f6f8)" if one.node.kind is NodeKind.AGENT else "var(--box, #e3e9ee)"
    box = element("rect", x=x, y=y, width=_BOX, height=_ROW - 4, rx=4.0, fill=fill)
    label = _text(clipped_start(_label(one.node.id), _BOX - 12), x + 7, y + 13)
    counted = [_text(one.counted, x + _BOX + 8, y + 13, "muted")] if one.counted else []
    return element("g", element("title", f"{one.node.kind.value} {one.node.id}"), box, label, *counted)


def phases_svg(plan: Plan) -> str:
    """Draw the first phases of a plan, each behind those whose sync points it waits for; dashed: planned on the way."""
    awaited = phases_awaited(plan)
    needs = direct_needs(dict(islice(awaited.items(), _MAX_DRAWN)))
    depth, rows = depths(needs), Counter[int]()
    places: dict[str, tuple[float, float]] = {}
    for name, level in depth.items():
        places[name] = level * _COLUMN, rows[level] * _ROW + 4
        rows[level] += 1
    body = [_arrow(places[one], places[name]) for name, after in needs.items() for one in after]
    body += [_phase_box(plan, name, *places[name]) for name in needs]
    left = f"; {len(awaited) - len(needs):,} more are not drawn" if len(awaited) > len(needs) else ""
    description = f"{count(len(awaited), 'phase')}, each to the right of those it waits for{left}"
    width, height = (max(rows) + 1) * _COLUMN, max(rows.values()) * _ROW + 8
    return picture(f"Phases of {plan.job}", description, max(width, WIDTH), height, body)


def _phase_box(plan: Plan, name: str, x: float, y: float) -> Markup:
    opened = next((one for one in plan.open if one.phase == name), None)
    tasks = next((len(phase.tasks) for phase in plan.phases if phase.name == name), 0)
    what = opened.known if opened else count(tasks, "task")
    label = _text(clipped(f"{name}: {what}", _BOX - 12), x + 7, y + 13)
    dashes = {"stroke": "var(--line, #c5ccd3)", "stroke_dasharray": "4 3"} if opened else {}
    fill = "var(--box-agent, #f4f6f8)" if opened else "var(--box, #e3e9ee)"
    box = element("rect", x=x, y=y, width=_BOX, height=_ROW - 4, rx=4.0, fill=fill, **dashes)
    return element("g", element("title", f"phase {name}: {what}"), box, label)


def _arrow(before: tuple[float, float], after: tuple[float, float]) -> Markup:
    x1, y1, x2, y2 = before[0] + _BOX, before[1] + _ROW / 2 - 2, after[0], after[1] + _ROW / 2 - 2
    bend = (x1 + x2) / 2
    path = f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
    return element("path", d=path, fill="none", stroke="var(--line, #c5ccd3)")


def timeline_svg(run: RunView) -> str:
    """Draw when each step was worked on: one lane for each phase and branch of the tree, time from left to right."""
    lanes = _lanes(run)
    began = run.record.started
    seconds = max([(step.finished - began).total_seconds() for step in run.steps] + [0.001])
    scale = (WIDTH - _LEFT - 20) / seconds
    height = len(lanes) * _LANE + 26
    body = list(_axis(seconds, scale, height))
    for index, (name, steps) in enumerate(lanes.items()):
        y = index * _LANE + 4
        body.append(_text(name, 0, y + 11))
        body.extend(_bar(step, began.timestamp(), scale, y) for step in steps)
    title = f"Timeline of run {run.record.run_id}"
    description = (
        f"{len(run.steps)} steps in {seconds:.1f} s; light: agents at work, dark: integration and planning, red: failed"
    )
    return picture(title, description, WIDTH, height, body)


def _lanes(run: RunView) -> dict[str, list[StepRecord]]:
    lanes: dict[str, list[StepRecord]] = {}
    for step in sorted(run.steps, key=lambda step: step.started):
        name = _lane_of(run, step)
        if name not in lanes and len(lanes) >= _MAX_LANES - 1:
            name = "everything else"
        lanes.setdefault(name, []).append(step)
    return lanes


def _lane_of(run: RunView, step: StepRecord) -> str:
    plan = run.record.plan
    path = plan.path(step.node) if plan is not None and step.node in plan.nodes else ()
    if len(path) <= 2:
        return clipped(step.phase, _LEFT - 12)
    phase, branch = clipped(step.phase, _LEFT / 2), _label(path[1])
    return f"{phase} · {clipped_start(branch, _LEFT - 30 - 6.4 * len(phase))}"


def _bar(step: StepRecord, began: float, scale: float, y: float) -> Markup:
    x = _LEFT + (step.started.timestamp() - began) * scale
    seconds = (step.finished - step.started).total_seconds()
    integrating = step.kind is not StepKind.TASK
    kind = "bad" if not step.handoff.done else "integration" if integrating else "work"
    colour = {"bad": "#b3261e", "integration": "#2f4858", "work": "#7fa3bd"}[kind]
    title = f"{step.handoff.task_id}: {step.handoff.status.value}, {seconds:.2f} s"
    return element(
        "rect",
        element("title", title),
        x=max(x, _LEFT),
        y=y + (1 if integrating else 0),
        width=max(1.5, seconds * scale),
        height=_LANE - (8 if integrating else 6),
        fill=f"var(--bar-{kind}, {colour})",
        fill_opacity=0.6 if kind == "work" else 0.95,
    )


def _axis(seconds: float, scale: float, height: float) -> Iterator[Markup]:
    step = next(nice for nice in _NICE if seconds / nice <= 8)
    tick = 0.0
    while tick <= seconds:
        x = _LEFT + tick * scale
        yield element("line", x1=x, x2=x, y1=0, y2=height - 20, stroke="var(--line, #dfe4e8)")
        yield _text(_clock(tick), x + 2, height - 8, "muted")
        tick += step


#: Distances between marks of the axis, in seconds.
_NICE = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, float("inf"))


def _clock(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def _label(node_id: str) -> str:
    """Return a node's id as people would say it: most coordinators are domains, and named after one."""
    return node_id.removeprefix("domain:").removeprefix("agent:").replace("team:", "team ")


def _text(text: str, x: float, y: float, kind: str | None = None) -> Markup:
    return element("text", text, x=x, y=y, font_size=11, fill="currentColor", class_=kind)
