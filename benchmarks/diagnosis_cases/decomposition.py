"""Work that is cut in the wrong way: too small, too large, across what belongs together, one behind the other."""

from openai import AsyncOpenAI

from benchmarks.diagnosis_cases.jobs import acts_of, add_closing, add_wide, carry_out, new_job, staged
from benchmarks.diagnosis_cases.models import Provider, Talk, model_worker
from benchmarks.diagnosis_cases.people import Act, graph_worker
from benchmarks.diagnosis_cases.setting import Setting, look_after
from echelon import Brief, Job, TaskSpec
from echelon.model.graph import Dependency, TaskGraph


async def over_decomposition(setting: Setting) -> str:
    """Give each agent a sliver: what is read of a handoff costs as much as it took to make it."""
    share = setting.either(setting.by(0.06, 0.04, 0.025), 0.6)
    seconds = setting.either(0.2, 0.4)
    items = setting.words.items(setting.by(24, 32, 44) + setting.words.number("more", 0, 2))
    plain = acts_of(setting, items)

    def act(item: str, brief: Brief) -> Act:
        usual = plain(item, brief)
        return Act(seconds=seconds, tokens=setting.tokens(share, item), concern=usual.concern)

    job, domains = new_job(setting), setting.domain_of(items, setting.by(3, 4, 6))
    add_wide(
        job, setting, 0, items, act, domain=domains.__getitem__, integrate=staged(setting), tokens=setting.tokens(share)
    )
    return (await carry_out(job, setting)).run_id


async def under_decomposition(setting: Setting) -> str:
    """Give models more than they can hold: conversations fill the context, and some end there without a result."""
    items = setting.words.items(5)
    lost = items[: setting.either(setting.by(1, 2, 4), 0)]
    talks = {item: _talk(setting, item, lost) for item in items}
    job = new_job(setting)
    with Provider(talks, setting.window, setting.words.sentence("answer")) as provider:
        async with AsyncOpenAI(base_url=provider.url, api_key="none") as openai:
            who = model_worker(setting.words.agents[0], setting.words.task("goal 0"), openai)
            phase = setting.words.phases[0]
            job.phase(phase, each=who, over=lambda: items, tokens=setting.tokens(0.6), seconds=0.4)
            closing = setting.act(phase, seconds=0.2, concern=setting.honest(phase))
            add_closing(job, setting, 1, phase, closing)
            return (await carry_out(job, setting)).run_id


def _talk(setting: Setting, item: str, lost: list[str]) -> Talk:
    """Return a conversation that is cut off, refused, or as full as it may be; of a twin it is half full."""
    if not setting.has_mode:
        return Talk(ends=setting.tokens(0.6, item), written=setting.tokens(0.03))
    if item not in lost:
        return Talk(ends=setting.tokens(0.88), written=setting.tokens(0.04))
    if lost.index(item) % 2:
        return Talk(looks=(setting.tokens(0.93),))
    return Talk(ends=setting.tokens(0.94), written=setting.tokens(0.06), is_cut_off=True)


async def bad_boundaries(setting: Setting) -> str:
    """Draw domains so that what depends on each other is in different ones, and agents wait for other domains."""
    domains, many = setting.words.domains[:3], 3
    known = setting.words.items(19)
    below, above, last = known[:9], known[9:18], known[18]
    inner = setting.either(setting.by(3, 2, 0), 9)
    tasks = [_task(setting, item, domains[place // many]) for place, item in enumerate(below)]
    used: dict[str, list[str]] = {}
    for place, item in enumerate(above):
        own, at = place // many, place % many
        elsewhere = [below[(own + 1) % 3 * many + at], below[(own + 2) % 3 * many + at]]
        inside = [below[own * many + at], below[own * many + (at + 1) % many]]
        used[item] = inside if place < inner else elsewhere
        tasks.append(_task(setting, item, domains[own], used[item]))
    tasks.append(_task(setting, last, None, above))
    waiting = above[9 - setting.either(setting.by(2, 3, 5), 0) :]
    held = {item: setting.act(item, blocked=(used[item][0], setting.words.sentence(item))) for item in waiting}
    who = graph_worker(setting.words.agents[0], setting.words.task("goal 0"), acts_of(setting, known, held))
    graph = TaskGraph(name=setting.words.job, goal=setting.words.goal, tasks=tuple(tasks), priors=setting.priors)
    job = Job.from_graph(graph, agents={"*": who})
    result = await job.run()
    if result.missing:
        result = await job.resume(result.run_id)
    await look_after(result, setting.words.people[0], setting.words.sentence("seen"))
    return result.run_id


def _task(setting: Setting, item: str, domain: str | None, needs: list[str] | None = None) -> TaskSpec:
    """Return a task of the graph that is half of what a context holds."""
    needed = tuple(Dependency(task=name) for name in needs or ())
    tokens = setting.tokens(0.6)
    goal = setting.words.task(f"goal of {item}")
    return TaskSpec(id=item, goal=goal, domain=domain, tokens=tokens, seconds=0.4, depends_on=needed)


async def serial_where_parallel(setting: Setting) -> str:
    """Put phases one behind the other that use nothing of each other; in the twin each builds on the one before."""
    phases = setting.by(4, 6, 8)
    job, before, names = new_job(setting), "", list[str]()
    for place in range(phases):
        items = setting.words.items(2 * phases)[2 * place : 2 * place + 2]
        reads = setting.either((lambda _task: False), None) if before else None
        special = {item: setting.act(item, seconds=0.25, reads=reads) for item in items}
        if place == 1:
            special[items[0]] = setting.act(items[0], seconds=0.25, reads=reads, concern=setting.honest(items[0]))
        stated = {"needs": before} if before else {}
        before = add_wide(job, setting, place, items, acts_of(setting, items, special), **stated)
        names.append(before)
    add_closing(job, setting, phases, names)
    return (await carry_out(job, setting)).run_id
