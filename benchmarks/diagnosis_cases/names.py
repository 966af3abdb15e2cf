"""Names and texts by seed: a case and its twin have the same, and nothing in them tells what a run suffers from."""

import json
import random
from functools import cached_property
from pathlib import Path

#: What names and texts are made of, by kind.
_LISTS: dict[str, list[str]] = json.loads(Path(__file__).with_name("words.json").read_text())

_THINGS, _KINDS, _PLACES, _STATES = (_LISTS[kind] for kind in ("things", "kinds", "places", "states"))
_DOINGS, _ROLES, _PEOPLE, _ADVERBS = (_LISTS[kind] for kind in ("doings", "roles", "people", "adverbs"))


class Words:
    """Words of one job: each is drawn by itself, so that a twin that needs fewer of them has the same ones."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def rng(self, what: object) -> random.Random:
        """Return what draws one thing; the same each time."""
        return random.Random(f"{self.seed}/{what}")

    def number(self, what: str, low: int, high: int) -> int:
        """Return a number from `low` to `high`."""
        return self.rng(what).randint(low, high)

    def near(self, what: object, value: float, spread: float = 0.12) -> float:
        """Return a number about as large as `value`."""
        return value * self.rng(what).uniform(1 - spread, 1 + spread)

    @cached_property
    def job(self) -> str:
        """The name of the job."""
        draw = self.rng("job")
        return f"{draw.choice(_LISTS['places'])}-{draw.choice(_LISTS['things'])}s"

    @cached_property
    def goal(self) -> str:
        """What the job is for."""
        draw = self.rng("goal")
        return (
            f"{draw.choice(_DOINGS).capitalize()} every {draw.choice(_THINGS)} of {draw.choice(_PLACES).capitalize()}"
        )

    @cached_property
    def phases(self) -> list[str]:
        """Names of phases."""
        return self.rng("phases").sample(_DOINGS, 16)

    @cached_property
    def agents(self) -> list[str]:
        """Names of agents and of those who integrate."""
        return self.rng("agents").sample(_ROLES, 24)

    @cached_property
    def domains(self) -> list[str]:
        """Names of domains."""
        return self.rng("domains").sample(_PLACES, 8)

    @cached_property
    def people(self) -> list[str]:
        """Names of people."""
        return self.rng("people").sample(_PEOPLE, 4)

    def items(self, count: int) -> list[str]:
        """Return names of items: the first so many, always in the same order."""
        pairs = [f"{kind}-{thing}" for kind in _KINDS for thing in _THINGS]
        self.rng("items").shuffle(pairs)
        return pairs[:count]

    def sentence(self, what: object) -> str:
        """Return something that somebody might say of a thing."""
        draw = self.rng(what)
        first, other = draw.sample(_THINGS, 2)
        return (
            f"the {draw.choice(_KINDS)} {first} of {draw.choice(_PLACES).capitalize()} is {draw.choice(_STATES)} where "
            f"the {other} is {draw.choice(_STATES)} {draw.choice(_ADVERBS)}"
        )

    def task(self, what: object) -> str:
        """Return what somebody might ask for."""
        draw = self.rng(what)
        return f"{draw.choice(_DOINGS).capitalize()} the {draw.choice(_KINDS)} {draw.choice(_THINGS)}"
