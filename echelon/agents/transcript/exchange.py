"""One call of a model as it was, for whoever keeps it. Set around each step; outside of one nobody hears of it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from echelon.model.edges import Foreign


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What a model was asked and answered: live objects of pydantic-ai, unbounded, with all that is secret."""

    agent: str
    """The agent that the model is."""
    model: Foreign
    """The model of pydantic-ai, or its name."""
    began: datetime
    """When it was asked, in UTC."""
    ended: datetime
    """When that was over, in UTC."""
    messages: Sequence[Foreign]
    """The conversation, oldest first."""
    error: BaseException | None
    """What it ended with; None when it was answered."""


_HEARD: ContextVar[list[Exchange] | None] = ContextVar("echelon-exchanges", default=None)


@contextmanager
def hearing() -> Generator[list[Exchange]]:
    """Give a list to which every call of a model is added that ends inside the block, however it ends."""
    heard: list[Exchange] = []
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def heard_so_far() -> Sequence[Exchange]:
    """Return the calls of models that have ended in the block around; none outside of one."""
    return tuple(_HEARD.get() or ())


@contextmanager
def heard_as(agent: str, model: Foreign, messages: Sequence[Foreign]) -> Generator[None]:
    """Let a call of a model be heard that is made in the block; `messages` grow meanwhile."""
    heard = _HEARD.get()
    began, ending = datetime.now(UTC), None
    try:
        yield
    except BaseException as error:
        ending = error
        raise
    finally:
        if heard is not None:
            heard.append(
                Exchange(
                    agent=agent, model=model, began=began, ended=datetime.now(UTC), messages=messages, error=ending
                )
            )
