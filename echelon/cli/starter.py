"""The files a new project starts with: a small job with its tests, or one of the jobs that come with Echelon.

Of those jobs there is one source and no copy. The files of the small project end in `.txt`: they are no modules here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

FOLDERS = ("flows", "tasks", "contracts", "deployments")

Template = Literal["small", "audit", "research", "mend"]
"""What a new project begins with."""

#: The files and folders of a job, beside those that say that a folder is a package; the audit has all others.
_OWN: dict[Template, tuple[str, ...]] = {
    "research": ("flows/research.py", "tasks/research", "contracts/research.py"),
    "mend": ("flows/mend.py", "tasks/mending", "contracts/mending.py"),
}
#: What several jobs are made of.
_SHARED: dict[str, tuple[Template, ...]] = {
    "tasks/diffs.py": ("audit", "mend"),
    "tasks/writing.py": ("audit", "research"),
}
_PACKAGES = ("flows/__init__.py", "tasks/__init__.py", "contracts/__init__.py")

#: The extra that a job needs.
_EXTRA: dict[Template, str] = {"audit": "audit", "research": "llm", "mend": "audit"}

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["echelon[{extra}]"]
"""

README = """\
# {name}

A project of Echelon: many agents, run as one organisation, on Prefect.

    echelon doctor                                            is everything here?
    {command}
    echelon runs                                              what was run

`echelon plan` instead of `echelon run` shows how it would be organised; nothing is run then.

| folder | what is in it |
|---|---|
| `flows/` | the jobs |
| `tasks/` | the agents and integrators they are made of |
| `contracts/` | the typed handoffs between them |
{more}"""

#: A row for the folder that the audit has, and others have not.
_DEPLOYMENTS = "| `deployments/` | how they recur and where they run |\n"


def starter_root() -> Path:
    """Return the folder that holds the starter's folders: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent


#: What is typed first in a new project.
FIRST_COMMANDS: dict[Template, str] = {
    "small": "echelon run flows/words.py:words",
    "audit": "echelon run flows/audit.py:audit --param path=.",
    "research": "echelon run flows/research.py:research --param folder=. --param question='What is in which folder?'",
    "mend": "echelon run flows/mend.py:mend --param path=. --out mended",
}

#: What the files of the small project end in, and where in them the name of the project stands.
_SUFFIX, _NAME = ".txt", "{name}"


def starter_files(name: str, template: Template = "small") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of a new project called `name`; paths have forward slashes."""
    return _small_files(name) if template == "small" else _job_files(name, template)


def _small_files(name: str) -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parent / "small_project"
    for file in sorted(root.rglob(f"*{_SUFFIX}")):
        content = file.read_text(encoding="utf-8").replace(_NAME, name)
        yield file.relative_to(root).as_posix().removesuffix(_SUFFIX), content.encode()


def _job_files(name: str, template: Template) -> Iterator[tuple[str, bytes]]:
    yield "pyproject.toml", PYPROJECT.format(name=name, extra=_EXTRA[template]).encode()
    more = _DEPLOYMENTS if template == "audit" else ""
    yield "README.md", README.format(name=name, command=FIRST_COMMANDS[template], more=more).encode()
    root = starter_root()
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root)
            if file.is_file() and not _left_out(path) and _belongs(path.as_posix(), template):
                yield path.as_posix(), file.read_bytes()


def _belongs(path: str, template: Template) -> bool:
    if path in _PACKAGES:
        return True
    if path in _SHARED:
        return template in _SHARED[path]
    owner = next(
        (job for job, own in _OWN.items() if any(path == one or path.startswith(f"{one}/") for one in own)), None
    )
    return (owner or "audit") == template


def _left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in path.parts)
