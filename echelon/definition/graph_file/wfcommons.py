"""WfCommons' WfFormat 1.x into our own format: scientific workflows, with the seconds that their tasks took.

From 1.5 on a file has a `specification` with the tasks and an `execution` with their runtimes, and tasks name each
other by id. Before, both are in one list, and tasks name each other by name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, FailFast, Field, ValidationError

from echelon.definition.graph_file.errors import explained
from echelon.definition.graph_file.values import shown
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput

_VERSION = re.compile(r"1(\.[0-9]+)+")

#: What makes the name of a task unique, behind the name of what it does: `blastall_ID000002`, `cpuhog_00000001`.
_NUMBER = re.compile(r"_?ID[0-9]+$|[-_.:#][0-9]+$")

_Seconds = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    """A part of a WfFormat file; what planning does not need is left unread."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Task(_Part):
    name: str
    id: str | None = None
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    category: str | None = None
    seconds: _Seconds = Field(default=None, validation_alias=AliasChoices("runtimeInSeconds", "runtime"))

    @property
    def key(self) -> str:
        """Its id; in the oldest files the name is one."""
        return self.name if self.id is None else self.id


class _Runtime(_Part):
    id: str
    seconds: _Seconds = Field(default=None, validation_alias="runtimeInSeconds")


class _Specification(_Part):
    tasks: Annotated[tuple[_Task, ...], FailFast()]


class _Execution(_Part):
    tasks: Annotated[tuple[_Runtime, ...], FailFast()] = ()


class _Workflow(_Part):
    specification: _Specification | None = None
    execution: _Execution | None = None
    tasks: Annotated[tuple[_Task, ...] | None, FailFast()] = Field(
        default=None, validation_alias=AliasChoices("tasks", "jobs")
    )


class _File(_Part):
    name: str | None = None
    description: str | None = None
    workflow: _Workflow


def is_wfformat(document: object) -> bool:
    """Tell whether a document is meant as a WfFormat file."""
    return isinstance(document, dict) and ("workflow" in document or "schemaVersion" in document)


def translated(document: Any) -> JsonObject:
    """Return a WfFormat 1.x document in our own format; `InvalidInput` names the key or the ids at fault.

    A dependency is an edge whether the parent or the child tells it. Its coupling is not in the format, so that it is
    the default one. What a task does, its name without its number, becomes the capability it takes.
    """
    version = document.get("schemaVersion")
    if not _VERSION.fullmatch(str(version) if isinstance(version, str | float) else ""):
        raise InvalidInput(f"schemaVersion {shown(version)} is not read; WfFormat 1.x is, as '1.5'")
    try:
        file = _File.model_validate(document, strict=True)
    except ValidationError as error:
        raise explained(document, error) from error
    named = {"name": file.name} if file.name else {}
    aimed = {"goal": file.description} if file.description else {}
    return {**named, **aimed, "tasks": _translated_tasks(file.workflow)}


def _translated_tasks(workflow: _Workflow) -> tuple[JsonObject, ...]:
    by_id = workflow.specification is not None
    tasks = workflow.specification.tasks if workflow.specification else workflow.tasks
    if tasks is None:
        raise InvalidInput("workflow: it has neither 'specification' nor 'tasks'; one of them lists the tasks")
    parents = _parents(tasks, _Names(tasks, by_id=by_id))
    seconds = _measured(tasks, workflow.execution)
    return tuple(_translated_task(task, parents[task.key], seconds.get(task.key, task.seconds)) for task in tasks)


def _translated_task(task: _Task, parents: Iterable[str], seconds: float | None) -> JsonObject:
    capability = task.category or _NUMBER.sub("", task.name)
    return {
        "id": task.key,
        "goal": task.name,
        "depends_on": tuple(parents),
        **({"seconds": seconds} if seconds is not None else {}),
        **({"capability": capability} if capability else {}),
    }


class _Names:
    """Finds the id of a task that another one names."""

    def __init__(self, tasks: Sequence[_Task], *, by_id: bool) -> None:
        ids = {task.key: [task.key] for task in tasks}
        names: dict[str, list[str]] = {}
        for task in tasks:
            names.setdefault(task.name, []).append(task.key)
        self._known: tuple[Mapping[str, list[str]], ...] = (ids, names) if by_id else (names, ids)

    def id_of(self, name: str, task: _Task, role: str) -> str:
        """Return the id of the task called `name`; `InvalidInput` when there is none, or more than one."""
        found = next((known[name] for known in self._known if name in known), list[str]())
        if not found:
            raise InvalidInput(
                f"task {shown(task.key)} has the {role} {shown(name)}, which is not a task; correct its id"
            )
        if len(found) > 1:
            several = ", ".join(shown(one) for one in found[:5])
            raise InvalidInput(
                f"task {shown(task.key)} has the {role} {shown(name)}, which is the name of several tasks ({several}); "
                "give their ids"
            )
        return found[0]


def _parents(tasks: Sequence[_Task], names: _Names) -> Mapping[str, Mapping[str, None]]:
    """Return the ids of the parents of each task, each once: as it tells them, then as they tell it."""
    parents: dict[str, dict[str, None]] = {task.key: {} for task in tasks}
    for task in tasks:
        parents[task.key].update(dict.fromkeys(names.id_of(name, task, "parent") for name in task.parents))
    for task in tasks:
        for name in task.children:
            parents[names.id_of(name, task, "child")][task.key] = None
    return parents


def _measured(tasks: Sequence[_Task], execution: _Execution | None) -> Mapping[str, float]:
    """Return the seconds that each task was seen to take; `InvalidInput` for a runtime of no task, or a second one."""
    known = {task.key for task in tasks}
    seconds: dict[str, float] = {}
    for runtime in _runtimes(execution):
        if runtime.id not in known:
            raise InvalidInput(f"workflow.execution.tasks: {shown(runtime.id)} is not a task of the specification")
        if runtime.id in seconds:
            raise InvalidInput(f"workflow.execution.tasks: task {shown(runtime.id)} has two runtimes; keep one of them")
        if runtime.seconds is not None:
            seconds[runtime.id] = runtime.seconds
    return seconds


def _runtimes(execution: _Execution | None) -> Iterator[_Runtime]:
    yield from execution.tasks if execution else ()
