"""Who asks for `Changes` gets them of phases that keep work; of any other there are none, which is said at once."""

from collections.abc import Iterable
from typing import cast

from echelon.agents.agent import Agent
from echelon.agents.function import FunctionAgent
from echelon.model.errors import InvalidJob
from echelon.model.views.items import Changes


def check_changes(phase: str, who: Iterable[Agent], *, known: bool, of: str) -> None:
    """Raise `InvalidJob` for an agent that asks for changes where nothing is kept, and so none are `known`."""
    for one in () if known else who:
        binding = cast("FunctionAgent[..., object]", one).binding if isinstance(one, FunctionAgent) else None
        if binding is not None and binding.asks_for(Changes):
            raise InvalidJob(
                f"phase {phase!r}: {one.name!r} asks for Changes, but nothing is kept in {of}: give it reuse="
            )
