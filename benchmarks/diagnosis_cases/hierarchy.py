"""Levels between those who know and those who decide: they lose it, silence it, wait, are too many or too few."""

from collections.abc import Mapping, Sequence

from benchmarks.diagnosis_cases.jobs import acts_of, add_closing, add_wide, carry_out, merged, new_job, staged
from benchmarks.diagnosis_cases.people import Act, Fact, about, ending_in, fits
from benchmarks.diagnosis_cases.setting import Setting, approve_all, dispose, look_after, reopen
from echelon import Gate, Job


async def information_loss(setting: Setting) -> str:
    """Dismiss in one run what comes true in the next: somebody had said it, and those above did not keep it."""
    items = setting.words.items(10)
    lost = items[: setting.by(1, 2, 3)]
    said = {item: about(item, setting.words.sentence(f"said of {item}"), 0.65, 0.3) for item in lost}
    first = await _domains_of(setting, items, {item: setting.act(item, concern=said[item]) for item in lost}, 0).run()
    dismissed = [record for record in first.concerns if record.concern.about in lost]
    person, lead = setting.words.people[:2]
    for record in dismissed:
        await dispose(record, lead, setting.words.sentence("dismissed"), "dismissed")
    others = first.model_copy(update={"concerns": [one for one in first.concerns if one not in dismissed]})
    await look_after(others, person, setting.words.sentence("seen"))
    later = {item: setting.act(item) for item in lost}
    if setting.has_mode:
        ends = {item: setting.words.sentence(f"end of {item}") for item in lost}
        later = {item: setting.act(item, concern=said[item], error=ends[item]) for item in lost}
    last = await carry_out(_domains_of(setting, items, later, 1), setting)
    for record in dismissed if setting.has_mode else ():
        await reopen(record, person, setting.words.sentence("came true"))
    return last.run_id


def _domains_of(setting: Setting, items: Sequence[str], special: Mapping[str, Act], turn: int) -> Job:
    """Return a job with two domains, of which each has a lead."""
    domains = setting.domain_of(list(items), 2)
    job = new_job(setting)
    acts = acts_of(setting, items, special, turn)
    phase = add_wide(job, setting, 0, items, acts, domain=domains.__getitem__, integrate=staged(setting))
    add_closing(job, setting, 1, phase)
    return job


async def authority_gradient(setting: Setting) -> str:
    """Let agents write what they know to their logs, or play it down, until it comes true; the twin says it aloud."""
    items = setting.words.items(8)
    known = items[: setting.by(2, 3, 4)]
    special: dict[str, Act] = {}
    for place, item in enumerate(known):
        warnings = [setting.words.sentence(f"warning {number} of {item}") for number in range(1 + place % 2)]
        loud = setting.either(0.2, 0.85)
        is_silent = setting.has_mode and (setting.strength == "severe" or place > 0)
        concern = None if is_silent else about(item, setting.words.sentence(f"known of {item}"), loud, loud)
        special[item] = setting.act(item, warnings=warnings, concern=concern)
    quiet = {item: setting.act(item) for item in items}
    job = new_job(setting)
    phase = add_wide(job, setting, 0, items, acts_of(setting, items, quiet | special))
    ends = {item: setting.either(setting.words.sentence(f"end of {item}"), "") for item in known}
    later = {item: setting.act(item, error=ends.get(item, ""), reads=ending_in(item)) for item in items}
    acts = acts_of(setting, items, later)
    add_wide(job, setting, 1, items, acts, needs=phase, integrate=merged(setting))
    return (await carry_out(job, setting)).run_id


async def approval_bottleneck(setting: Setting) -> str:
    """Ask one person about everything, who takes time for each answer; in the twin only about the end."""
    items = setting.words.items(4)
    special = {item: setting.act(item, seconds=0.2) for item in items}
    special[items[3]] = setting.act(items[3], seconds=0.2, concern=setting.honest(items[3]))
    job, gate = new_job(setting), Gate(asks_ready=False, reason=setting.words.task("gate"))
    stated = {"gate": gate} if setting.has_mode else {}
    phase = add_wide(job, setting, 0, items, acts_of(setting, items, special), integrate=merged(setting), **stated)
    add_closing(job, setting, 1, phase, gate=gate)
    waits = setting.either(setting.by(0.15, 0.25, 0.4), 0.02)
    result = await job.run()
    result = await approve_all(job, result, setting.words.people[0], setting.words.sentence("approved"), waits)
    return result.run_id


async def too_deep(setting: Setting) -> str:
    """Put so many levels above a few agents that results take long, and drift from what was asked, on their way up."""
    items = setting.words.items(setting.by(12, 12, 18))
    domains = setting.domain_of(items, 2)

    def gap(facts: list[Fact]) -> str:
        return setting.words.sentence("gap") if any(fact.value > 3 for fact in facts) else ""

    span = setting.either(setting.by(3, 2, 2), 8)
    job = new_job(setting, span=span, constraints=[fits(setting.words.agents[8], gap)])
    owner = staged(setting, seconds=0.08, drifts=1)
    add_wide(job, setting, 0, items, domain=domains.__getitem__, integrate=owner)
    return (await carry_out(job, setting)).run_id


async def too_shallow(setting: Setting) -> str:
    """Let all agents report to one coordinator, who can neither hold nor follow what they deliver."""
    items = setting.words.items(setting.by(14, 20, 28))
    domains = setting.domain_of(items, setting.by(3, 3, 4))
    filled = setting.by(0.93, 0.96, 0.99)
    lead = {"tokens": 0, "tokens_each": setting.tokens(filled / len(items)), "seconds": 0.0, "seconds_each": 0.045}
    near = setting.words.near
    special = {
        item: setting.act(item, seconds=near(item, 0.2), concern=setting.honest(item) if not place % 9 else None)
        for place, item in enumerate(items)
    }
    acts = acts_of(setting, items, special)
    if setting.has_mode:
        job = new_job(setting, span=32)
        add_wide(job, setting, 0, items, acts, integrate=merged(setting, **lead))
    else:
        job = new_job(setting)
        add_wide(job, setting, 0, items, acts, domain=domains.__getitem__, integrate=staged(setting, **lead))
    return (await carry_out(job, setting)).run_id
