"""What a part of a message says, as text: data as JSON, files by type and size, never in base64.

What a tool returns is an object of its author: reading it calls code of theirs, so that whoever calls this contains it.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from echelon.model.edges import Foreign, is_listing, is_mapping
from echelon.model.phrasing import size

#: A file that stands in a text itself.
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[\w;=.+-]*;base64,([A-Za-z0-9+/_=%-]+)")

#: What is named instead of shown, by its kind in pydantic-ai.
_NAMED: Mapping[str, Callable[[Foreign], str]] = {
    "binary": lambda file: f"[{file.media_type} {file.identifier}, {size(len(file.data))}]",
    "uploaded-file": lambda file: f"[uploaded file {file.file_id}]",
    "cache-point": lambda _: "[cache point]",
    "text-content": lambda text: text.content,
    **dict.fromkeys(
        ("image-url", "audio-url", "document-url", "video-url"), lambda link: f"[{link.kind} {without_files(link.url)}]"
    ),
}


def prompt_text(content: object) -> str:
    """Return what a user said, which may be made of texts and files, one below the other."""
    return "\n".join(map(data_text, content)) if is_listing(content) else data_text(content)


def data_text(content: object) -> str:
    """Return data as JSON, and a text as it is."""
    plain = _plain(content)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def without_files(text: str) -> str:
    """Return text in which files that are written out are named by their type and size."""
    if ";base64," not in text:
        return text
    return _DATA_URI.sub(lambda found: f"[{found[1] or 'file'}, {size(len(found[2]) * 3 // 4)}]", text)


def _plain(value: object) -> object:
    """Return a value in JSON types, with its files named."""
    known = next((shown for is_one, shown in _SHOWN if is_one(value)), None)
    return to_jsonable_python(value, fallback=str) if known is None else known(value)


def _is_file(value: object) -> bool:
    return type(value).__module__.startswith("pydantic_ai.") and getattr(value, "kind", "") in _NAMED


def _is_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Foreign) -> dict[str, object]:
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


#: What is shown in another form than its JSON; the first row that fits counts.
_SHOWN: tuple[tuple[Callable[[object], bool], Callable[[Foreign], object]], ...] = (
    (_is_file, lambda value: _NAMED[value.kind](value)),
    (lambda value: isinstance(value, str), without_files),
    (
        lambda value: isinstance(value, bytes | bytearray | memoryview),
        lambda value: f"[{size(memoryview(value).nbytes)} of binary data]",
    ),
    (lambda value: isinstance(value, BaseModel), lambda value: _plain(value.model_dump())),
    (_is_dataclass, _fields),
    (is_mapping, lambda value: {str(key): _plain(one) for key, one in value.items()}),
    (
        lambda value: isinstance(value, list | tuple | set | frozenset),
        lambda value: [_plain(one) for one in value],
    ),
)
