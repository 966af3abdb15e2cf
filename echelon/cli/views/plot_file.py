"""Write a picture to a file, in the format that the file's suffix names."""

from collections.abc import Callable
from pathlib import Path

from echelon.model.errors import InvalidInput
from echelon.visibility.svg import element, picture

PNG_PIXELS = 1960  # wide: sharp on screens of double density

#: Fonts without serifs that systems come with; the first that is there is used.
SANS_SERIF = ("Arial", "Liberation Sans", "DejaVu Sans", "Noto Sans", "Helvetica", "Ubuntu", "Cantarell", "FreeSans")


def check_plot_file(path: Path) -> Path:
    """Return `path` when a picture can be written to it; `InvalidInput` says what is wrong, before any work is done."""
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise InvalidInput(f"--plot does not know the format of {str(path)!r}: end its name in one of {known}")
    if path.is_dir():
        raise InvalidInput(f"--plot {path} is a folder: name a file")
    if not path.parent.is_dir():
        raise InvalidInput(f"--plot {path}: there is no folder {path.parent}; create it, or name another")
    return path


def write_plot(path: Path, title: str, svg: str) -> None:
    """Write a picture; an older file of the name is replaced. Raises `InvalidInput` when that cannot be done."""
    content = _FORMATS[check_plot_file(path).suffix.lower()](title, svg)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"--plot cannot write {path}: {error.strerror}; name another file") from None


def _as_svg(_title: str, svg: str) -> bytes:
    return svg.encode()


def _as_html(title: str, svg: str) -> bytes:
    head = str(element("title", title))
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    style = "<style>body{margin:2rem auto;max-width:980px;padding:0 1rem;background:#fff}</style>"
    page = f'<!doctype html>\n<html lang="en">\n<head>{meta}{head}{style}</head>\n<body>\n{svg}\n</body>\n</html>\n'
    return page.encode()


def _as_png(_title: str, svg: str) -> bytes:
    try:
        from resvg_py import svg_to_bytes  # pyright: ignore[reportMissingImports] - an extra
    except ImportError:
        raise InvalidInput(
            "--plot to a .png needs one more package: pip install 'echelon[plot]', or end the name in .svg or .html"
        ) from None
    letters = picture("", "", 40, 20, [element("text", "x", x=5, y=15, font_family="sans-serif")])
    nothing = picture("", "", 40, 20, [])
    # The renderer knows no more than names of fonts, and not which one of a machine is its sans-serif.
    for family in SANS_SERIF:
        if svg_to_bytes(svg_string=letters, sans_serif_family=family) != svg_to_bytes(svg_string=nothing):
            return bytes(svg_to_bytes(svg_string=svg, width=PNG_PIXELS, sans_serif_family=family))
    raise InvalidInput(
        "--plot to a .png finds no font on this machine, so nothing could be read: install one (fonts-dejavu), "
        "or end the name in .svg or .html"
    )


_FORMATS: dict[str, Callable[[str, str], bytes]] = {".svg": _as_svg, ".html": _as_html, ".png": _as_png}
