"""Good work that does not come together: nobody owns that, it takes too long, loses something, or comes too late."""

from collections.abc import Callable

from benchmarks.diagnosis_cases.jobs import acts_of, add_closing, add_wide, carry_out, merged, new_job, staged
from benchmarks.diagnosis_cases.people import Act, Acts, Fact, chooser, ending_in, fits
from benchmarks.diagnosis_cases.setting import Setting
from echelon import Audit, Brief, Oversight


async def no_integration_owner(setting: Setting) -> str:
    """Let several deliver what contradicts each other, and nobody put it together: what they made is the result."""
    items = setting.words.items(12)
    first, last = items[:6], items[6:]
    shared = [setting.words.task(f"shared {place}") for place in range(setting.by(1, 2, 4))]
    job = new_job(setting, oversight=None if setting.has_mode else Oversight(settle=chooser(setting.words.agents[7])))
    owner = None if setting.has_mode else merged(setting)
    phase = add_wide(job, setting, 0, first, integrate=owner)
    raised = {last[5]: setting.honest(last[5])}

    def reads(place: int) -> Callable[[str], bool] | None:
        return ending_in(first[place]) if setting.has_mode else None

    special = {
        item: setting.act(item, facts={item: 1, **_said(shared, place)}, concern=raised.get(item), reads=reads(place))
        for place, item in enumerate(last)
    }
    add_wide(job, setting, 1, last, acts_of(setting, last, special), needs=phase, integrate=owner)
    return (await carry_out(job, setting)).run_id


def _said(shared: list[str], place: int) -> dict[str, int]:
    """Return what one of six says about the subjects that it shares with another one: something of its own."""
    own = shared[: 1 + len(shared) // 2] if place < 2 else shared[1 + len(shared) // 2 :] if place < 4 else []
    return dict.fromkeys(own, place)


async def integration_bottleneck(setting: Setting) -> str:
    """Let the work be done soon, and its integration take longer than all of it."""
    items = setting.words.items(6)
    special = {item: setting.act(item, seconds=setting.words.near(item, 0.2)) for item in items}
    special[items[2]] = setting.act(items[2], seconds=0.2, concern=setting.honest(items[2]))
    job = new_job(setting)
    slow = setting.either(setting.by(0.9, 1.3, 2.0), 0.06)
    add_wide(job, setting, 0, items, acts_of(setting, items, special), integrate=merged(setting, seconds=slow))
    return (await carry_out(job, setting)).run_id


async def context_loss(setting: Setting) -> str:
    """Let leads read a part of what they are given, and hand on that part as if it were all."""
    items = setting.words.items(12)
    domains = setting.domain_of(items, 2)
    lost = setting.either(setting.by(2, 3, 5), 0)
    who = staged(setting, keeps=lambda place, number: number < 6 or place >= lost)
    job = new_job(setting, oversight=Oversight(audit=Audit(rate=1.0)))
    phase = add_wide(job, setting, 0, items, domain=domains.__getitem__, integrate=who)
    add_closing(job, setting, 1, phase)
    return (await carry_out(job, setting)).run_id


async def late_integration_failure(setting: Setting) -> str:
    """Put work of three phases together at the very end, where it turns out not to fit: it is done again."""
    items = setting.words.items(9)
    again = setting.either(setting.by(2, 2, 3), 1)
    looped = setting.by(1, 0, 0)
    job, names = new_job(setting), list[str]()
    for place in range(3):
        own = items[3 * place : 3 * place + 3]
        owner = merged(setting, place) if place == 2 or not setting.has_mode else None
        needs = {"needs": names[-1]} if names else {}
        names.append(
            add_wide(job, setting, place, own, _by_round(setting, items[4]), integrate=owner, seconds=0.25, **needs)
        )

    def gap(facts: list[Fact]) -> str:
        reached = min((fact.value for fact in facts), default=0)
        return "" if reached >= again else setting.words.sentence(f"gap {reached}")

    job.loop(names[looped:], until=fits(setting.words.agents[8], gap), rounds=4)
    return (await carry_out(job, setting)).run_id


def _by_round(setting: Setting, raising: str) -> Acts:
    """Return what is done in each round: each says in which one it was made."""

    def act(item: str, brief: Brief) -> Act:
        concern = setting.honest(item) if item == raising else None
        return setting.act(item, seconds=0.25, facts={item: brief.round}, concern=concern)

    return act
