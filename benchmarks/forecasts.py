"""How well a plan foresees a run when ten runs of its job are on record: makespan and tokens (V6, X10).

    python benchmarks/forecasts.py [--json] [--runs 10] [--then 5] [--only wide]

Six jobs of different shapes, whose agents take random times that nobody states: wide; deep; integrated by domain, then
as a whole; with attempts and tasks that fail; with another number of items in each run; and models, of a provider on
the loopback, with tokens. Each is run so often; then each further run is foreseen from those before it, by the plan
that the run itself puts on record. What is printed is measured by foreseen, the middle of the further runs, and the
worst of them. Prefect's picture is left out, since it is drawn by a process of its own.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator
from echelon.engine.run import run_job
from echelon.journal.journal import SqlJournal
from echelon.model.errors import AgentFailed
from echelon.model.learning.lesson import RunLesson
from echelon.model.policy import Resilience
from echelon.settings import Settings
from echelon.testing.llm_server import Answer, LlmServer, says

CLAIM = "After ten runs of a job, makespan and tokens of the next one are foreseen within 15 %"

#: The furthest that the middle of the further runs may be off.
WITHIN = 0.15

#: What agents draw their times from: never the same twice, the same in each call of this script.
CHANCE = random.Random(16)


class Size(BaseModel):
    """Inputs of the jobs."""

    items: int = 40
    run: int = 0
    """Which run it is: so that no two are on the same inputs, and nothing is recalled."""


def numbers(inputs: Size) -> list[int]:
    """Return the items."""
    return list(range(inputs.items))


async def pause(low: float, high: float) -> None:
    """Take a time that nobody states; most are short, a few are long."""
    await asyncio.sleep(CHANCE.triangular(low, high, low + (high - low) / 4))


@agent
async def inspect(item: int) -> int:
    """Look at an item."""
    await pause(0.05, 0.4)
    return item


@agent
async def think() -> int:
    """Take a while, alone."""
    await pause(0.15, 0.35)
    return 1


@agent(attempts=3)
async def stumble(item: int) -> int:
    """Fail now and then, and sometimes for good."""
    await pause(0.05, 0.3)
    if CHANCE.random() < (0.9 if item % 20 == 7 else 0.2):
        raise AgentFailed("stumbled", passing=True)
    return item


@integrator
async def merge(found: Handoffs[int]) -> int:
    """Add up, in a time of its own."""
    await pause(0.1, 0.2)
    return sum(found.outputs())


def wide() -> Job:
    """Return a phase of many tasks, eight at a time."""
    job = Job("wide", goal="Look at all of it", inputs=Size, max_concurrency=8)
    job.phase("inspect", each=inspect, over=numbers)
    return job


def deep() -> Job:
    """Return six phases one behind the other."""
    job = Job("deep", goal="Go from step to step", inputs=Size)
    for number in range(6):
        before = [f"step{number - 1}"] if number else []
        job.phase(f"step{number}", agent=agent(think.function, name=f"think{number}"), needs=before)
    return job


def domains() -> Job:
    """Return a phase that is integrated by domain, and then as a whole; another one stands behind it."""
    job = Job("domains", goal="Look by domain", inputs=Size, max_concurrency=12)
    job.phase("inspect", each=inspect, over=numbers, domain=lambda item: f"d{item % 4}", integrate=merge)
    job.phase("report", agent=agent(think.function, name="report"), needs="inspect")
    return job


def failing() -> Job:
    """Return a phase whose tasks are tried again, some in vain."""
    job = Job("failing", goal="Go on all the same", inputs=Size, max_concurrency=8)
    retried = Resilience(attempts=3)
    job.phase("try", each=stumble, over=numbers, resilience=retried)
    return job


def varying() -> Job:
    """Return a phase that has another number of items in each run."""
    job = Job("varying", goal="Look at what there is", inputs=Size, max_concurrency=6)
    job.phase("inspect", each=inspect, over=numbers)
    return job


class Provider(LlmServer):
    """Answers after a while, with as many tokens as it likes."""

    def answer_to(self, request: dict[str, Any]) -> Answer | None:
        """Take a time, and tokens, that nobody states."""
        super().answer_to(request)
        tokens = CHANCE.randint(300, 1500), CHANCE.randint(50, 400)
        self.wait(CHANCE.triangular(0.1, 0.5, 0.2))
        return says("it is fine", tokens_in=tokens[0], tokens_out=tokens[1])


def models(url: str) -> Job:
    """Return a phase of models, without a stated token."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("local", provider=OpenAIProvider(base_url=url, api_key="none"))
    job = Job("models", goal="Ask about each", inputs=Size, max_concurrency=6)
    job.phase("ask", each=Agent(model, name="asker", instructions="Say how it is."), over=numbers)
    return job


def inputs_of(name: str, run: int) -> Size:
    """Return the inputs of a run of a job."""
    return Size(items=CHANCE.randint(12, 60) if name == "varying" else 30 if name == "models" else 40, run=run)


class Forecast(NamedTuple):
    """One measure of a job: measured by foreseen, in the further runs."""

    job: str
    measure: str
    predicted: float
    measured: float
    middle: float
    """The ratio of a middle run."""
    worst: float
    """The ratio that is furthest from 1."""


def forecasts(job: str, lessons: Sequence[RunLesson]) -> Iterator[Forecast]:
    """Yield what was foreseen of the further runs beside what they measured."""
    pairs = {
        "makespan, s": [(one.predicted_seconds, one.makespan_seconds) for one in lessons],
        "tokens": [(one.predicted_tokens, one.tokens) for one in lessons],
    }
    for measure, found in pairs.items():
        known = [(predicted, float(measured)) for predicted, measured in found if predicted and measured]
        if known:
            ratios = [measured / predicted for predicted, measured in known]
            predicted, measured = (statistics.median(column) for column in zip(*known, strict=True))
            worst = max(ratios, key=lambda ratio: max(ratio, 1 / ratio))
            yield Forecast(job, measure, predicted, measured, statistics.median(ratios), worst)


async def repeat(job: Job, runs: int, then: int) -> Sequence[RunLesson]:
    """Run a job so often, and return what the further runs left on record."""
    for run in range(runs + then):
        await run_job(job, inputs_of(job.name, run))
        print(".", end="", flush=True, file=sys.stderr)
    async with SqlJournal.open(Settings()) as journal:
        reviews = await journal.reviews(job.name)
    return [one.lesson for one in reviews][-then:]


def measure(runs: int, then: int, only: str | None) -> list[Forecast]:
    """Run all jobs."""
    made: dict[str, Callable[[], Job]] = {one.__name__: one for one in (wide, deep, domains, failing, varying)}
    found: list[Forecast] = []
    with ExitStack() as stack:
        made["models"] = lambda: models(stack.enter_context(Provider()).url)
        for name, make in made.items():
            if only in (None, name):
                found += forecasts(name, asyncio.run(repeat(make(), runs, then)))
    return found


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="runs on record before anything is foreseen")
    parser.add_argument("--then", type=int, default=5, help="further runs that are foreseen")
    parser.add_argument("--only", help="one of the jobs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"ECHELON_HOME": home, "ECHELON_PICTURE": "false"}
        found = measure(options.runs, options.then, options.only)
    worst = max((max(one.middle, 1 / one.middle) for one in found), default=0.0)
    if options.json:
        points = [{**one._asdict(), "aim": 1 + WITHIN} for one in found]
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": round(worst, 3)}))
        return
    print(
        f"\n{'job':10} {'measure':12} {'foreseen':>10} {'measured':>10} {'ratio':>7} {'worst':>7}   aim: 1 ± {WITHIN}"
    )
    for one in found:
        figures = f"{one.predicted:10.3f} {one.measured:10.3f} {one.middle:7.3f} {one.worst:7.3f}"
        print(f"{one.job:10} {one.measure:12} {figures}")


if __name__ == "__main__":
    main()
