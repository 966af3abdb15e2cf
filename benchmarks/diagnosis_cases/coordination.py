"""Coordination that fails: all wait for one, it costs more than it is worth, leaves work to nobody, or is split."""

from collections.abc import Mapping

from pydantic import BaseModel

from benchmarks.diagnosis_cases.jobs import acts_of, add_closing, add_wide, carry_out, merged, new_job
from benchmarks.diagnosis_cases.people import Lead, Leads, coordinator, finder, reviewer
from benchmarks.diagnosis_cases.setting import HASTE, Setting
from echelon import Brief, Job, Proposals, Resilience
from echelon.model.policy import BulkheadPolicy


async def orchestrator_saturation(setting: Setting) -> str:
    """Let four streams of work wait in line for one coordinator, who decides what each goes on with, ever more slowly.

    It has one slot, and carries in its context what it has decided before.
    """
    items, streams = setting.words.items(24), 4
    slow = setting.either(setting.by(0.25, 0.35, 0.45), 0.03)
    held = setting.either(setting.by((0.6, 0.75, 0.86, 0.93), (0.7, 0.85, 0.93, 0.97), (0.85, 0.93, 0.97, 0.99)), None)
    deciding = [
        Lead(seconds=slow * (1 + 0.2 * place), tokens=setting.tokens(held[place] if held else 0.25))
        for place in range(streams)
    ]
    slot = Resilience(provider=setting.words.agents[9], bulkhead=BulkheadPolicy(max_concurrency=1))
    job, ends, line, craft = new_job(setting), list[str](), iter(deciding), setting.words.agents[20]
    for stream in range(streams):
        first, then = items[3 * stream : 3 * stream + 3], items[12 + 3 * stream : 15 + 3 * stream]
        raised = {first[0]: setting.honest(first[0])} if stream in (0, 2) else {}
        begun = {item: setting.act(item, seconds=0.3, concern=raised.get(item)) for item in first}
        ended = {item: setting.act(item, seconds=0.3) for item in then}
        stated = {"integrate": merged(setting, stream), "capability": craft}
        before = add_wide(job, setting, 2 * stream, first, acts_of(setting, (), begun), **stated)
        search = finder(setting.words.agents[8], setting.words.task("deciding"), then.copy, line, resilience=slot)
        stated |= {"needs": before, "over": search, "items": (1, 8)}
        ends.append(add_wide(job, setting, 2 * stream + 1, then, acts_of(setting, (), ended), **stated))
    add_closing(job, setting, 2 * streams, ends)
    return (await carry_out(job, setting)).run_id


class Hands(BaseModel):
    """Inputs of a job that may be done by one agent or by several."""

    hands: int


async def overhead_exceeds_value(setting: Setting) -> str:
    """Let several do what one agent did before, faster and for less, since they must agree with one another."""
    alone = _by_hands(setting, setting.words.items(1), reading=0.02, checking=0.005, slow=0.02)
    await carry_out(alone, setting, hands=1)
    several = _by_hands(
        setting,
        setting.words.items(5)[1:],
        reading=setting.either(setting.by(0.50, 0.66, 0.80), 0.10),
        checking=setting.either(setting.by(0.07, 0.12, 0.24), 0.02),
        slow=setting.either(setting.by(0.30, 0.40, 0.55), 0.03),
    )
    return (await carry_out(several, setting, hands=4)).run_id


def _by_hands(setting: Setting, items: list[str], *, reading: float, checking: float, slow: float) -> Job:
    """Return a job that is done by one agent or several, each of which is reviewed, and then integrated."""
    tokens, seconds = setting.tokens(0.88 / len(items)), (0.2 if len(items) > 1 else 0.6)
    raised = {items[0]: setting.honest(items[0])}
    special = {item: setting.act(item, tokens=tokens, seconds=seconds, concern=raised.get(item)) for item in items}
    job = new_job(setting, inputs=Hands)
    stated = {
        "integrate": merged(setting, seconds=slow, tokens=setting.tokens(reading), tokens_each=0),
        "verify": reviewer(setting.words.agents[5], slow, setting.tokens(checking)),
        "tokens": tokens,
        "seconds": seconds,
    }
    add_wide(job, setting, 0, items, acts_of(setting, (), special), **stated)
    return job


async def coordination_gaps(setting: Setting) -> str:
    """Let work turn up that belongs to nobody: agents propose it, and no phase of the job takes it."""
    items = setting.words.items(8)
    found = items[: setting.by(2, 4, 6)]
    special = {item: setting.act(item, proposes=(setting.words.task(f"found at {item}"),)) for item in found}
    special[items[7]] = setting.act(items[7], concern=setting.honest(items[7]))
    for item in items[6 : 6 + setting.either(setting.by(0, 1, 1), 0)]:
        nobody = (setting.words.task("nobody"), setting.words.sentence("nobody"))
        special[item] = setting.act(item, blocked=nobody)
    job = new_job(setting)
    lacks = setting.either(setting.words.sentence("lacks"), "")
    phase = add_wide(job, setting, 0, items, acts_of(setting, items, special), integrate=merged(setting))
    if setting.has_mode:
        add_closing(job, setting, 2, phase, setting.act(phase, seconds=0.2, shortfall=lacks))
        return (await carry_out(job, setting)).run_id
    taken = add_wide(job, setting, 1, (), over=Proposals(of=str, limit=8), needs=phase, integrate=merged(setting, 1))
    add_closing(job, setting, 2, [phase, taken])
    return (await carry_out(job, setting)).run_id


async def coordination_conflict(setting: Setting) -> str:
    """Let coordinators of three domains want different things to be done about the same matters.

    Those who are told both begin by the one and are wrong by the other.
    """
    items = setting.words.items(16)
    matters = [setting.words.task(f"matter {place}") for place in range(setting.by(1, 2, 4))]
    domains = setting.domain_of(items[:12], 3)
    job = new_job(setting, defaults=HASTE)
    who = coordinator(setting.words.agents[10], _ruled(setting, matters, domains), lambda _brief: setting.lead())
    phase = add_wide(job, setting, 0, items[:12], domain=domains.__getitem__, integrate=who)
    again = items[12 : 12 + setting.either(setting.by(1, 2, 3), 0)]
    torn = {
        item: setting.act(item, seconds=0.3, failures=[setting.words.sentence(item)] if item in again else ())
        for item in items[12:]
    }
    acts = acts_of(setting, (), torn)
    directed = add_wide(job, setting, 1, items[12:], acts, needs=phase, integrate=merged(setting, 1))
    add_closing(job, setting, 2, directed)
    return (await carry_out(job, setting)).run_id


def _ruled(setting: Setting, matters: list[str], domains: Mapping[str, str]) -> Leads:
    """Return what each lead of a domain wants: something of its own, or what all others want as well."""
    known = sorted(set(domains.values()))

    def lead(brief: Brief) -> Lead:
        own = next((place for place, name in enumerate(known) if name in brief.subject), 0)
        ways = {matter: setting.either(own, 0) + 3 * place for place, matter in enumerate(matters)}
        return setting.lead(rulings=ways)

    return lead
