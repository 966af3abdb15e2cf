"""A task-graph file: JSON or YAML in our own format, or WfCommons' WfFormat 1.x. Reading the file happens here only.

Whatever is wrong with a file is one `InvalidInput`: the file, the line or the ids at fault, and what to do.
"""

import contextlib
import gc
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from echelon.definition.graph_file.json import parse_json
from echelon.definition.graph_file.tasks import graph_of
from echelon.definition.graph_file.values import refuse_half_pairs
from echelon.definition.graph_file.wfcommons import is_wfformat, translated
from echelon.definition.graph_file.yaml import parse_yaml
from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskGraph
from echelon.planning.schedule.order import topological

MEBIBYTE = 2**20

#: How a surrogate is written: the file itself cannot have one, only an escape for it.
_SURROGATE = re.compile(r"\\u0*d[89a-f]|\\U0000d[89a-f]", re.IGNORECASE)


class _Notation(NamedTuple):
    """A way of writing a task graph down."""

    parse: Callable[[str], object]
    """Reads plain values from text."""
    largest_mebibytes: int
    """The largest file that is read: more is a mistake, or would take minutes."""


_YAML = _Notation(parse_yaml, largest_mebibytes=64)

_NOTATIONS = {".json": _Notation(parse_json, largest_mebibytes=512), ".yaml": _YAML, ".yml": _YAML}


def is_graph_file(path: str) -> bool:
    """Tell by its name whether a path is that of a task-graph file."""
    return path.lower().endswith(tuple(_NOTATIONS))


def read_graph(path: Path) -> TaskGraph:
    """Read a task graph from a file, with at least one task and without cycles (D).

    `InvalidInput` says what is wrong with the file, and where in it. The graph is called as the file, unless it says
    its name itself.
    """
    notation = _NOTATIONS[path.suffix.lower()]
    text = _text(path, notation.largest_mebibytes)
    try:
        with _collector_paused():
            return _graph_in(text, notation, path.stem)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def _graph_in(text: str, notation: _Notation, name: str) -> TaskGraph:
    document = notation.parse(text)
    if _SURROGATE.search(text):
        refuse_half_pairs(document)
    graph = graph_of(translated(document) if is_wfformat(document) else document, name)
    topological(graph.tasks)
    return graph


@contextlib.contextmanager
def _collector_paused() -> Generator[None]:
    """Keep the garbage collector from going through a growing graph again and again: half the time of a large one."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _text(path: Path, largest_mebibytes: int) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark."""
    try:
        text = _content(path, largest_mebibytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    if not text.strip():
        raise InvalidInput(f"{path}: the file is empty; a task graph needs at least one task")
    return text


def _content(path: Path, largest_mebibytes: int) -> bytes:
    try:
        if not path.exists():
            raise InvalidInput(f"{path}: the file does not exist; give the path of a task graph")
        if not path.is_file():
            raise InvalidInput(f"{path}: it is not a file but a {_kind(path)}; give the path of a task graph")
        if path.stat().st_size > largest_mebibytes * MEBIBYTE:
            raise InvalidInput(f"{path}: the file is larger than {largest_mebibytes} MiB; give a smaller one")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: it cannot be read: {error.strerror or error}") from error


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "pipe or a device"
