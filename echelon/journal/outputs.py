"""Outputs by reference (C6): written once, verified whenever they are read, confined to their folder.

A small one is part of its reference, and so of the handoff in the journal: what is durable then is durable as a whole,
and nothing of it can be torn. A larger one is in a file of its own, which is flushed before its handoff is on record.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from echelon.journal.failpoints import failpoint
from echelon.journal.files import files_at
from echelon.model.adapter import adapter_of, read_json
from echelon.model.errors import ContractViolation, InvalidInput, JournalError
from echelon.model.handoff import OutputReference

T = TypeVar("T")

DEFAULT_CACHE_BYTES = 64 * 1024 * 1024

#: Outputs up to this size are kept in the journal: for them a file, and the flush of it, cost more than the output.
CONTENT_BYTES = 16 * 1024

#: What the name of a transcript has before its ending.
_TRANSCRIPT = ".transcript"

#: What a run may be called when it becomes a folder.
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: Every location that is made here, and nothing that leads anywhere else.
_LOCATION = re.compile(rf"{_FOLDER.pattern}/[a-f0-9]+-[a-f0-9]+({re.escape(_TRANSCRIPT)})?\.json")
_HEX = re.compile(r"[a-f0-9]{1,64}")

#: Enough of the digest to tell the outputs of two attempts at one step apart.
_DIGEST_IN_NAME = 16  # hex digits

#: What to do about a file that is gone, by what it is.
_RECOVERY = {
    "output": "restore the file, or resume the run: the step that made it is done again, unless it cannot be undone",
    "transcript": "restore the file; the run itself does not need it",
}

#: What can be handed to several readers at once, because nobody can change it.
_IMMUTABLE = (str, int, float, bool, type(None))


class OutputStore:
    """The outputs of all runs, below a local path or an fsspec URL."""

    def __init__(self, url: str, *, cache_bytes: int = DEFAULT_CACHE_BYTES, content_bytes: int = CONTENT_BYTES) -> None:
        self.url = url
        self._content_bytes = content_bytes
        self._files = files_at(url)
        self._cache = _Cache(cache_bytes)

    def put(self, run_id: str, step_key: str, value: object, contract: str) -> OutputReference:
        """Write an output and return its reference. It never replaces another output, of a late attempt for example.

        A larger one, which has no `content`, is durable after `flush` only.
        Raise `ContractViolation` when the value has no JSON form, `JournalError` when it cannot be written.
        """
        data = _encode(value, step_key)
        reference = _reference(data, run_id, step_key, "", contract)
        if len(data) <= self._content_bytes:
            return reference.model_copy(update={"content": data.decode()})
        with self._writing(reference.location):
            failpoint("output.made")
            self._files.write(reference.location, data)
            failpoint("output.written")
        return reference

    def put_transcript(self, run_id: str, step_key: str, value: object, contract: str) -> OutputReference:
        """Write what was said while a step was done, and return its reference.

        It is in a file of its own, whatever its size: the journal is read as a whole, and nobody needs this for that.
        Like `put` without `flush` it survives the end of the process, and not a power cut. Raises as `put` does.
        """
        data = _encode(value, step_key)
        reference = _reference(data, run_id, step_key, _TRANSCRIPT, contract)
        with self._writing(reference.location):
            self._files.write(reference.location, data)
        return reference

    def flush(self, reference: OutputReference) -> None:
        """Make an output that is in a file survive a power cut; raise `JournalError` when that fails."""
        if reference.content is None:
            with self._writing(reference.location):
                self._files.flush(reference.location)
                failpoint("output.flushed")

    def why_lost(self, reference: OutputReference) -> str:
        """Say why an output cannot be read any more; empty when it can."""
        try:
            self._verified(reference)
        except JournalError as error:
            return str(error)
        return ""

    def get(self, reference: OutputReference, type_: type[T] | Any) -> T:
        """Return an output as `type_`. What is frozen is kept and shared between readers, all else is read anew.

        Raise `InvalidInput` for a location outside of the outputs, `JournalError` when the file is gone or damaged,
        `ContractViolation` when it is not a `type_`.
        """
        key = (reference.location, reference.sha256, type_)
        if (found := self._cache.get(key)) is not None:
            return found
        data = self._verified(reference)
        value = _decode(data, reference, type_)
        if _shareable(value):
            self._cache.put(key, value, len(data))
        return value

    def read_json(self, reference: OutputReference) -> object:
        """Return an output as JSON; raise `JournalError` when it is gone or damaged."""
        return self.get(reference, object)

    def read_text(self, reference: OutputReference) -> str:
        """Return the JSON that an output was written as; raise `JournalError` when it is gone or damaged."""
        return self._verified(reference).decode()

    @contextmanager
    def _writing(self, location: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"cannot write {_what(location)} {location} below {self._files.root}: {error}. Check that the folder "
                "can be written and the disk has room; ECHELON_OUTPUTS_URL names another place"
            ) from error

    def _verified(self, reference: OutputReference) -> bytes:
        if reference.content is not None:
            return reference.content.encode()
        if not _LOCATION.fullmatch(reference.location):
            raise InvalidInput(f"{reference.location!r} is no output of a run; use the reference that `put` returned")
        what = _what(reference.location)
        where, recovery = f"{what} {reference.location} below {self._files.root}", _RECOVERY[what]
        try:
            data = self._files.read(reference.location)
        except OSError as error:
            raise JournalError(f"cannot read {where}: {error}; {recovery}") from error
        if hashlib.sha256(data).hexdigest() != reference.sha256:
            sizes = f"{len(data)} bytes found, {reference.size_bytes} written"
            raise JournalError(f"{where} is damaged ({sizes}): its digest is not the journal's; {recovery}")
        return data


def _reference(data: bytes, run_id: str, step_key: str, what: str, contract: str) -> OutputReference:
    sha256 = hashlib.sha256(data).hexdigest()
    location = f"{_folder(run_id)}/{_name(step_key)}-{sha256[:_DIGEST_IN_NAME]}{what}.json"
    return OutputReference(location=location, sha256=sha256, size_bytes=len(data), contract=contract)


def _what(location: str) -> str:
    return "transcript" if location.endswith(f"{_TRANSCRIPT}.json") else "output"


def _folder(run_id: str) -> str:
    if not _FOLDER.fullmatch(run_id):
        raise InvalidInput(f"run id {run_id!r} cannot name a folder; use letters, digits, '.', '_' and '-'")
    return run_id


def _name(step_key: str) -> str:
    return step_key if _HEX.fullmatch(step_key) else hashlib.sha256(step_key.encode()).hexdigest()


def _encode(value: object, step_key: str) -> bytes:
    try:
        return to_json(value)
    except (PydanticSerializationError, ValueError) as error:
        raise ContractViolation(
            f"the output of step {step_key!r} cannot be written as JSON: {error}; "
            "return a model, text, numbers, lists or dicts"
        ) from error


def _decode(data: bytes, reference: OutputReference, type_: type[T]) -> T:
    try:
        return cast("T", read_json(_adapter(type_), data))
    except ValidationError as error:
        raise ContractViolation(
            f"output {reference.location} was written as {reference.contract!r} and is not a {type_!r}: {error}"
        ) from error


@lru_cache(maxsize=256)
def _adapter(type_: object) -> TypeAdapter[object]:
    return adapter_of(type_)


def _shareable(value: object) -> bool:
    return isinstance(value, _IMMUTABLE) or (isinstance(value, BaseModel) and bool(value.model_config.get("frozen")))


class _Cache:
    """The values used last, bounded by the bytes they were read from."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._entries: OrderedDict[object, tuple[object, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: object) -> Any:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: object, value: object, size: int) -> None:
        with self._lock:
            _, old = self._entries.pop(key, (None, 0))
            self._entries[key] = (value, size)
            self._size += size - old
            while self._size > self._limit:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._size -= dropped
