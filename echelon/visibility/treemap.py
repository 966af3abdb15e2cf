"""A treemap: nested rectangles whose area is a size and whose colour is a heat. Layout apart from drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from echelon.visibility.svg import clipped, element, picture

WIDTH = 1200.0
HEIGHT = 640.0
_HEADER = 15.0
_GAP = 2.0
#: Steps of the colour scale; pages set --heat-0 … --heat-5, these hold without a page.
HEAT_COLOURS = ("#e9edf0", "#f3dfcd", "#edbf98", "#e2955f", "#c96136", "#97331c")


@dataclass(frozen=True, kw_only=True)
class TreemapItem:
    """One tile."""

    group: tuple[str, ...]
    """Names of the groups it is in, outermost first."""
    label: str
    """What is written on it, if there is room."""
    size: float
    """Its area, in any unit."""
    heat: float
    """Its colour, relative to the hottest."""
    title: str
    """What is told when it is pointed at."""


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, top: float) -> "Box":
        """Return what is left within a gap, below a header."""
        width, height = self.width - 2 * _GAP, self.height - top - _GAP
        return Box(self.x + _GAP, self.y + top, max(0.0, width), max(0.0, height))


@dataclass
class _Group:
    name: str
    groups: dict[str, "_Group"] = field(default_factory=dict[str, "_Group"])
    items: list[TreemapItem] = field(default_factory=list[TreemapItem])
    size: float = 0.0


def squarify(sizes: Sequence[float], box: Box) -> list[Box]:
    """Divide a box into boxes with areas in proportion to `sizes`, each as near to a square as a greedy row gets.

    Sizes must be positive and come in descending order (Bruls, Huizing and van Wijk, 2000).
    """
    total = sum(sizes)
    if not total or not box.width or not box.height:
        return [Box(box.x, box.y, 0.0, 0.0) for _ in sizes]
    areas = [size / total * box.width * box.height for size in sizes]
    boxes: list[Box] = []
    while areas:
        count = _row_length(areas, min(box.width, box.height))
        row, box = _lay(areas[:count], box)
        boxes.extend(row)
        areas = areas[count:]
    return boxes


def _row_length(areas: Sequence[float], side: float) -> int:
    best, total = float("inf"), 0.0
    for count, area in enumerate(areas, start=1):
        total += area
        worst = max(side**2 * areas[0] / total**2, total**2 / (side**2 * area)) if side else 0.0
        if worst > best:
            return count - 1
        best = worst
    return len(areas)


def _lay(row: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """Lay a row along the shorter side; return its boxes and what is left."""
    total = sum(row)
    if box.width >= box.height:
        width, y, laid = total / box.height if box.height else 0.0, box.y, list[Box]()
        for area in row:
            height = area / total * box.height
            laid.append(Box(box.x, y, width, height))
            y += height
        return laid, Box(box.x + width, box.y, max(0.0, box.width - width), box.height)
    turned, left = _lay(row, Box(box.y, box.x, box.height, box.width))
    return [_turn(one) for one in turned], _turn(left)


def _turn(box: Box) -> Box:
    return Box(box.y, box.x, box.height, box.width)


def treemap_svg(items: Iterable[TreemapItem], title: str = "Treemap") -> str:
    """Draw items as nested tiles: area by size, colour by heat relative to the hottest."""
    tiles = [item for item in items if item.size > 0]
    hottest = max((item.heat for item in tiles), default=0.0)
    root = _flattened(_grouped(tiles))
    body = _draw_group(root, Box(0, 0, WIDTH, HEIGHT), hottest, header=False)
    description = f"{len(tiles)} tiles; the larger the tile the larger the item, the darker the worse"
    return picture(title, description, WIDTH, HEIGHT, body)


def _grouped(items: Iterable[TreemapItem]) -> _Group:
    root = _Group("")
    for item in items:
        node = root
        node.size += item.size
        for name in item.group:
            node = node.groups.setdefault(name, _Group(name))
            node.size += item.size
        node.items.append(item)
    return root


def _flattened(group: _Group) -> _Group:
    """Join groups that have nothing beside one another, so that depth is not drawn for its own sake."""
    while len(group.groups) == 1 and not group.items:
        (only,) = group.groups.values()
        only.name = f"{group.name}.{only.name}".lstrip(".")
        group = only
    group.groups = {name: _flattened(inner) for name, inner in group.groups.items()}
    return group


def _draw_group(group: _Group, box: Box, hottest: float, *, header: bool) -> list[Markup]:
    name = clipped(group.name, box.width - 8) if header and box.height > 2 * _HEADER else ""
    drawn: list[Markup] = []
    if header:
        frame = element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=2.0, class_="tm-group")
        drawn.append(element("g", element("title", group.name), frame, fill="var(--map-group, #00000010)"))
    if name:
        drawn.append(_text(name, box.x + 4, box.y + 11, "tm-name"))
    members: list[_Group | TreemapItem] = [*group.groups.values(), *group.items]
    members.sort(key=lambda member: -member.size)
    laid = squarify([member.size for member in members], box.inside(_HEADER if name else _GAP) if header else box)
    for member, place in zip(members, laid, strict=True):
        drawn.extend(
            _draw_group(member, place, hottest, header=True)
            if isinstance(member, _Group)
            else _draw_tile(member, place, hottest)
        )
    return drawn


def _draw_tile(item: TreemapItem, box: Box, hottest: float) -> list[Markup]:
    step = min(5, int(item.heat / hottest * 5.999)) if hottest else 0
    width, height = max(0.3, box.width - 1), max(0.3, box.height - 1)
    tile = element(
        "rect",
        element("title", item.title),
        x=box.x,
        y=box.y,
        width=width,
        height=height,
        rx=1.5,
        fill=f"var(--heat-{step}, {HEAT_COLOURS[step]})",
    )
    label = clipped(item.label, box.width - 8) if box.height > 16 else ""
    return [tile, _text(label, box.x + 4, box.y + 12, f"tm-label heat-text-{step}")] if label else [tile]


def _text(text: str, x: float, y: float, kind: str) -> Markup:
    return element("text", text, x=x, y=y, font_size=11, class_=kind, pointer_events="none", fill="currentColor")
