"""Where each parameter of a function gets its value from, decided once when the job is defined."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from echelon.agents.call import Call, CallShape, Workspace
from echelon.agents.checks.rounds import Rounds
from echelon.agents.handoffs import Handoffs, Previous, checked_max_age
from echelon.model.assignment import Assignment, Brief
from echelon.model.errors import InvalidJob
from echelon.model.verification.trace import Trace
from echelon.model.views.items import Changes

Source = Callable[[Call], object]

#: The parameter of a check that gets the output it judges.
OUTPUT = "output"
#: And the one that gets what the work left behind.
TRACE = "trace"
#: Annotations that do not say what a parameter takes.
_SAYS_NOTHING = (None, Any, object)

#: Parameters recognised by their type alone.
_BY_TYPE: dict[Any, Source] = {
    Brief: lambda call: call.brief,
    Assignment: lambda call: call.brief.assignment,
    Workspace: lambda call: call.make_workspace(),
    Changes: lambda call: call.changes(),
}


#: Types of parameters through which an agent knows of earlier phases.
_OF_UPSTREAM = (Handoffs, Brief, Assignment)

#: And by what their type is made of.
_BY_ORIGIN: dict[Any, Source] = {
    Previous: lambda call: call.previous,
    Rounds: attrgetter("rounds"),
}


@dataclass(frozen=True)
class Binding:
    """Parameter name → where its value comes from."""

    sources: dict[str, Source]
    sees_upstream: bool = False
    """Is it given anything of what earlier phases delivered, or what its brief says of that?"""

    @property
    def takes_output(self) -> bool:
        """Does it ask for the output that it judges?"""
        return _output in self.sources.values()

    @property
    def takes_trace(self) -> bool:
        """Does it ask for what the work left behind?"""
        return _trace in self.sources.values()

    @property
    def item(self) -> str | None:
        """The parameter that gets the item; None when none does."""
        return next((name for name, source in self.sources.items() if source is _item), None)

    def asks_for(self, kind: type) -> bool:
        """Say whether a parameter gets what is known by a type alone, such as `Changes` or `Previous[...]`."""
        return (_BY_TYPE.get(kind) or _BY_ORIGIN.get(kind)) in self.sources.values()

    def arguments(self, call: Call) -> dict[str, Any]:
        """Take what the parameters ask for out of a call."""
        return {name: source(call) for name, source in self.sources.items()}


def hints_of(function: Callable[..., object], name: str) -> dict[str, Any]:
    """Return the annotations of a function as types; `InvalidJob` when one of them is not known at run time."""
    try:
        return get_type_hints(function)
    except NameError as error:
        raise InvalidJob(
            f"the annotations of {name!r} cannot be read: {error}; import that name at the top of the module, "
            "and not for type checkers only"
        ) from error


def bind(function: Callable[..., object], name: str, shape: CallShape) -> Binding:
    """Find a source for every parameter of `function`.

    By type: `Brief`, `Assignment`, `Workspace`, `Handoffs[...]`, `Previous[...]` and the job's inputs; the first
    parameter left over is the item, when there is one call for each; every other one is an input of the same name.
    """
    hints = hints_of(function, name)
    sources: dict[str, Source] = {}
    item_taken = not shape.takes_item
    for parameter in _parameters(function):
        annotation = hints.get(parameter.name)
        source = _typed(parameter.name, annotation, shape)
        if (get_origin(annotation) or annotation) is Previous:
            source = _previous(function, name, parameter.name)
        if source is None and not item_taken and _may_be_item(parameter.name, annotation, shape):
            item_taken, source = True, _item
        source = source or _input(parameter.name, shape)
        if source is not None:
            sources[parameter.name] = source
        elif parameter.default is inspect.Parameter.empty:
            raise InvalidJob(_no_source(name, parameter.name, shape))
    sees = any((get_origin(hint) or hint) in _OF_UPSTREAM for name, hint in hints.items() if name != "return")
    return Binding(sources, sees_upstream=sees)


def bind_inputs(
    function: Callable[..., object], name: str, inputs_type: type[BaseModel]
) -> Callable[[BaseModel], dict[str, Any]]:
    """Find a source for every parameter of a function that gets the inputs of the job and nothing else."""
    hints = hints_of(function, name)
    readers: dict[str, Callable[[BaseModel], object]] = {}
    for parameter in _parameters(function):
        if hints.get(parameter.name) is inputs_type:
            readers[parameter.name] = lambda inputs: inputs
        elif parameter.name in inputs_type.model_fields:
            readers[parameter.name] = attrgetter(parameter.name)
        elif parameter.default is inspect.Parameter.empty:
            raise InvalidJob(_no_source(name, parameter.name, CallShape(inputs_type=inputs_type)))
    return lambda inputs: {parameter: read(inputs) for parameter, read in readers.items()}


def bind_item_and_inputs(
    function: Callable[..., object], name: str, inputs_type: type[BaseModel], *, takes_item: bool
) -> Callable[[object, BaseModel], dict[str, Any]]:
    """Find a source for every parameter of a function that gets an item, if there is one, and the inputs of the job.

    The inputs by their type, or by the name `inputs`; the first parameter left over is the item, every other one an
    input of the same name.
    """
    hints = hints_of(function, name)
    readers: dict[str, Callable[[object, BaseModel], object]] = {}
    item_taken = not takes_item
    for parameter in _parameters(function):
        stated = hints.get(parameter.name)
        if stated is inputs_type or (parameter.name == "inputs" and stated in _SAYS_NOTHING):
            readers[parameter.name] = lambda _item, inputs: inputs
        elif not item_taken:
            item_taken = True
            readers[parameter.name] = lambda item, _inputs: item
        elif parameter.name in inputs_type.model_fields:
            readers[parameter.name] = partial(_field_of_inputs, parameter.name)
        elif parameter.default is inspect.Parameter.empty:
            raise InvalidJob(_no_source(name, parameter.name, CallShape(inputs_type=inputs_type)))
    return lambda item, inputs: {parameter: read(item, inputs) for parameter, read in readers.items()}


def _field_of_inputs(field: str, _item: object, inputs: BaseModel) -> object:
    return getattr(inputs, field)


#: Kinds of parameters that nothing is given to, because they have no name of their own.
_NAMELESS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """Return what can be given by name, without `**options`; `InvalidJob` for a parameter that cannot."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError as error:  # a type or a function that is not written in Python
        raise InvalidJob(f"{function!r} does not say what its parameters are: put a function around it") from error
    for one in parameters:
        if one.kind in _NAMELESS:
            name = getattr(function, "__name__", repr(function))
            raise InvalidJob(f"{name}: nothing can be given to its parameter {str(one)!r}: use parameters with names")
    return [one for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]


def _typed(parameter: str, annotation: object, shape: CallShape) -> Source | None:
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]
    origin = get_origin(annotation) or annotation
    if origin in _BY_ORIGIN:
        return _BY_ORIGIN[origin]
    if origin is Handoffs:
        wanted = (get_args(annotation) or (Any,))[0]
        received = _one_phase(parameter) if parameter in shape.upstream else _all_phases
        return lambda call: received(call).read_as(wanted)
    judged = _judged(parameter, annotation, shape)
    if judged is not None:
        return judged
    if shape.item_type is not None and annotation is shape.item_type:
        return _item
    return _inputs if annotation is shape.inputs_type else None


def _previous(function: Callable[..., object], name: str, parameter: str) -> Source:
    """Return what gives a parameter the previous output, as old as its annotation lets it be (C9)."""
    stated = get_type_hints(function, include_extras=True)[parameter]
    ages = [one for one in getattr(stated, "__metadata__", ()) if isinstance(one, timedelta)]
    max_age = checked_max_age(f"agent {name!r}, parameter {parameter!r}", min(ages, default=None))
    return _BY_ORIGIN[Previous] if max_age is None else lambda call: call.previous.within(max_age)


def _judged(parameter: str, annotation: object, shape: CallShape) -> Source | None:
    """Return where a check gets what it judges from: the output, and what the work left behind."""
    if shape.checks is None:
        return None
    if parameter == OUTPUT or _is_output(annotation, shape.checks):
        return _output
    return _trace if annotation is Trace or (parameter == TRACE and annotation in _SAYS_NOTHING) else None


def _may_be_item(parameter: str, annotation: object, shape: CallShape) -> bool:
    """Say whether a parameter that nothing else was found for gets the item: a check knows its inputs by name first."""
    field = shape.inputs_type.model_fields.get(parameter)
    if shape.checks is not None and field is not None and annotation in (*_SAYS_NOTHING, field.annotation):
        return False
    return shape.item_type is None or annotation in _SAYS_NOTHING


def _inputs(call: Call) -> object:
    return call.inputs


def _is_output(annotation: object, output_type: object) -> bool:
    """Say whether a parameter of a check asks for the output by its type; plain values may be anything else, too."""
    return annotation is output_type and isinstance(annotation, type) and annotation.__module__ != "builtins"


def _item(call: Call) -> object:
    return call.item


def _output(call: Call) -> object:
    assert call.output is not None, "a check is called with what it checks"
    return call.output.load()


def _trace(call: Call) -> object:
    return call.trace or Trace(leaves_trace=False)


#: Where a check that judges a single task gets something from: the rounds are those of one task, too.
OF_ONE_TASK: tuple[Source, ...] = (_item, _output, _trace, _BY_ORIGIN[Rounds])


def _one_phase(phase: str) -> Callable[[Call], Handoffs[object]]:
    return lambda call: call.upstream.get(phase, Handoffs())


def _all_phases(call: Call) -> Handoffs[object]:
    return Handoffs(
        [received for handoffs in call.upstream.values() for received in handoffs],
        [missing for handoffs in call.upstream.values() for missing in handoffs.missing],
        [received for handoffs in call.upstream.values() for received in handoffs.unmerged],
    )


def _input(name: str, shape: CallShape) -> Source | None:
    if name not in shape.inputs_type.model_fields:
        return None
    return lambda call: getattr(call.inputs, name)


def _no_source(agent: str, parameter: str, shape: CallShape) -> str:
    inputs = ", ".join(shape.inputs_type.model_fields) or "none"
    item = f"{shape.item_type.__name__}, " if shape.item_type else ""
    return (
        f"agent {agent!r}: nothing gives its parameter {parameter!r} a value. It is not an input of the job "
        f"(inputs: {inputs}); give it a default, rename it, or annotate it as {item}Brief, Handoffs[...] or Workspace"
    )
