"""A Python function as an agent: async on the loop, sync in a thread, CPU-bound in a process of its own."""

import contextvars
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast, get_args, get_origin

from echelon.agents.agent import Effect
from echelon.agents.asides.asides import NOTHING_ASKED, Asides
from echelon.agents.binding import Binding, bind, hints_of
from echelon.agents.call import Call, CallShape
from echelon.agents.checks.criterion import Criterion
from echelon.agents.fallback import Fallback
from echelon.agents.outcome import Outcome, outcome_of
from echelon.agents.processes.workers import Workers
from echelon.agents.threads import call_in_thread
from echelon.contract.iterators import is_iterator
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class FunctionAgent(Generic[P, R_co]):
    """A function that does a task. Calling it calls the function itself, without any of the machinery."""

    function: Callable[P, R_co]
    name: str
    goal: str
    output_type: object
    effect: Effect = "read"
    resilience: Resilience = Resilience()
    cpu_bound: bool = False
    binding: Binding | None = None
    fallback: tuple[Fallback, ...] = ()
    success: tuple[Criterion, ...] = ()
    asides: Asides = NOTHING_ASKED
    can_wrap_up: bool = False
    kind: WorkerKind = WorkerKind.FUNCTION

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function directly, as a test would."""
        return self.function(*args, **kwargs)

    def bind(self, shape: CallShape) -> Self:
        """Decide for each parameter where its value comes from; `InvalidJob` names one that has no source."""
        return replace(self, binding=bind(self.function, self.name, shape), asides=self.asides.bind(shape))

    async def perform(self, call: Call) -> Outcome[object]:
        """Call the function with what its parameters ask for."""
        assert self.binding is not None, "an agent is bound when it is put into a job"
        arguments = self.binding.arguments(call)
        function = cast("Callable[..., object]", self.function)
        if self.cpu_bound:
            return outcome_of(await Workers.shared().call(function, arguments, self.output_type))
        if inspect.iscoroutinefunction(function):
            returned = await function(**arguments)
            if not is_iterator(returned):
                return outcome_of(returned)
            work = functools.partial(outcome_of, returned)  # it is lazy, and may block
        else:
            work = functools.partial(_outcome, function, arguments)
        return await call_in_thread(functools.partial(contextvars.copy_context().run, work))


def function_agent(
    function: Callable[P, R],
    *,
    name: str | None = None,
    goal: str | None = None,
    effect: Effect = "read",
    resilience: Resilience | None = None,
    cpu_bound: bool = False,
) -> FunctionAgent[P, R]:
    """Make an agent of a function; its return annotation is the contract, its docstring the goal."""
    if not inspect.isroutine(function):
        kind = type(function).__name__
        raise InvalidJob(f"@agent takes a function, and got a {kind}; define a function that calls it")
    own_name = name or function.__name__
    if inspect.isasyncgenfunction(function):
        raise InvalidJob(
            f"agent {own_name!r} is an async generator: it must return what it found as a whole, as a list"
        )
    if cpu_bound:
        _check_cpu_bound(function, own_name)
    return FunctionAgent(
        function=function,
        name=own_name,
        goal=goal or first_line(function) or own_name.replace("_", " "),
        output_type=contract_of(function, own_name),
        effect=effect,
        resilience=resilience or Resilience(),
        cpu_bound=cpu_bound,
        kind=WorkerKind.PROCESS if cpu_bound else WorkerKind.FUNCTION,
    )


def _check_cpu_bound(function: Callable[..., object], name: str) -> None:
    if inspect.iscoroutinefunction(function):
        raise InvalidJob(f"agent {name!r} is async and cpu_bound: make it a plain function, it gets a process")
    if "<" in function.__qualname__:  # <locals>, <lambda>
        raise InvalidJob(
            f"agent {name!r} is cpu_bound, but no other process can find {function.__qualname__!r}: "
            "define it at the top level of a module"
        )


def contract_of(function: Callable[..., object], name: str) -> object:
    """Return the output type that a function promises; `Outcome[T]` promises T."""
    annotation = hints_of(function, name).get("return")
    if annotation is None:
        raise InvalidJob(f"agent {name!r} has no return annotation: the return type is its contract, please state it")
    if annotation is Outcome:
        return Any
    if get_origin(annotation) is Outcome:
        return get_args(annotation)[0]
    return annotation


def _outcome(function: Callable[..., object], arguments: dict[str, object]) -> Outcome[object]:
    try:
        return outcome_of(function(**arguments))
    except StopIteration as error:
        # No future can carry it: who waits would wait for ever. Python itself turns it so in generators (PEP 479).
        raise RuntimeError(f"{function.__name__} raised StopIteration: a next() without a default?") from error


def first_line(function: Callable[..., object]) -> str:
    """Return what a function says of itself: the first line of its docstring, empty without one."""
    return (inspect.getdoc(function) or "").split("\n", 1)[0].strip()
