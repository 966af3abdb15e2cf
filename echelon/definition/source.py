"""SOURCE: where a job is written, as people type it, and how the job is found there again from any folder.

`flows/audit.py:audit` is a file and a variable, `package.module:audit` a module and a variable. A file is imported by
the dotted name that it has in its project, because worker processes import it by that name too. `graph.json` and
`graph.yaml` are task graphs: they are read, and nothing is imported but the agents that they name, or that are given
beside them, in the same two ways: relative to the folder of the file, or else from wherever modules are found.
"""

import importlib
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

import pydantic

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.checks.criterion import Check
from echelon.definition.definition import JobDefinition
from echelon.definition.graph_file.read import is_graph_file, read_graph
from echelon.definition.success.of_graph import checks_named
from echelon.model.errors import CallerError, InvalidInput, InvalidJob
from echelon.model.phrasing import one_line

J = TypeVar("J", bound=JobDefinition)

#: Modules that come with an extra of ours → the extra.
EXTRAS: dict[str, str] = {
    "pydantic_ai": "llm",
    "openai": "llm",
    "networkx": "audit",
    "radon": "audit",
    "vulture": "audit",
}

#: Frames of these are ours or Python's; the person who reads the message wants the line of theirs.
_NOT_THEIRS = (
    str(Path(__file__).parents[1]),
    str(Path(importlib.__file__).parent),
    str(Path(pydantic.__file__).parent),
    "<frozen",
)


@dataclass(frozen=True)
class Source:
    """A SOURCE, taken apart."""

    root: Path
    """Folder that is put on the import path: the root of the project."""
    module: str
    """Dotted name of the module."""
    variable: str | None
    """Name of the job in the module; None when it has only one."""
    file: Path | None
    """The file of the module, when the SOURCE names one."""

    def stable(self, variable: str) -> str:
        """Return a SOURCE that means the same job in every folder."""
        return f"{self.file or self.module}:{variable}"


def load_job(source: str, job_type: type[J], span: int | None = None, agents: Mapping[str, str] | None = None) -> J:
    """Import the module that SOURCE names and return its job, with `job.source` set to a SOURCE valid everywhere.

    Of a task-graph file the job is the graph; `agents` are those given beside it, capability → SOURCE of an agent, and
    go before those that the file names. `span` is what the job is planned with; None leaves it its own.

    The root of the project goes to the front of the import path. Raises `InvalidInput` when there is no such file,
    module or job, when the module cannot be imported (with the line at fault), or when it is not the file named.
    """
    if is_graph_file(source):
        job = _job_of_graph(Path(source), job_type, agents or {})
    elif agents:
        raise InvalidInput(f"--agent is for task graphs, and {source} is a job in Python, which says itself who works")
    else:
        job = _job_of_module(source, job_type)
    job.span = span or job.span
    return job


def _job_of_module(source: str, job_type: type[J]) -> J:
    where = parse_source(source)
    module = _import(where)
    variable, job = _find(module, where, source, job_type)
    # A module is found from its project only, a file from everywhere.
    job.source = (where.file is None and job.location) or where.stable(variable)
    return job


def parse_source(source: str, folder: Path | None = None, what: str = "job") -> Source:
    """Take a SOURCE apart, relative to `folder` (default: the current one); `InvalidInput` when it names no file.

    `what` it is that is written there is said in messages.
    """
    here = folder or Path.cwd()
    path, variable = _split(source)
    if is_graph_file(path):
        raise InvalidInput(f"{path} is a task graph, which has no variables and no flow; give the file alone: {path}")
    _refuse_other_files(here, path)
    if not path.endswith(".py") and "/" not in path and "\\" not in path:
        if not all(part.isidentifier() for part in path.split(".")):
            raise InvalidInput(
                f"{source!r} is not a source: give a file and a variable (flows/audit.py:audit) "
                "or a module and a variable (package.module:audit)"
            )
        return Source(root=here, module=path, variable=variable, file=None)
    file = (here / path).resolve()
    if not file.is_file():
        raise InvalidInput(f"there is no file {path} (looked for {file}); give the path of the file of the {what}")
    return _of_file(file, variable)


def _job_of_graph(file: Path, job_type: type[J], given: Mapping[str, str]) -> J:
    graph = read_graph(file)
    beside = {capability: load_variable(source, Path.cwd()) for capability, source in given.items()}
    named = {
        capability: load_variable(source, file.resolve().parent, f"{file}: agents.{capability}: ")
        for capability, source in graph.agents.items()
        if capability not in beside
    }
    found = {capability: cast("AgentLike", value) for capability, (value, _) in (named | beside).items()}
    checks = {
        name: cast("Check", load_variable(name, file.resolve().parent, f"{file}: success: ", "check")[0])
        for name in checks_named(graph)
    }
    try:
        job = job_type.from_graph(graph, agents=found, checks=checks, source=str(file.resolve()))
    except InvalidJob as error:
        raise InvalidJob(f"{file}: {error}") from error
    job.agent_sources = {capability: stable for capability, (_, stable) in beside.items()}
    return job


def load_variable(source: str, folder: Path, where: str = "", what: str = "agent") -> tuple[object, str]:
    """Import what SOURCE names, seen from `folder`, and return it with a SOURCE that means the same in every folder.

    A module given by its name is looked for in the folder, then in the project that the folder is in, then wherever
    modules are found. `InvalidInput` says, behind `where`, why there is none; `what` it is that is looked for.
    """
    try:
        parsed = parse_source(source, folder, what)
        if parsed.variable is None:
            raise InvalidInput(f"{source!r} does not say which {what} of it; write module:{what} or file.py:{what}")
        parsed = replace(parsed, root=_root_of_module(parsed)) if parsed.file is None else parsed
        module = _import(parsed)
        if parsed.variable not in vars(module):
            known = ", ".join(name for name, value in vars(module).items() if _may_be(what, value, module)) or "none"
            raise InvalidInput(f"{parsed.file or parsed.module} has no {parsed.variable!r}; the {what}s in it: {known}")
    except InvalidInput as error:
        raise InvalidInput(f"{where}{error}") from error
    file = Path(getattr(module, "__file__", None) or "")
    in_project = parsed.file is None and file.name and file.resolve().is_relative_to(parsed.root)
    stable = replace(parsed, file=file.resolve()) if in_project else parsed
    return vars(module)[parsed.variable], stable.stable(parsed.variable)


def _may_be(what: str, value: object, module: ModuleType) -> bool:
    """Say whether something in a module may be what is looked for: an agent, or a function of its own that checks."""
    is_own = inspect.isfunction(value) and value.__module__ == module.__name__
    return isinstance(value, Agent) or (what == "check" and is_own)


def _root_of_module(where: Source) -> Path:
    """Return the folder, its own or the root of its project, that has the module; its own when none has."""
    top = where.module.partition(".")[0]
    folders = (where.root, project_root(where.root / "agents.py"))
    return next((one for one in folders if (one / top).is_dir() or (one / f"{top}.py").is_file()), where.root)


def project_root(file: Path) -> Path:
    """Return the folder from which the module in `file` is imported.

    It is the nearest folder above that has a pyproject.toml (its `src` when the file is in there) or whose `flows` the
    file is in; where there is none, the folder that holds the outermost package of the file.
    """
    for folder in _importable_above(file):
        if (folder / "pyproject.toml").exists() or file.is_relative_to(folder / "flows"):
            inside = folder / "src"
            return inside if file.is_relative_to(inside) else folder
    return next(folder for folder in file.parents if not (folder / "__init__.py").exists())


def _importable_above(file: Path) -> Iterator[Path]:
    """Yield the folders from which `file` has a dotted name, innermost first."""
    for folder in file.parents:
        yield folder
        if not folder.name.isidentifier():
            return


def _split(source: str) -> tuple[str, str | None]:
    path, colon, variable = source.rpartition(":")
    if not colon or variable.startswith(("\\", "/")):  # a drive of Windows
        return source, None
    if not path or not variable.isidentifier():
        raise InvalidInput(f"{source!r} is not a source: what follows the ':' must be the name of a variable")
    return path, variable


def _refuse_other_files(folder: Path, path: str) -> None:
    """Refuse a file that is there and is neither Python nor a task graph, before it is taken for a module."""
    file = folder / path
    if file.suffix not in {"", ".py"} and file.is_file():
        raise InvalidInput(
            f"{path} is neither a job nor a task graph: a job is written in a file that ends in .py, a task graph in "
            "one that ends in .json, .yaml or .yml; give such a file"
        )


def _of_file(file: Path, variable: str | None) -> Source:
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise InvalidInput(f"{file} cannot be imported: a job's file is named like a variable and ends in .py")
    root = project_root(file)
    module = ".".join(file.relative_to(root).with_suffix("").parts)
    return Source(root=root, module=module, variable=variable, file=file)


def _import(where: Source) -> ModuleType:
    _put_on_path(where.root)
    try:
        module = importlib.import_module(where.module)
    except CallerError as error:
        raise InvalidInput(f"{_line_of(error, where)}: {error}") from error
    except ModuleNotFoundError as error:
        raise InvalidInput(_not_found(error, where)) from error
    except (Exception, SystemExit) as error:
        raise InvalidInput(f"{_line_of(error, where)}: {_in_one_line(error)}; correct it, then try again") from error
    _refuse_stranger(module, where)
    return module


def _put_on_path(root: Path) -> None:
    """Put the root of a project first on the import path; refuse one whose modules would hide Python's own."""
    for entry in sorted(root.iterdir()):
        name = entry.name.removesuffix(".py")
        if name in sys.stdlib_module_names and _is_module(entry):
            raise InvalidInput(f"{entry} would hide the module {name!r} of Python; give it another name")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    importlib.invalidate_caches()


def _is_module(entry: Path) -> bool:
    return entry.suffix == ".py" or (entry / "__init__.py").is_file()


def _refuse_stranger(module: ModuleType, where: Source) -> None:
    """Refuse a module of the same name that lies elsewhere: it was imported before, or is installed."""
    found = getattr(module, "__file__", None)
    if where.file is not None and (found is None or Path(found).resolve() != where.file):
        raise InvalidInput(
            f"{where.file} is imported as {where.module!r}, but that name already means {found}; rename one of them"
        )


def _not_found(error: ModuleNotFoundError, where: Source) -> str:
    missing = error.name or ""
    if where.file is not None and missing == where.module:
        return _hidden(where.file, where.module.partition(".")[0])
    if where.module == missing or where.module.startswith(f"{missing}."):
        return f"no module named {missing!r} in {where.root}, and none is installed; or give a file: flows/audit.py"
    top = missing.partition(".")[0]
    extra = EXTRAS.get(top)
    package = f"'echelon[{extra}]'" if extra else top.replace("_", "-")
    return f"{_line_of(error, where)}: module {missing!r} is not installed; try: pip install {package}"


def _hidden(file: Path, package: str) -> str:
    """Explain why a file that is there cannot be found by its dotted name: its folder is no package, another one is."""
    found = getattr(sys.modules.get(package), "__file__", None)
    return f"{file} cannot be imported, because {package!r} already means {found}; put an __init__.py beside the file"


def _line_of(error: BaseException, where: Source) -> str:
    """Return file:line of the statement at fault, the innermost that is not Python's or ours."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_NOT_THEIRS)]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else str(where.file or where.module)


def _in_one_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else one_line(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _find(module: ModuleType, where: Source, source: str, job_type: type[J]) -> tuple[str, J]:
    jobs = {name: value for name, value in vars(module).items() if isinstance(value, job_type)}
    distinct = {id(job): name for name, job in reversed(jobs.items())}
    names = ", ".join(sorted(jobs)) or "none"
    if where.variable is None:
        if len(distinct) != 1:
            raise InvalidInput(f"{source} has {len(distinct)} jobs ({names}); name one, as in {source}:NAME")
        return (name := next(iter(distinct.values()))), jobs[name]
    if where.variable not in vars(module):
        raise InvalidInput(f"{where.file or where.module} has no {where.variable!r}; the jobs in it: {names}")
    if where.variable not in jobs:
        kind = type(vars(module)[where.variable]).__name__
        raise InvalidInput(f"{where.variable!r} in {where.file or where.module} is a {kind}, not a Job; jobs: {names}")
    return where.variable, jobs[where.variable]
