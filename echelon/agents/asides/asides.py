"""What an agent says beside its work: what it would do, and whether it is ready for something to be done (O5)."""

import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self, cast

from echelon.agents.binding import Binding, bind
from echelon.agents.call import Call, CallShape
from echelon.agents.threads import call_in_thread
from echelon.model.errors import InvalidJob


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A function that is asked something about an agent; its parameters get what those of agents get, by type."""

    function: Callable[..., object]
    name: str
    """What it is called in messages."""
    binding: Binding | None = None

    def bind(self, shape: CallShape) -> Self:
        """Decide for each parameter where its value comes from; `InvalidJob` names one that has no source."""
        return replace(self, binding=bind(self.function, self.name, shape))

    async def ask(self, call: Call) -> object:
        """Call it: on the loop when it is async, else in a thread."""
        assert self.binding is not None, "what an agent says is bound when the agent is put into a job"
        arguments = self.binding.arguments(call)
        if inspect.iscoroutinefunction(self.function):
            return await cast("Callable[..., Awaitable[object]]", self.function)(**arguments)
        work = functools.partial(self.function, **arguments)
        return await call_in_thread(functools.partial(contextvars.copy_context().run, work))


@dataclass(frozen=True, kw_only=True)
class Asides:
    """What an agent can be asked beside its work."""

    preview: Aside | None = None
    """Says what it would do, in text: a diff, an amount, an address. It must say the same each time it is asked."""
    ready: Aside | None = None
    """Says whether it is ready for an irreversible step: True, False, or a text with the reason why not."""

    def bind(self, shape: CallShape) -> "Asides":
        """Return them for calls of this shape."""
        if self == NOTHING_ASKED:
            return self
        return Asides(
            preview=self.preview.bind(shape) if self.preview else None,
            ready=self.ready.bind(_for_brief(shape)) if self.ready else None,
        )


NOTHING_ASKED = Asides()


def asides_of_agent(agent: object) -> Asides:
    """Return what an agent can be asked beside its work."""
    found: Asides = getattr(agent, "asides", NOTHING_ASKED)
    return found


def asides_of(name: str, preview: object, ready: object) -> Asides:
    """Return what an agent called `name` can be asked, from the functions that were given; `InvalidJob` for others."""
    if preview is None and ready is None:
        return NOTHING_ASKED
    return Asides(preview=_aside(name, "preview", preview), ready=_aside(name, "ready", ready))


def _aside(name: str, what: str, given: object) -> Aside | None:
    if given is None:
        return None
    if not callable(given):
        raise InvalidJob(f"agent {name!r}: {what}= takes a function, not a {type(given).__name__}")
    return Aside(function=given, name=f"{what} of {name}")


def _for_brief(shape: CallShape) -> CallShape:
    """Return what is given to who is asked whether it is ready: inputs of the job and a brief, no work of its own."""
    return CallShape(inputs_type=shape.inputs_type)
