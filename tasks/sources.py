"""Reading source text, with a reason when it cannot be read; and a clean copy of a tree for the tools."""

import ast
import contextlib
import hashlib
import io
import re
import shutil
import stat
import sys
import tokenize
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from contracts.modules import Module
from echelon import AgentFailed
from tasks.discovery import package_prefix

#: What something that is not a file is called.
_KINDS = {
    stat.S_IFDIR: "a folder that cannot be listed",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"


class UnreadableError(Exception):
    """A module that no tool can take into account; the message says why and what to do."""


def read_source(root: Path, module: Module, max_bytes: int) -> str:
    """Return the text of a module, decoded as Python would; `UnreadableError` says why it has none."""
    return decode(read_bytes(root, module, max_bytes))


def read_bytes(root: Path, module: Module, max_bytes: int) -> bytes:
    """Return what is in the file of a module; `UnreadableError` says why it cannot be read."""
    path = root / module.path
    try:
        _check_file(root, path, max_bytes)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableError("it is gone, or its name is not valid UTF-8: rename it") from error
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error


class Listed(NamedTuple):
    """A module as it lies there."""

    sha256: str
    """Digest of its bytes, or of why they cannot be read."""
    raw: bytes
    """Its bytes; none when they cannot be read."""
    reason: str
    """Why they cannot be read; empty when they can."""


def listed(root: Path, module: Module, max_bytes: int) -> Listed:
    """Return what is in the file of a module, or why that cannot be read, with its digest."""
    try:
        raw, reason = read_bytes(root, module, max_bytes), ""
    except UnreadableError as error:
        raw, reason = b"", str(error)
    return Listed(hashlib.sha256(reason.encode() or raw).hexdigest(), raw, reason)


def read_as_listed(root: Path, module: Module, max_bytes: int, sha256: str) -> bytes:
    """Return what is in the file of a module, which is what it was when that digest was taken, or `AgentFailed`.

    What is found in a file stays on record for as long as its digest is the same, so it must be found in that file.
    """
    found = listed(root, module, max_bytes)
    if found.sha256 != sha256:
        raise AgentFailed(f"{module.path} has changed since this audit began; audit again")
    if found.reason:
        raise UnreadableError(found.reason)
    return found.raw


def parse(source: str) -> ast.Module:
    """Parse source text; `UnreadableError` says where it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code under audit, which the lint survey reports on
            return ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise UnreadableError(
            f"it is not valid for {_PYTHON} ({where}); correct it, or audit with a newer Python"
        ) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise UnreadableError(f"it is nested too deeply to be parsed ({type(error).__name__})") from error


def _check_file(root: Path, path: Path, max_bytes: int) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise UnreadableError(_about_link(root, path))
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise UnreadableError(f"it is {kind}; only regular files are audited")
    if found.st_size > max_bytes:
        raise UnreadableError(
            f"it has {found.st_size:,} bytes, the limit is {max_bytes:,}; exclude it, or raise max_bytes"
        )


def _about_link(root: Path, path: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # Python 3.11 tells of a loop by RuntimeError
        return "it is a link that leads nowhere; remove it"
    if target.is_relative_to(root.resolve()):
        return f"it is a link to {target.relative_to(root.resolve()).as_posix()}, which is audited itself"
    return "it is a link to something outside of the audited folder, which is not read"


def decode(raw: bytes) -> str:
    """Return bytes as the text that Python would read; `UnreadableError` says why it would not."""
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UnreadableError("it is UTF-16, which Python does not read; save it as UTF-8")
    if b"\0" in raw:
        raise UnreadableError(f"it has a null byte at offset {raw.index(0):,}; it is not Python source")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return io.StringIO(raw.decode(encoding), newline=None).read()
    except SyntaxError as error:
        raise UnreadableError(f"its encoding cannot be determined ({error.msg}); save it as UTF-8") from error
    except (UnicodeDecodeError, LookupError) as error:
        reason = f"byte {error.start:,} is no {error.encoding}" if isinstance(error, UnicodeDecodeError) else error
        raise UnreadableError(f"its text cannot be decoded ({reason}); save it as UTF-8") from error


@dataclass
class CleanCopy:
    """A copy of everything readable, as UTF-8, under names no tool can misread.

    Tools run on the copy: they meet no pipe to hang on, no link to follow, no configuration of the audited project
    that hides something, and all of them see the same files.
    """

    root: Path
    """Where the tools run."""
    modules: dict[str, Module] = field(default_factory=dict[str, Module])
    """Path in the copy → the module."""
    unread: dict[str, str] = field(default_factory=dict[str, str])
    """Module → why it is not in the copy."""

    def sources(self) -> dict[str, str]:
        """Read the copy: module → text."""
        return {module.path: (self.root / name).read_text("utf-8") for name, module in self.modules.items()}

    def module_of(self, name: str) -> str | None:
        """Return the module behind a path that a tool reported."""
        path = Path(name)
        relative = path.relative_to(self.root) if path.is_absolute() else path
        module = self.modules.get(relative.as_posix())
        return module.path if module else None


@contextlib.contextmanager
def clean_copy(
    root: Path, modules: list[Module], max_bytes: int, workspace: Path, unread: Mapping[str, str]
) -> Generator[CleanCopy]:
    """Copy `modules` into `workspace`, which is gone behind the block; not those that the scan found `unread`.

    A workspace is kept with its run, and an audit every night would keep the whole tree each time.
    """
    try:
        yield _copied(root, modules, max_bytes, workspace, unread)
    finally:
        shutil.rmtree(workspace)


def _copied(root: Path, modules: list[Module], max_bytes: int, workspace: Path, unread: Mapping[str, str]) -> CleanCopy:
    prefix = "/".join(package_prefix(root))
    made = CleanCopy(workspace.resolve(), unread={one.path: unread[one.path] for one in modules if one.path in unread})
    for module in modules:
        if module.path in made.unread:
            continue
        try:
            source = read_source(root, module, max_bytes)
        except UnreadableError as reason:
            made.unread[module.path] = str(reason)
            continue
        name = harmless(f"{prefix}/{module.path}".lstrip("/"))
        made.modules[name] = module
        copy = made.root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source, "utf-8", newline="\n")
    return made


def harmless(name: str) -> str:
    """Return a name without control characters; a tool may print one name a line."""
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"%{ord(found[0]):02x}", name)
