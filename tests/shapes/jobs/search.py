"""Search until nothing new turns up: each topic is searched again until two rounds have found nothing new."""

from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent

from echelon import Handoffs, Job, Repeat, Resilience, Rounds, integrator


class Topics(BaseModel):
    file: Path


class Finds(BaseModel):
    titles: list[str]


class Found(BaseModel):
    titles: list[str]
    rounds: int
    not_exhausted: dict[str, str]


def topics(file: Path) -> list[str]:
    return file.read_text().split()


def exhausted(rounds: Rounds[Finds]) -> str:
    """Pass when two rounds in a row have found nothing new."""
    known: set[str] = set()
    news: list[set[str]] = []
    for finds in rounds.outputs():
        news.append(set(finds.titles) - known)
        known |= news[-1]
    if len(news) > 1 and not any(news[-2:]):
        return ""
    return f"{len(known)} are known, {len(news[-1])} of them new"


searcher = Agent(
    "openai-chat:gpt-5",
    name="searcher",
    output_type=Finds,
    instructions="Find titles on a topic. Return those of your last round, and new ones.",
)


@integrator
def collect(finds: Handoffs[Finds]) -> Found:
    """Put together what was found."""
    titles = sorted({title for one in finds.outputs() for title in one.titles})
    rounds = sum(one.handoff.rounds for one in finds)
    return Found(titles=titles, rounds=rounds, not_exhausted={one.task_id: one.reason for one in finds.missing})


search = Job("search", goal="Find every title", inputs=Topics, defaults=Resilience(breaker="provider"))
search.phase("search", each=searcher, over=topics, repeat=Repeat(until=exhausted, rounds=8), integrate=collect)
