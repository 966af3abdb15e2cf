"""The files a new project starts with: a small job with its tests, or the audit that comes with Echelon.

Of the audit there is one source and no copy. The files of the small project end in `.txt`: they are no modules here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

FOLDERS = ("flows", "tasks", "contracts", "deployments")

Template = Literal["small", "audit"]
"""What a new project begins with."""

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["echelon[audit]"]
"""

README = """\
# {name}

A project of Echelon: many agents, run as one organisation, on Prefect.

    echelon doctor                                            is everything here?
    echelon plan flows/audit.py:audit --param path=.          how it would be organised; nothing is run
    echelon run flows/audit.py:audit --param path=.           run it
    echelon runs                                              what was run

| folder | what is in it |
|---|---|
| `flows/` | the jobs |
| `tasks/` | the agents and integrators they are made of |
| `contracts/` | the typed handoffs between them |
| `deployments/` | how they recur and where they run |
"""


def starter_root() -> Path:
    """Return the folder that holds the starter's folders: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent


#: What is typed first in a new project.
FIRST_COMMANDS: dict[Template, str] = {
    "small": "echelon run flows/words.py:words",
    "audit": "echelon run flows/audit.py:audit --param path=.",
}

#: What the files of the small project end in, and where in them the name of the project stands.
_SUFFIX, _NAME = ".txt", "{name}"


def starter_files(name: str, template: Template = "small") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of a new project called `name`; paths have forward slashes."""
    return _FILES[template](name)


def _small_files(name: str) -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parent / "small_project"
    for file in sorted(root.rglob(f"*{_SUFFIX}")):
        content = file.read_text(encoding="utf-8").replace(_NAME, name)
        yield file.relative_to(root).as_posix().removesuffix(_SUFFIX), content.encode()


def _audit_files(name: str) -> Iterator[tuple[str, bytes]]:
    yield "pyproject.toml", PYPROJECT.format(name=name).encode()
    yield "README.md", README.format(name=name).encode()
    root = starter_root()
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and not _left_out(file.relative_to(root)):
                yield file.relative_to(root).as_posix(), file.read_bytes()


def _left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in path.parts)


_FILES: dict[Template, Callable[[str], Iterator[tuple[str, bytes]]]] = {"small": _small_files, "audit": _audit_files}
