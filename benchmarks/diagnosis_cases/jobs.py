"""What most of the jobs have in common: a wide phase that somebody integrates, one agent that closes, and a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.diagnosis_cases.people import Act, Acts, coordinator, lead_of, soloist, worker
from benchmarks.diagnosis_cases.setting import Setting, look_after
from echelon import Job, RunResult
from echelon.agents.decorators import PhaseIntegrator


def new_job(setting: Setting, **stated: Any) -> Job:
    """Return a job without phases."""
    return Job(setting.words.job, goal=setting.words.goal, priors=setting.priors, **stated)


def acts_of(setting: Setting, items: Sequence[str], special: Mapping[str, Act] | None = None, turn: int = 0) -> Acts:
    """Return what is done with each item: what is said of it, or else a task that is done well.

    Of about ten items one is a reason for a concern, as in any job; in each run (`turn`) it is another one.
    """
    known = {item: setting.act(item, concern=setting.honest(item, turn)) for item in items[3::9]}
    known |= special or {}

    def act(item: str, _brief: object) -> Act:
        return known.get(item) or setting.act(item)

    return act


def merged(setting: Setting, place: int = 0, **lead: Any) -> PhaseIntegrator:
    """Return who integrates a phase at once."""
    return coordinator(setting.words.agents[10 + place], lead_of(setting.lead(**lead)))


def staged(setting: Setting, place: int = 0, **lead: Any) -> PhaseIntegrator:
    """Return who integrates a phase level by level, each level as well as the others."""
    one = lead_of(setting.lead(**lead))
    return coordinator(setting.words.agents[10 + place], one, one)


def add_wide(
    job: Job, setting: Setting, place: int, items: Sequence[str], acts: Acts | None = None, /, **stated: Any
) -> str:
    """Add a phase with an agent for each item; return what it is called."""
    name = setting.words.phases[place]
    known, attempts = acts or acts_of(setting, items), stated.pop("attempts", 3)
    who = worker(setting.words.agents[place], setting.words.task(f"goal {place}"), known, attempts=attempts)
    usual = {"seconds": 0.4, "tokens": setting.tokens(0.6)}
    job.phase(name, each=who, **{"over": lambda: list(items), **usual, **stated})
    return name


def add_closing(job: Job, setting: Setting, place: int, needs: Any, act: Act | None = None, **stated: Any) -> str:
    """Add a phase in which one agent makes the end of it; return what it is called."""
    name, called = setting.words.phases[place], setting.words.agents[place]
    one = act or setting.act(called, seconds=0.2)
    who = soloist(called, setting.words.task(f"goal {place}"), lambda _item, _brief: one, attempts=3)
    job.phase(name, agent=who, needs=needs, **{"seconds": 0.2, "tokens": setting.tokens(0.6), **stated})
    return name


async def carry_out(job: Job, setting: Setting, **inputs: object) -> RunResult:
    """Run a job, and let a person look at what it raised."""
    result = await job.run(**inputs)
    await look_after(result, setting.words.people[0], setting.words.sentence("seen"))
    return result
