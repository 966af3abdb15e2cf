"""Draw curves as an SVG picture that needs nothing else: axes, legend, labels at the ends, and what is marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from echelon.visibility.svg import element, picture

WIDTH = 980.0
HEIGHT = 580.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 74.0, 150.0, 104.0, 62.0
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_INK, _MUTED, _LINE = "#1c2529", "#5b6a72", "#e3e8ec"
#: An axis that goes over more than this factor is logarithmic; else small numbers would be one flat line.
_LOGARITHMIC_FROM = 25.0
_LABEL_GAP = 17.0
_MARK_GAP = 52.0  # below a mark, where points near the curve do not touch its text
_LETTER = 6.6


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve, or a set of points."""

    name: str
    """What the legend calls it."""
    points: Sequence[tuple[float, float]]
    """x and y, by ascending x."""
    colour: str
    """Of its line or dots."""
    dashed: bool = False
    """Is it drawn as a dashed line?"""
    dots: bool = False
    """Is it drawn as dots, without a line?"""
    end: str = ""
    """What is written at its right end."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point with a text below it."""

    x: float
    """Where."""
    y: float
    """Where."""
    text: str
    """What it says."""
    colour: str
    """Of the circle and the text."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Everything a picture of curves says."""

    title: str
    """In one line."""
    subtitle: str
    """In one line, below the title."""
    x_label: str
    """What is to the right, with its unit."""
    y_label: str
    """What is upwards, with its unit."""
    series: Sequence[Series]
    """Drawn in this order."""
    marks: Sequence[Mark] = ()
    """Drawn above the curves."""


@dataclass(frozen=True)
class _Axis:
    """Turns a value into a position."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """Return the position of a value."""
        low, high, here = (log10(max(v, 1e-300)) if self.logarithmic else v for v in (self.low, self.high, value))
        share = (here - low) / (high - low) if high > low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def chart_svg(chart: Chart) -> str:
    """Draw a chart."""
    xs = [x for series in chart.series for x, _ in series.points] + [mark.x for mark in chart.marks]
    ys = [y for series in chart.series for _, y in series.points] + [mark.y for mark in chart.marks]
    across = _axis(xs, _LEFT, WIDTH - _RIGHT, tight=True)
    up = _axis(ys, HEIGHT - _BOTTOM, _TOP, tight=False)
    body = [
        element("rect", x=0, y=0, width=WIDTH, height=HEIGHT, fill="#ffffff"),
        _text(chart.title, _LEFT, 34, size=20, weight=700),
        _text(chart.subtitle, _LEFT, 56, size=13, fill=_MUTED),
        *_legend(chart.series),
        *_grid(across, up, chart),
        *(_drawn(series, across, up) for series in chart.series),
        *(part for mark in chart.marks for part in _marked(mark, across, up)),
        *_ends(chart.series, across, up),
    ]
    return picture(chart.title, chart.subtitle, WIDTH, HEIGHT, [element("g", *body, font_family=_FONT)])


def _axis(values: Sequence[float], start: float, end: float, *, tight: bool) -> _Axis:
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive), max(positive)
    if high / low > _LOGARITHMIC_FROM:
        return _Axis(low if tight else low / 1.25, high if tight else high * 1.25, start, end, True)
    top = high if tight else high * 1.1
    return _Axis(0.0, top, start, end, False)


def _ticks(axis: _Axis) -> list[float]:
    """Return round numbers on an axis."""
    if not axis.logarithmic:
        step = _nice(axis.high / 6)
        return [index * step for index in range(floor(axis.high / step) + 1)]
    decades = range(floor(log10(axis.low)), ceil(log10(axis.high)) + 1)
    factors = (1, 2, 5) if len(decades) <= 5 else (1,)
    wanted = [10.0**decade * factor for decade in decades for factor in factors]
    return [tick for tick in wanted if axis.low * 0.999 <= tick <= axis.high * 1.001]


def _nice(step: float) -> float:
    """Return the round number next above a distance between marks."""
    unit = 10.0 ** floor(log10(step))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= step * 0.999)


def _grid(across: _Axis, up: _Axis, chart: Chart) -> Iterator[Markup]:
    for tick in _ticks(up):
        y = up.at(tick)
        yield element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, stroke=_LINE)
        yield _text(f"{tick:,.10g}", _LEFT - 9, y + 4, anchor="end", fill=_MUTED)
    for tick in _ticks(across):
        x = across.at(tick)
        yield element("line", x1=x, x2=x, y1=HEIGHT - _BOTTOM, y2=HEIGHT - _BOTTOM + 5, stroke=_MUTED)
        yield _text(f"{tick:,.10g}", x, HEIGHT - _BOTTOM + 20, anchor="middle", fill=_MUTED)
    floor_y = HEIGHT - _BOTTOM
    yield element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=floor_y, y2=floor_y, stroke=_MUTED)
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    yield _text(_named(chart.x_label, across), middle, HEIGHT - 16, anchor="middle", size=13)
    turned = f"rotate(-90 16 {(_TOP + floor_y) / 2:g})"
    yield _text(_named(chart.y_label, up), 16, (_TOP + floor_y) / 2, anchor="middle", size=13, transform=turned)


def _named(label: str, axis: _Axis) -> str:
    return f"{label}, logarithmic" if axis.logarithmic else label


def _legend(series: Sequence[Series]) -> Iterator[Markup]:
    x = _LEFT
    for one in series:
        if one.dots:
            yield element("circle", cx=x + 5, cy=76, r=4, fill=one.colour)
        else:
            dash = "6 4" if one.dashed else None
            yield element(
                "line", x1=x, x2=x + 26, y1=76, y2=76, stroke=one.colour, stroke_width=2.5, stroke_dasharray=dash
            )
        beside = 15 if one.dots else 33
        yield _text(one.name, x + beside, 80)
        x += beside + _LETTER * len(one.name) + 18


def _drawn(series: Series, across: _Axis, up: _Axis) -> Markup:
    placed = [(across.at(x), up.at(y)) for x, y in series.points if y > 0 or not up.logarithmic]
    if series.dots or len(placed) == 1:
        dots = [
            element("circle", cx=x, cy=y, r=4, fill=series.colour, stroke="#ffffff", stroke_width=1.2)
            for x, y in placed
        ]
        return element("g", *dots)
    return element(
        "polyline",
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in placed),
        fill="none",
        stroke=series.colour,
        stroke_width=1.8 if series.dashed else 2.6,
        stroke_linejoin="round",
        stroke_dasharray="6 4" if series.dashed else None,
    )


def _marked(mark: Mark, across: _Axis, up: _Axis) -> Iterator[Markup]:
    x, y = across.at(mark.x), up.at(mark.y)
    half = _LETTER * len(mark.text) / 2
    middle = min(max(x, _LEFT + half), WIDTH - _RIGHT - half)  # stays inside the axes
    below = y + _MARK_GAP if y + _MARK_GAP + 12 < HEIGHT - _BOTTOM else y - 14
    yield element("circle", cx=x, cy=y, r=5.5, fill="#ffffff", stroke=mark.colour, stroke_width=2.5)
    yield _text(mark.text, middle, below, anchor="middle", fill=mark.colour, weight=600, halo=True)


def _ends(series: Sequence[Series], across: _Axis, up: _Axis) -> Iterator[Markup]:
    """Write the texts at the right ends, moved apart where they would cover one another."""
    named = [one for one in series if one.end and one.points]
    named.sort(key=lambda one: up.at(one.points[-1][1]))
    free = 0.0
    for one in named:
        x, y = (axis.at(value) for axis, value in zip((across, up), one.points[-1], strict=True))
        free = max(free, y)
        yield _text(one.end, x + 8, free + 4, fill=one.colour, weight=600, halo=True)
        free += _LABEL_GAP


def _text(
    text: str,
    x: float,
    y: float,
    *,
    size: float = 12,
    fill: str = _INK,
    anchor: str | None = None,
    weight: int | None = None,
    halo: bool = False,
    transform: str | None = None,
) -> Markup:
    """Return a text; a halo keeps it readable above lines."""
    return element(
        "text",
        text,
        x=x,
        y=y,
        font_size=size,
        fill=fill,
        text_anchor=anchor,
        font_weight=weight,
        transform=transform,
        stroke="#ffffff" if halo else None,
        stroke_width=4 if halo else None,
        stroke_linejoin="round" if halo else None,
        paint_order="stroke" if halo else None,
    )
