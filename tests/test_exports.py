"""What `echelon` offers is what it says it offers (style of httpx)."""

import types

import echelon

#: More names than a newcomer should meet at the door.
MAX_NAMES = 54


def test_the_list_of_exports_equals_reality() -> None:
    offered = [
        name
        for name, value in vars(echelon).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    ]

    assert sorted(offered) == echelon.__all__
    assert len(echelon.__all__) <= MAX_NAMES


def test_everything_at_the_door_says_what_it_is() -> None:
    assert [name for name in echelon.__all__ if not getattr(echelon, name).__doc__] == []
