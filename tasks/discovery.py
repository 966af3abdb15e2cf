"""Which modules there are: every Python file below a folder, none left out silently."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from contracts.modules import Module

#: Folders that hold no code of the project's own.
DEFAULT_EXCLUDE = (
    *(".git", ".hg", ".svn", "node_modules", "__pycache__", "__pypackages__", "site-packages"),
    *(".venv", "venv", ".tox", ".nox", ".eggs", "*.egg-info", "build", "dist"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints"),
)


def discover(path: Path, exclude: Sequence[str] = DEFAULT_EXCLUDE) -> list[Module]:
    """List every Python file below `path`, in order.

    Links to folders are not followed. Links to files, pipes, broken names and folders that cannot be listed are
    modules too: inspecting them fails with the reason, so that nothing is left out without a word.
    """
    names = sorted(_files(path, exclude))
    packages: dict[Path, str] = {}
    return [Module(path=_shown(name), package=_package(path, Path(name).parent, packages)) for name in names]


def _files(root: Path, exclude: Sequence[str]) -> Iterator[str]:
    barred: list[str] = []
    for folder, subfolders, names in os.walk(root, onerror=lambda error: barred.append(str(error.filename))):
        below = Path(folder).relative_to(root)
        subfolders[:] = [name for name in subfolders if not is_excluded(root, below / name, exclude)]
        yield from ((below / name).as_posix() for name in names if name.endswith(".py"))
    yield from (Path(folder).relative_to(root).as_posix() for folder in barred)


def is_excluded(root: Path, folder: Path, exclude: Sequence[str]) -> bool:
    """Say whether a folder below `root` is left out: its name or path is, or it is a virtual environment."""
    named = any(fnmatch(folder.name, pattern) or fnmatch(folder.as_posix(), pattern) for pattern in exclude)
    return named or (root / folder / "pyvenv.cfg").exists()


def package_prefix(root: Path) -> tuple[str, ...]:
    """Return the names of the packages that `root` itself is in, outermost first."""
    root = root.resolve()
    names: list[str] = []
    while _is_package(root):
        names.append(root.name)
        root = root.parent
    return tuple(reversed(names))


def _package(root: Path, folder: Path, known: dict[Path, str]) -> str:
    if folder not in known:
        prefix = package_prefix(root)
        parts = folder.parts if prefix else folder.parts[_above(root, folder) :]
        known[folder] = ".".join(map(_label, (*prefix, *parts))) or _label(root.resolve().name) or "root"
    return known[folder]


def _above(root: Path, folder: Path) -> int:
    """Count the folders above the outermost package: src/app/core is app.core when app is a package, and src none."""
    outer = (depth for depth in range(1, len(folder.parts) + 1) if _is_package(root / Path(*folder.parts[:depth])))
    return next(outer, 1) - 1


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _label(name: str) -> str:
    return _shown(name).replace(".", "_")


def _shown(name: str) -> str:
    """Return a file name as text; bytes that are no UTF-8 are shown as escapes."""
    return os.fsencode(name).decode(errors="backslashreplace")
