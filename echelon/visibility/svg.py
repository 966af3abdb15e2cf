"""Building SVG as text: every value that comes from outside is escaped here, once."""

from collections.abc import Iterable
from functools import cache

from markupsafe import Markup, escape


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element; `class_` is written class, other underscores become hyphens; None attributes are left out."""
    # Plain strings, escaped once: formatting Markup escapes and copies each part again, which was half of a small run.
    written = "".join(
        f' {_attribute(key)}="{escape(_short(value))}"' for key, value in attributes.items() if value is not None
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 - every part of it is escaped above


@cache
def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def picture(title: str, description: str, width: float, height: float, body: Iterable[Markup]) -> str:
    """Return a whole picture, scaled to the page, that a screen reader can announce."""
    return str(
        element(
            "svg",
            element("title", title),
            element("desc", description),
            *body,
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            aria_label=f"{title}. {description}",
            viewBox=f"0 0 {width:g} {height:g}",
            width="100%",
            style=f"max-width:{width:g}px;font-family:inherit",
        )
    )


#: What a page gives to its pictures, for one that stands alone.
_STYLE = """text { font: 10.5px system-ui, sans-serif; fill: #1c2529; }
.tm-name { fill: #5b6a72; font-weight: 600; } .heat-text-4, .heat-text-5 { fill: #fff; }"""


def standalone(svg: str) -> str:
    """Return a picture made for a page as a file of its own, with the style that the page would give it."""
    head, _, rest = svg.partition(">")
    return f"{head}>{element('style', Markup(_STYLE))}{rest}"  # noqa: S704 - our own constant


def clipped(text: str, width: float, size: float = 11) -> str:
    """Cut a text to about `width` units at a font size; empty when not even a few letters fit."""
    letters = int(width / (size * 0.58))
    if len(text) <= letters:
        return text
    return f"{text[: letters - 1]}…" if letters >= 4 else ""


def clipped_start(text: str, width: float, size: float = 11) -> str:
    """Cut a text at its start: of dotted names and paths the end tells more."""
    return clipped(text[::-1], width, size)[::-1]


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
