"""What contradicts in a question, and how it was settled: nothing is passed over in silence (§A).

What bounds a choice (size, danger) always wins over what merely prefers one; what is said about this job wins over what
its situation usually implies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from echelon.advice.choices import CENTRALISED_UP_TO, CONTRACTS, CONTROL, COUPLING_ACROSS, SYNC
from echelon.advice.resolved import CONTEXT_PRIORITIES, ResolvedQuestion
from echelon.advice.rules import Choices, choose
from echelon.advice.situations import PATTERNS, implied
from echelon.model.plan import Finding, FindingLevel

INFO, WARNING = FindingLevel.INFO, FindingLevel.WARNING

#: Above so many agents coherence and scale exclude each other (R1).
COHERENT_UP_TO = 100  # agents


@dataclass(frozen=True, slots=True)
class Clash:
    """Two things asked for that cannot both be had."""

    holds: Callable[[ResolvedQuestion], bool]
    rule: str
    where: str
    message: str
    fix: str
    level: FindingLevel = WARNING


CLASHES: tuple[Clash, ...] = (
    Clash(
        lambda c: c.agents > COHERENT_UP_TO and c.asked.priority == "coherence",
        "R1",
        "priority",
        f"coherence is wanted, but above {COHERENT_UP_TO} agents it cannot be had; the number decides: federated, "
        "as deep as recommended",
        f"use {COHERENT_UP_TO} agents at most, or keep what must cohere inside one domain",
    ),
    Clash(
        lambda c: CENTRALISED_UP_TO < c.agents <= COHERENT_UP_TO and c.asked.priority == "coherence",
        "A",
        "priority",
        f"coherence asks for one centre, but no centre holds more than about {CENTRALISED_UP_TO} agents; control is "
        "distributed",
        f"use {CENTRALISED_UP_TO} agents at most, or let domain leads decide alone",
    ),
    Clash(
        lambda c: c.one_team and c.agents > 1 and c.asked.priority == "resilience",
        "F9",
        "priority",
        "resilience is wanted, but up to 8 agents have one coordinator, on whom everything depends",
        "give the coordinator a standby",
    ),
    Clash(
        lambda c: c.federated and c.coupling == "tight",
        "D3",
        "coupling",
        "tight coupling is asked for, but domains that govern themselves can only be coupled loosely; it holds inside "
        "each domain alone",
        "keep what belongs tightly together in one domain, or use fewer agents",
    ),
    Clash(
        lambda c: c.federated and bool(c.asked.natural_domains) and c.asked.domain_coupling == "tight",
        "D3",
        "domain_coupling",
        "the domains are stated to need each other, but federated domains can only be coupled loosely",
        "merge the domains that need each other most, and write contracts for what still crosses",
    ),
    Clash(
        lambda c: c.alone and (c.given.coupling_need not in {None, "none"} or c.given.domain_coupling is not None),
        "D3",
        "coupling",
        "a coupling is given, but a single agent depends on no other; it is ignored",
        "leave it out, or give the number of agents that share the work",
        INFO,
    ),
    Clash(
        lambda c: c.given.domain_coupling is not None and c.given.natural_domains is False and not c.alone,
        "R1",
        "domain_coupling",
        "a coupling of domains is given, but there are none; it is passed over",
        "name the domains, or leave the coupling out",
    ),
    Clash(
        lambda c: c.given.domain_coupling is not None and c.given.natural_domains is None and not c.alone,
        "R1",
        "domain_coupling",
        "a coupling of domains is given, so there are taken to be natural domains",
        "say so: --domains",
        INFO,
    ),
    Clash(
        lambda c: c.needs_less_than_danger and not c.alone,
        "D3",
        "coupling_need",
        "the stated coupling is weaker than the consequence of an error allows; the consequence decides",
        "state a smaller consequence if that is true, else keep the stronger coupling",
    ),
    Clash(
        lambda c: c.asked.coupling_need == "none" and c.said_dependent and not c.close and not c.alone,
        "D3",
        "coupling_need",
        "tasks are stated to need each other but no coupling; they are coupled loosely",
        "leave one of the two out",
    ),
    Clash(
        lambda c: c.said_independent and c.asked.coupling_need not in {None, "none"} and not c.alone,
        "D3",
        "independent",
        "tasks are stated to be independent but to need a coupling; they are treated as dependent",
        "leave one of the two out",
    ),
    Clash(
        lambda c: c.said_independent and c.asked.coupling_need in {None, "none"} and c.close and not c.alone,
        "D3",
        "independent",
        "tasks are stated to be independent, but what an error would do, or a whole that must cohere, asks for more; "
        "they are coordinated as if they depended on each other",
        "keep the closer coordination, or state a smaller consequence and no creative work if that is true",
    ),
    Clash(
        lambda c: c.catastrophic and c.asked.contract_need == "flexible",
        "C5",
        "contracts",
        "flexible contracts are wanted, but an error may do damage that stays; contracts are strict",
        "explore where errors are harmless, and let only what fits a strict contract out of there",
    ),
    Clash(
        lambda c: c.federated and choose(CONTRACTS, c).choice == "flexible",
        "C5",
        "contracts",
        "the work asks for flexible contracts, but federated domains meet through their contracts alone; they are "
        "flexible inside a domain and strict between domains",
        "let contracts bend inside a domain only",
    ),
)


#: The tables whose rows may ask for something that a row before them decides otherwise.
ASKING: dict[str, Choices[object]] = {
    "sync": SYNC,
    "coupling across": COUPLING_ACROSS,
    "contracts": CONTRACTS,
    "control": CONTROL,
}


def findings_for(resolved: ResolvedQuestion) -> tuple[Finding, ...]:
    """Return what contradicts or was assumed, and how it was settled: the situation first, then the rest."""
    clashes = (_finding(clash) for clash in CLASHES if clash.holds(resolved))
    return (*_situation(resolved), *clashes, *_overruled(resolved))


def _overruled(resolved: ResolvedQuestion) -> Iterator[Finding]:
    """Name what a context asks for and does not get, with what decided instead."""
    for aspect, table in ASKING.items():
        chosen = choose(table, resolved)
        asking = {row.asks: row for row in reversed(table) if row.asks and row.holds(resolved)}
        for field, row in asking.items():
            if row.choice != chosen.choice:
                yield _passed_over(resolved, str(field), f"{aspect} {_said(row.choice)}", chosen.text)
    for context in CONTEXT_PRIORITIES:
        first = resolved.asked.priority
        if getattr(resolved.asked, context.field) == context.value and first not in {None, context.priority}:
            asked_for, decided = f"priority {context.priority}", f"{first} comes first"
            yield _passed_over(resolved, context.field, asked_for, decided)


def _passed_over(resolved: ResolvedQuestion, field: str, asked_for: str, decided: str) -> Finding:
    said = _words(field, getattr(resolved.asked, field))
    message = f"{said} asks for {asked_for}; something else decides: {decided}"
    fix = "nothing, if that is right; else change or leave out what decides"
    return Finding(rule="A", level=INFO, where=field, message=message, fix=fix)


def _said(choice: object) -> str:
    """Return a choice as people read it; when to synchronise comes with how often."""
    return f"{choice[0]} ({choice[1]})" if isinstance(choice, tuple) else str(choice)


def _situation(resolved: ResolvedQuestion) -> Iterator[Finding]:
    name = resolved.given.situation
    if name is None:
        return
    pattern = PATTERNS[name]
    if resolved.given.agents is None:
        message = f"no number of agents is given; {resolved.agents} are taken, which is typical of {name!r}"
        yield Finding(rule="A", level=INFO, where="agents", message=message, fix="give the number: --agents")
    for field, usual in implied(resolved.given).items():
        given = getattr(resolved.given, field)
        if given not in {None, usual}:
            message = (
                f"{name!r} usually means {_words(field, usual)}, but {_words(field, given)} is given; that decides"
            )
            fix = "leave the situation out, if the job does not resemble it"
            yield Finding(rule="A", level=INFO, where=field, message=message, fix=fix)
    if resolved.structure not in pattern.fits:
        remains = "" if resolved.alone else f". Of the pattern this holds: {pattern.remains}"
        message = (
            f"{name!r} stands for {pattern.text}, which does not fit {_agents(resolved.agents)}; the number decides "
            f"({resolved.structure}){remains}"
        )
        fix = f"use a number of agents that fits, such as {pattern.typical_agents}, or leave the situation out"
        yield Finding(rule="A", level=WARNING, where="situation", message=message, fix=fix)


def _finding(clash: Clash) -> Finding:
    return Finding(rule=clash.rule, level=clash.level, where=clash.where, message=clash.message, fix=clash.fix)


def _words(field: str, value: object) -> str:
    return f"{field.replace('_', ' ')} {str(value).lower()}"


def _agents(number: int) -> str:
    return "1 agent" if number == 1 else f"{number:,} agents"
