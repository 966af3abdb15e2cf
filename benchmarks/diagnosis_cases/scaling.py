"""Organisations of the wrong size: a pattern that was outgrown, more agents for nothing, ceremony, and pushing on."""

from collections.abc import Mapping

from pydantic import BaseModel

from benchmarks.diagnosis_cases.jobs import acts_of, add_closing, add_wide, carry_out, merged, new_job, staged
from benchmarks.diagnosis_cases.people import Act, reviewer
from benchmarks.diagnosis_cases.setting import HASTE, Setting
from echelon import Budget, Organisation, Sync
from echelon.model.organisation import Structure


class Size(BaseModel):
    """Inputs of a job that grows from run to run."""

    size: int


async def wrong_regime(setting: Setting) -> str:
    """Keep to what a few agents did well when there are many: one coordinator, and everybody reads everything."""
    await _in_one_circle(setting, 3, 0)
    await _in_one_circle(setting, 4, 1)
    return await _in_one_circle(setting, setting.by(9, 12, 15), 2)


async def _in_one_circle(setting: Setting, size: int, turn: int) -> str:
    """Run a job in which half of the agents build on what the others made; return its run."""
    items = setting.words.items(30)
    first, last = items[:size], items[15 : 15 + size]
    is_large = turn == 2
    domains = setting.domain_of([*first, *last], 3 if size > 4 else 1)
    breaks = is_large and setting.has_mode
    special = {item: setting.act(item, seconds=0.25) for item in last}
    special |= _shaken(setting, last, size) if breaks else {}
    raised = {one: setting.honest(one, turn) for one in (first[1], first[-1])[: 1 + is_large]}
    told = {item: setting.act(item, seconds=0.25, concern=raised.get(item)) for item in first}
    if is_large and not setting.has_mode:
        job = new_job(setting, inputs=Size, defaults=HASTE)
        stated = {"domain": domains.__getitem__, "integrate": staged(setting)}
        phase = add_wide(job, setting, 0, first, acts_of(setting, (), told), **stated)
        add_wide(job, setting, 1, last, acts_of(setting, (), special), needs=phase, **stated)
    else:
        job = new_job(setting, inputs=Size, defaults=HASTE, span=40)
        fails = [setting.words.sentence(f"apart {number}") for number in range(setting.by(1, 1, 2) if breaks else 0)]
        lacks = setting.words.sentence("lacks") if breaks else ""
        each = setting.tokens(min(0.05, 0.45 / size))
        owner = merged(setting, tokens_each=each, failures=fails, shortfall=lacks)
        craft = setting.words.agents[9]
        phase = add_wide(job, setting, 0, first, acts_of(setting, (), told), capability=craft)
        acts = acts_of(setting, (), special)
        add_wide(job, setting, 1, last, acts, needs=phase, integrate=owner, capability=craft)
    return (await carry_out(job, setting, size=size)).run_id


def _shaken(setting: Setting, items: list[str], size: int) -> Mapping[str, Act]:
    """Return what is done by agents of which some fail at first, and some for good."""
    unsure, lost = setting.by((3, 1), (5, 2), (8, 4))
    special: dict[str, Act] = {}
    for place, item in enumerate(items[:unsure]):
        again = [setting.words.sentence(f"attempt {number} at {item}") for number in range(1 + place % 2)]
        end = setting.words.sentence(f"end of {item}") if place < lost else ""
        special[item] = setting.act(item, failures=() if end else again, error=end, seconds=0.2 + 0.005 * size)
    return special


async def scaling_ceiling(setting: Setting) -> str:
    """Add agents from run to run, each of which makes the others slower by as much as it does itself."""
    sizes = (3, 6, 12, 18)
    flat = setting.by((12, 18, 19.5, 20), (13, 17, 17, 17), (13, 17, 15, 12.5))
    run_id = ""
    for turn, size in enumerate(sizes):
        items = setting.words.items(18)[:size]
        seconds = setting.either(size / flat[turn] - 0.03, 0.3)
        job, near = new_job(setting, inputs=Size), setting.words.near
        raised = {item: setting.honest(item, turn) for item in items[1::9]}
        special = {
            item: setting.act(item, seconds=near(f"{item} {turn}", seconds * 0.85, 0.04), concern=raised.get(item))
            for item in items
        }
        owner = staged(setting, seconds=setting.either(seconds * 0.07, 0.03))
        add_wide(job, setting, 0, items, acts_of(setting, (), special), integrate=owner, seconds=0.25)
        run_id = (await carry_out(job, setting, size=size)).run_id
    return run_id


async def premature_scaling(setting: Setting) -> str:
    """Surround what one agent could do with what a large organisation has; in the twin there is work that needs it."""
    items = setting.words.items(5)
    share, seconds = setting.either((0.12, 0.15), (0.65, 0.35))
    checked, judging = setting.tokens(setting.by(0.11, 0.13, 0.18)), setting.by(1, 2, 2)
    judges = [reviewer(setting.words.agents[5 + number], 0.05, checked) for number in range(judging)]
    wanted = Organisation(structure=Structure.FEDERATED, agents=60, single_agent_success=setting.by(0.85, 0.9, 0.95))
    organisation = setting.either(wanted, Organisation(single_agent_success=0.2))
    job = new_job(setting, organisation=organisation, sync=Sync.every(2))
    special = {
        item: setting.act(item, seconds=seconds, tokens=setting.tokens(share, f"tokens of {item}")) for item in items
    }
    add_wide(
        job,
        setting,
        0,
        items,
        acts_of(setting, (), special),
        integrate=merged(setting, tokens=setting.tokens(0.1)),
        tokens=setting.tokens(share),
        error_consequence=setting.either("minor", "catastrophic"),
        replicas=setting.by(1, 2, 3),
        agree=setting.by(1, 2, 2),
        verify=judges,
    )
    closing = setting.act(items[0], seconds=0.1, tokens=setting.tokens(share), concern=setting.honest(items[0]))
    add_closing(job, setting, 1, setting.words.phases[0], closing, tokens=closing.tokens)
    return (await carry_out(job, setting)).run_id


async def scaling_denial(setting: Setting) -> str:
    """Grow on and on while more and more breaks, with more leads, attempts, slots and tokens each time."""
    sizes, domains, attempts = (6, 10, 16, 24), (1, 2, 3, 4), (1, 2, 3, 4)
    breaking = setting.by((0.0, 0.1, 0.2, 0.3), (0.0, 0.2, 0.35, 0.5), (0.15, 0.3, 0.5, 0.65))
    run_id = ""
    for turn, size in enumerate(sizes):
        items = setting.words.items(24)[:size]
        lost = setting.words.rng(f"lost {turn}").sample(items, round(size * setting.either(breaking[turn], 0.0)))
        special = {item: setting.act(item, seconds=0.2) for item in items}
        special |= {item: setting.act(item, seconds=0.2, concern=setting.honest(item, turn)) for item in items[3::9]}
        for item in lost:
            ends = [setting.words.sentence(f"{item} {turn} {number}") for number in range(attempts[turn])]
            special[item] = setting.act(item, seconds=0.1, failures=ends, concern=special[item].concern)
        budget = Budget(tokens=setting.tokens(2.0 * size))
        span = (8, 8, 7, 6)[turn]
        job = new_job(setting, inputs=Size, defaults=HASTE, span=span, max_concurrency=size, budget=budget)
        where = setting.domain_of(items, domains[turn])
        add_wide(
            job,
            setting,
            0,
            items,
            acts_of(setting, (), special),
            domain=where.__getitem__,
            integrate=staged(setting),
            attempts=attempts[turn],
        )
        run_id = (await carry_out(job, setting, size=size)).run_id
    return run_id
