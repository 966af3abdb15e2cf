"""A model that does the work of the shapes: real HTTP, answers made from what it is asked, the same for the same."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from echelon.model.adapter import JsonObject
from echelon.testing.llm_server import Answer, LlmServer, refuses, says

#: What it is not willing to read.
REFUSED = "REFUSED"


@dataclass(frozen=True)
class Asked:
    """A request, as far as who answers needs it."""

    instructions: str
    prompt: str

    @classmethod
    def of(cls, request: JsonObject) -> "Asked":
        system, user = (next(m for m in request["messages"] if m["role"] == role) for role in ("system", "user"))
        return cls(str(system["content"]), str(user["content"]))

    def block(self, title: str) -> Any:
        found = re.search(rf"^# {title}\n(`+)json\n(.*?)\n\1$", self.prompt, flags=re.DOTALL | re.MULTILINE)
        return json.loads(found[2]) if found else None

    @cached_property
    def item(self) -> Any:
        return self.block("Item")

    @property
    def role(self) -> "tuple[str, str, Callable[[Asked], object]]":
        return next(role for role in ROLES if self.instructions.startswith(role[0]))

    @property
    def named(self) -> str:
        one = self.item
        name = one if isinstance(one, str) else one and (one.get("path") or one["name"])
        return f"{self.role[1]} {name or 'all'}"

    @property
    def delivered(self) -> list[Any]:
        """Outputs of earlier work."""
        return [one["output"] for one in self.block("What earlier work delivered") or []]


def reviewed(asked: Asked) -> object:
    return {"risk": "high" if "eval(" in asked.item["diff"] else "low", "remark": f"on {asked.item['path']}"}


def summed_up(asked: Asked) -> object:
    """Sum up reviews, or what was summed up of them."""
    reviews = [one for one in asked.delivered if "risk" in one]
    parts = [one for one in asked.delivered if "risky" in one]
    risky = [one["remark"].removeprefix("on ") for one in reviews if one["risk"] == "high"]
    files = len(reviews) + sum(part["files"] for part in parts)
    return {"files": files, "risky": sorted(risky + [path for part in parts for path in part["risky"]])}


def facts(asked: Asked) -> object:
    """Take each line of a source as `theme: claim`."""
    lines = [line.partition(": ") for line in asked.item["text"].splitlines() if ": " in line]
    return {"facts": [{"theme": theme, "claim": claim} for theme, _, claim in lines]}


def note(asked: Asked) -> object:
    return f"{asked.item['name']}: {len(asked.item['claims'])} claims, the first is {asked.item['claims'][0]}"


def report(asked: Asked) -> object:
    """Put the notes one behind the other, and say what the summary of earlier phases says is missing."""
    missing = re.findall(r"(\d+) missing", asked.block("Phases so far"))
    return "; ".join([*asked.delivered, f"{sum(map(int, missing))} missing"])


def finds(asked: Asked) -> object:
    """Find two titles in each round, until there is nothing more; of an endless topic there always is."""
    last = asked.block("What you delivered in your last round, which did not pass")
    known = last["output"]["titles"] if last else []
    many = 100 if asked.item.startswith("endless") else 2
    return {"titles": [*known, *(f"{asked.item}.{len(known) + new}" for new in range(2) if len(known) < many)]}


#: Who answers: what the instructions begin with, the name of the role, and what it says.
ROLES: tuple[tuple[str, str, Callable[[Asked], object]], ...] = (
    ("You review", "reviewer", reviewed),
    ("You get reviews", "editor", summed_up),
    ("List the facts", "reader", facts),
    ("Write a note", "writer", note),
    ("Write a report", "editor", report),
    ("Find titles", "searcher", finds),
)


class Provider(LlmServer):
    """Answers everybody by role."""

    def answer_to(self, request: JsonObject) -> Answer | None:
        super().answer_to(request)
        asked = Asked.of(request)
        if asked.item is not None and REFUSED in json.dumps(asked.item):
            return refuses(400, message="this is not answered")
        return says(asked.role[2](asked))

    def calls(self) -> list[str]:
        """Return who was asked so far, and about what: the role, and the item by its name."""
        return [Asked.of(request).named for request in self.requests]
