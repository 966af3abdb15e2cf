"""The files a new project starts with: the jobs, tasks and contracts that come with Echelon. One source, no copies."""

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("flows", "tasks", "contracts", "deployments")

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


def starter_files(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of a new project called `name`; paths have forward slashes."""
    yield "pyproject.toml", PYPROJECT.format(name=name).encode()
    yield "README.md", README.format(name=name).encode()
    root = starter_root()
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and not _left_out(file.relative_to(root)):
                yield file.relative_to(root).as_posix(), file.read_bytes()


def _left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in path.parts)
