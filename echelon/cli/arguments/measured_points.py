"""Read what was measured with several numbers of agents, from a JSON or CSV file; `InvalidInput` says what is wrong."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from echelon.model.edges import is_listing
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import truncate
from echelon.model.scaling import Measured

COLUMNS = ["agents", "throughput"]
EXAMPLE = '[{"agents": 1, "throughput": 2.5}, …], or CSV with the heading agents,throughput'
MOST_BYTES = 10_000_000  # a file of points is small; anything larger is another file


def read_points(path: Path) -> list[Measured]:
    """Return the points of a file in the order of their number of agents."""
    text = _text(path)
    rows = _from_json(path, text) if text.lstrip().startswith(("[", "{")) else _from_csv(path, text)
    return sorted((_point(path, where, row) for where, row in rows), key=lambda point: point.agents)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{path} is larger than {MOST_BYTES:,} bytes: give a file of points, like {EXAMPLE}")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not a text file: give a file of points, like {EXAMPLE}") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(f"cannot read the points in {path}: {reason}; give a file that can be read") from None


def _from_json(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not valid JSON ({error}); give a list like {EXAMPLE}") from None
    if not is_listing(document):
        raise InvalidInput(f"{path} holds no list of points; give one like {EXAMPLE}")
    for number, row in enumerate(document, start=1):
        yield f"point {number}", row


def _from_csv(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    reader = csv.reader(text.splitlines())
    heading = [name.strip().lower() for name in next(reader, list[str]())]
    if heading != COLUMNS:
        raise InvalidInput(f"{path}, line 1: the heading must be agents,throughput; give points like {EXAMPLE}")
    try:
        for row in reader:
            if row:
                cells = [cell.strip() for cell in row]
                fits = len(cells) == len(COLUMNS)
                yield f"line {reader.line_num}", dict(zip(COLUMNS, cells, strict=True)) if fits else cells
    except csv.Error as error:
        raise InvalidInput(f"{path}, line {reader.line_num}: {error}; give points like {EXAMPLE}") from None


def _point(path: Path, where: str, row: object) -> Measured:
    if not isinstance(row, dict):
        raise InvalidInput(
            f"{path}, {where}: agents and throughput are expected, not {truncate(repr(row), 60)}; see {EXAMPLE}"
        )
    try:
        point = Measured.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{path}, {where}: {field}: {first['msg']}; give points like {EXAMPLE}") from None
    return point
