import inspect

import pytest

from echelon.model import errors
from echelon.model.errors import AgentError, AgentFailed, CallerError, EchelonError, InfrastructureError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EchelonError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_who_must_act(kind: type[EchelonError]) -> None:
    actors = [actor for actor in (CallerError, AgentError, InfrastructureError) if issubclass(kind, actor)]

    assert len(actors) == (kind is not EchelonError)


def test_the_tree_in_the_documentation_names_every_error() -> None:
    assert errors.__doc__ is not None

    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__] == []


def test_an_agent_fails_for_good_unless_it_says_otherwise() -> None:
    assert (AgentFailed("no").passing, AgentFailed("no", passing=True).passing) == (False, True)
