"""Plain values into a task graph: our own format, whose keys are those of `TaskGraph` and `TaskSpec`.

Four conveniences: a dependency may be just the id of a task, what must be true of its result just a text or the name of
a check, the goal of a task may be left out, and so may the name and the goal of the graph. Texts that name tasks are
brought into one normal form of Unicode, so that it does not matter which way an editor or a file system writes an
accent.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import FailFast, TypeAdapter, ValidationError

from echelon.definition.graph_file.errors import explained
from echelon.definition.graph_file.values import shown
from echelon.model.adapter import JsonObject
from echelon.model.edges import is_listing, is_object
from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, TaskGraph, TaskSpec
from echelon.model.organisation import Structure
from echelon.model.phrasing import UNSAFE

#: The first wrong task is told; a million wrong ones must not be collected.
_TASKS = TypeAdapter[tuple[TaskSpec, ...]](Annotated[tuple[TaskSpec, ...], FailFast()])

_COUPLINGS: Mapping[str, Coupling] = {str(one): one for one in Coupling}
_STRUCTURES: Mapping[str, Structure] = {str(one): one for one in Structure}

#: Texts of a task that stand in names, tables and pictures.
_NAMES = ("domain", "phase", "capability", "model")

#: How checks are named: `module:check`, `package.module:check`, `file.py:check`.
_CHECK = re.compile(r"[\w./\\-]+:[^\W\d]\w*")

#: What would break a line, a table or a terminal wherever the id of a task is shown.
_UNPRINTABLE = re.compile(f"[{UNSAFE}\t\n]")


def graph_of(document: Any, name: str) -> TaskGraph:
    """Return the graph that a document describes, called `name` when it has no name of its own.

    The tasks of the document are completed where they stand: with a million of them a copy is a gigabyte.
    Raises `InvalidInput` that names the key or the ids at fault. Types are strict: `"5"` is no number, `1` no id.
    """
    given = _tasks_in(document)
    _check_printable("name: it", document.get("name", name))
    _refuse_twins(given)
    for number, task in enumerate(given):
        _complete(task)
        _check_id(task, number)
        _check_names(task, number)
    try:
        tasks = _TASKS.validate_python(given, strict=True)
    except ValidationError as error:
        raise explained(document, error, above=("tasks",)) from error
    try:
        graph = TaskGraph.model_validate({**_completed(document, name), "tasks": tasks}, strict=True)
    except ValidationError as error:
        raise explained(document, error) from error
    _check_needs(graph)
    return graph


def _tasks_in(document: object) -> tuple[object, ...]:
    if not is_object(document):
        raise InvalidInput('a task graph is an object with a list of tasks: {"tasks": [{"id": …}, …]}')
    tasks: object = document.get("tasks", ())
    if not is_listing(tasks) or isinstance(tasks, list):
        raise InvalidInput(f"tasks: must be a list, not {shown(tasks)}")
    if not tasks:
        raise InvalidInput("the graph has no tasks; list at least one under 'tasks'")
    return tasks


def _completed(document: JsonObject, name: str) -> JsonObject:
    """Fill in what the graph itself may leave out."""
    called = document.get("name", name)
    made = {"name": name, "goal": f"Do all tasks of {called if isinstance(called, str) else name}", **document}
    return made | {"organisation": _organisation(made["organisation"])} if "organisation" in made else made


def _refuse_twins(tasks: tuple[object, ...]) -> None:
    """Refuse ids that look alike because they only differ in how their letters are encoded."""
    ids: list[object] = [task.get("id") for task in tasks if is_object(task)]
    first: dict[str, str] = {}
    for task_id in (one for one in ids if isinstance(one, str) and not one.isascii()):
        twin = first.setdefault(_normal(task_id), task_id)
        if twin != task_id:
            raise InvalidInput(
                f"the ids {twin!a} and {task_id!a} look alike, they differ only in how letters are encoded; "
                "rename one of them"
            )


def _complete(task: object) -> None:
    """Fill in what a task may leave out; whatever is no task is left to be refused with its place."""
    if not is_object(task):
        return
    task.setdefault("goal", task.get("id"))
    if "id" in task:
        task["id"] = _normal(task["id"])
    for key, read in _SHORT.items():
        named: object = task.get(key)
        if is_listing(named):
            task[key] = tuple(map(read, named))


def _check_id(task: object, number: int) -> None:
    """Refuse an id that is blank, or would break the line it is shown on; what is no text is refused by its type."""
    task_id: object = task.get("id") if is_object(task) else None
    if not isinstance(task_id, str):
        return
    if not task_id.strip():
        raise InvalidInput(f"tasks[{number}].id (id {shown(task_id)}): an id must not be blank")
    _check_printable(f"tasks[{number}].id (id {shown(task_id)}): an id", task_id)


def _check_names(task: object, number: int) -> None:
    """Refuse names that would break the lines they are shown on."""
    if not is_object(task):
        return
    for key in _NAMES:
        _check_printable(f"tasks[{number}].{key} (id {shown(task.get('id'))}): it", task.get(key))


def _check_printable(what: str, text: object) -> None:
    if isinstance(text, str) and (found := _UNPRINTABLE.search(text)):
        raise InvalidInput(f"{what} must not contain control characters or line breaks, as U+{ord(found[0]):04X}")


def _dependency(given: object) -> object:
    if isinstance(given, str):
        return {"task": _normal(given)}
    if not is_object(given):
        return given
    known: JsonObject = {"task": _normal(given["task"])} if "task" in given else {}
    coupling: object = given.get("coupling")
    if isinstance(coupling, str) and coupling in _COUPLINGS:
        known["coupling"] = _COUPLINGS[coupling]
    return {**given, **known}


def _organisation(organisation: object) -> object:
    if not is_object(organisation):
        return organisation
    structure: object = organisation.get("structure")
    if isinstance(structure, str) and structure in _STRUCTURES:
        return {**organisation, "structure": _STRUCTURES[structure]}
    return organisation


def _normal(text: Any) -> Any:
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


def _criterion(given: object) -> object:
    """Read a text as what it is: the name of a check where it looks like one, with nothing but that in it."""
    if not isinstance(given, str):
        return given
    return {"check": given} if _CHECK.fullmatch(given) else {"text": given}


#: Keys with lists whose entries may be just a text, and how each entry is read.
_SHORT: Mapping[str, Callable[[Any], object]] = {
    "depends_on": _dependency,
    "verifies": _normal,
    "success": _criterion,
}


def _check_needs(graph: TaskGraph) -> None:
    """Refuse a task that waits for a phase which does not end before its own begins: in a file they come in order."""
    order = {name: place for place, name in enumerate(dict.fromkeys(task.phase for task in graph.tasks if task.phase))}
    for task in graph.tasks:
        late = [phase for phase in task.needs if order.get(phase, len(order)) >= order.get(task.phase or "", 0)]
        if late:
            raise InvalidInput(
                f"task {task.id!r} needs the phase {late[0]!r}, which is not a phase before its own "
                f"({shown(task.phase) if task.phase else 'it has none'}); phases run in the order they first appear in"
            )
