"""Which wrong outputs are caught, and by whom: twenty kinds of them in runs of 200 agents.

    python benchmarks/oversight.py [--json] [--rounds 3] [--seed 0]

Agents count risky lines of 200 texts, in four phases side by side; integrators put together what they found. In each
run some results and some integrations are made wrong in one of twenty ways. Who verifies looks at a text again by
another method, and reads no prose; audits hold integrations to what their contracts promise. What is printed is the
share of each kind that was caught, for several rates of verification and audit. Nothing that was right may be rejected:
the ratio is the share of right outputs that were.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field

from echelon import AgentFailed, Audit, Brief, Complete, Concern, Handoffs, Job, Key, Oversight, agent, integrator
from echelon.engine.options import DEFAULT_OPTIONS
from echelon.engine.run import run_job
from echelon.model.audit.audit import AuditKind
from echelon.model.plan import Plan
from echelon.model.run import RunResult

CLAIM = "What is wrong is caught in the share that is looked at, and nothing that is right is rejected"

#: Phases, and how long a result of each is expected to take: those of the first are on the critical path.
PHASES: Mapping[str, float] = {"deep": 9.0, "wide": 1.0, "side": 1.0, "notes": 1.0}
EACH = 50  # texts of a phase

#: Results of each kind that are wrong in a run.
WRONG_RESULTS = 8

#: Integrations of each kind that are wrong in a run.
WRONG_INTEGRATIONS = 2


class Text(BaseModel):
    """An item: lines, some of which are risky; `fault` says how what is made of it is wrong."""

    id: str
    lines: list[str]
    before: list[str]
    fault: str = ""


class Risk(BaseModel):
    """A risky line."""

    text: Annotated[str, Key()]
    line: Annotated[int, Key()]
    severity: Literal["low", "high"]


class Found(BaseModel):
    """What was found in a text."""

    text: Annotated[str, Key()]
    risks: list[Risk]
    total: int
    why: str
    concerns: list[Concern] = Field(default_factory=list[Concern])


class Summary(BaseModel):
    """What was found in several of them."""

    risks: Annotated[list[Risk], Complete()]
    texts: Annotated[list[str], Complete(of=Found)]
    concerns: list[Concern]
    whole: Annotated[bool, Complete()]


class Inputs(BaseModel):
    """Texts by phase, and the integrations that are made wrong, each with the way."""

    texts: dict[str, list[Text]]
    faults: dict[str, str]


def risks_in(name: str, lines: list[str]) -> list[Risk]:
    """Find risky lines."""
    marks: tuple[tuple[str, Literal["low", "high"]], ...] = (("TODO", "low"), ("FIXME", "high"))
    return [
        Risk(text=name, line=number, severity=severity)
        for number, line in enumerate(lines)
        for mark, severity in marks
        if mark in line
    ]


def turned(risk: Risk) -> Risk:
    """Return a risk with the other severity."""
    return risk.model_copy(update={"severity": "low" if risk.severity == "high" else "high"})


def _other(found: Found) -> Found:
    name = f"t{(int(found.text[1:]) + 1) % EACH}"
    return Found(text=name, risks=risks_in(name, _lines(name)), total=len(_lines(name)), why="")


#: How a result is made wrong, given the right one.
RESULTS: Mapping[str, Callable[[Found], Found]] = {
    "empty result": lambda one: one.model_copy(update={"risks": [], "total": 0}),
    "one finding left out": lambda one: one.model_copy(update={"risks": one.risks[1:]}),
    "finding invented": lambda one: one.model_copy(
        update={"risks": [*one.risks, Risk(text=one.text, line=99, severity="low")]}
    ),
    "wrong line": lambda one: one.model_copy(
        update={"risks": [one.risks[0].model_copy(update={"line": one.risks[0].line + 1}), *one.risks[1:]]}
    ),
    "severity turned": lambda one: one.model_copy(update={"risks": [turned(one.risks[0]), *one.risks[1:]]}),
    "all severities turned": lambda one: one.model_copy(update={"risks": list(map(turned, one.risks))}),
    "about another text": lambda one: one.model_copy(
        update={"text": "x", "risks": [each.model_copy(update={"text": "x"}) for each in one.risks]}
    ),
    "copied from sibling": _other,
    "two answers": lambda one: one.model_copy(update={"risks": [*one.risks, turned(one.risks[0])]}),
    "made from an old version": lambda one: one,
    "total is off by one": lambda one: one.model_copy(update={"total": one.total + 1}),
    "plausible nonsense in prose": lambda one: one.model_copy(update={"why": "The moon is full."}),
}

#: How an integration is made wrong, given the right one, and what the audit calls it.
INTEGRATIONS: Mapping[str, tuple[Callable[[Summary], Summary], AuditKind]] = {
    "gap: one key": (lambda one: one.model_copy(update={"risks": one.risks[1:]}), AuditKind.GAP),
    "gap: a whole part": (lambda one: one.model_copy(update={"texts": one.texts[1:]}), AuditKind.GAP),
    "contradiction": (
        lambda one: one.model_copy(update={"risks": [turned(one.risks[0]), *one.risks[1:]]}),
        AuditKind.CONTRADICTION,
    ),
    "two answers in one": (
        lambda one: one.model_copy(update={"risks": [*one.risks, turned(one.risks[0])]}),
        AuditKind.TWO_ANSWERS,
    ),
    "concern dropped": (lambda one: one.model_copy(update={"concerns": one.concerns[1:]}), AuditKind.DROPPED_CONCERN),
    "concern toned down": (
        lambda one: one.model_copy(
            update={"concerns": [each.model_copy(update={"message": "all is well"}) for each in one.concerns]}
        ),
        AuditKind.DROPPED_CONCERN,
    ),
    "claims to be complete": (lambda one: one.model_copy(update={"whole": True}), AuditKind.CLAIMS_COMPLETE),
}

WRONG_WORD = "word not in the vocabulary"


def _lines(name: str) -> list[str]:
    number = int(name[1:])
    marks = {0: "# TODO", 3: "# FIXME", (number * 7) % 11 + 4: "# TODO again"}
    return [f"{name} line {at} {marks.get(at, '')}" for at in range(16)]


@agent
async def count(item: Text) -> Found:
    """Count risky lines."""
    if item.fault == "fails":
        raise AgentFailed("it is not there")
    lines = item.before if item.fault == "made from an old version" else item.lines
    worry = Concern(about=item.id, message=f"{item.id} is odd", confidence=0.4, impact=0.4)
    made = Found(
        text=item.id, risks=risks_in(item.id, lines), total=len(lines), why=f"{item.id} has marks", concerns=[worry]
    )
    return RESULTS.get(item.fault, lambda one: one)(made)


def look_again(output: Found, item: Text) -> str:
    """Look at a text by another method: take away what is claimed, and see whether anything is left."""
    left = {number: line for number, line in enumerate(item.lines) if "TODO" in line or "FIXME" in line}
    for one in output.risks:
        line = left.pop(one.line, "")
        if not line or ("FIXME" in line) != (one.severity == "high") or one.text != item.id:
            return f"no such risk in line {one.line}"
    if left or output.text != item.id or output.total != len(item.lines):
        return f"{len(left)} risks left out, or not about {item.id}"
    return ""


def _faulty(made: Summary, inputs: Inputs, brief: Brief) -> Summary:
    fault = inputs.faults.get(brief.assignment.task_id, "")
    return INTEGRATIONS[fault][0](made) if fault in INTEGRATIONS else made


@integrator
async def merge(found: Handoffs[Found], inputs: Inputs, brief: Brief) -> Summary:
    """Put together what was found."""
    parts = found.outputs()
    # Of one key that was answered twice below, the first answer stands.
    first = {(one.text, one.line): one for part in reversed(parts) for one in reversed(part.risks)}
    made = Summary(
        risks=list(first.values()),
        texts=[one.text for one in parts],
        concerns=[one for part in parts for one in part.concerns],
        whole=not found.missing,
    )
    return _faulty(made, inputs, brief)


@merge.combine
async def combine(merged: Handoffs[Summary], inputs: Inputs, brief: Brief) -> Summary:
    """Put together what was put together."""
    parts = merged.outputs()
    first = {(one.text, one.line): one for part in reversed(parts) for one in reversed(part.risks)}
    made = Summary(
        risks=list(first.values()),
        texts=[text for part in parts for text in part.texts],
        concerns=[one for part in parts for one in part.concerns],
        whole=not merged.missing and all(part.whole for part in parts),
    )
    return _faulty(made, inputs, brief)


@integrator
async def table(found: Handoffs[Found], inputs: Inputs, brief: Brief) -> dict[str, Any]:
    """Make a table, which no contract looks into."""
    rows = [{"text": one.text, "severity": one.severity} for part in found.outputs() for one in part.risks]
    if brief.assignment.task_id in inputs.faults:
        rows[0]["severity"] = "dreadful"
    return {"rows": rows}


class Setting(NamedTuple):
    """How much is looked at."""

    name: str
    everybody: bool
    """Is every result verified, and not only those on the critical path?"""
    oversight: Oversight


SETTINGS = (
    Setting("nothing", False, Oversight(audit=Audit(rate=0.0))),
    Setting("critical, audit 10 %", False, Oversight(verify=look_again, audit=Audit(rate=0.1))),
    Setting("critical, audit 50 %", False, Oversight(verify=look_again, audit=Audit(rate=0.5))),
    Setting("all, audit 100 %", True, Oversight(audit=Audit(rate=1.0))),
)


def job_of(setting: Setting, inputs: Inputs) -> Job:
    """Make the job."""
    job = Job("counting", goal="Count what is risky", inputs=Inputs, oversight=setting.oversight)
    for name, seconds in PHASES.items():
        job.phase(
            name,
            each=count,
            over=_finder(inputs.texts[name]),
            key=lambda one: one.id,
            seconds=seconds,
            verify=look_again if setting.everybody else None,
            integrate=table if name == "notes" else combine,
        )
    return job


def _finder(texts: list[Text]) -> Callable[[], list[Text]]:
    def find() -> list[Text]:
        return texts

    return find


def texts_by_phase() -> dict[str, list[Text]]:
    """Make the texts, without faults."""
    names = [f"t{number}" for number in range(EACH)]
    before = {name: [*_lines(name)[4:], "x", "y", "z", "# TODO"] for name in names}
    return {phase: [Text(id=name, lines=_lines(name), before=before[name]) for name in names] for phase in PHASES}


class Wrong(NamedTuple):
    """What is made wrong in a run: kind → the tasks or integrations."""

    results: dict[str, list[str]]
    integrations: dict[str, list[str]]
    inputs: Inputs


def made_wrong(integrations: list[str], members: Mapping[str, list[str]], draw: random.Random) -> Wrong:
    """Draw what is made wrong; `members` are the tasks below each integration."""
    texts = texts_by_phase()
    by_task = {f"{phase}/{one.id}": one for phase, each in texts.items() for one in each}
    merges = [one for one in integrations if one.partition("/")[0] != "notes" and "/merge/" in one]
    draw.shuffle(merges)
    chosen = {kind: [merges.pop() for _ in range(WRONG_INTEGRATIONS)] for kind in INTEGRATIONS}
    free = list(by_task)
    for one in chosen["claims to be complete"]:
        lost = members[one][0]
        by_task[lost].fault = "fails"
        free.remove(lost)
    draw.shuffle(free)
    results = {kind: [free.pop() for _ in range(WRONG_RESULTS)] for kind in RESULTS}
    for kind, tasks in results.items():
        for task in tasks:
            by_task[task].fault = kind
    words = [one for one in integrations if one.startswith("notes/")]
    faults = {one: kind for kind, names in chosen.items() for one in names} | dict.fromkeys(words, WRONG_WORD)
    return Wrong(results, {**chosen, WRONG_WORD: words}, Inputs(texts=texts, faults=faults))


async def carry_out(setting: Setting, inputs: Inputs) -> RunResult:
    """Run the job in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["ECHELON_HOME"] = home
        return await run_job(job_of(setting, inputs), inputs, DEFAULT_OPTIONS)


def caught(result: RunResult, wrong: Wrong) -> Iterator[tuple[str, bool]]:
    """Yield each thing that was made wrong, by its kind, with whether it was caught."""
    missing = {one.task_id for one in result.missing}
    found = {(audit.task_id, one.kind) for audit in result.audits for one in audit.findings}
    copied = {one.where for audit in result.audits for one in audit.findings if one.kind is AuditKind.COPIED}
    for kind, tasks in wrong.results.items():
        yield from ((kind, task in missing or task in copied) for task in tasks)
    for kind, names in wrong.integrations.items():
        expected = INTEGRATIONS[kind][1] if kind in INTEGRATIONS else AuditKind.WRONG_WORD
        yield from ((kind, (name, expected) in found) for name in names)


def rejected_right(result: RunResult, wrong: Wrong | None = None) -> int:
    """Count what was rejected and was right; failures that were asked for, and what is wrong, left out."""
    bad = {one for names in wrong.results.values() for one in names} if wrong else set[str]()
    broken = {one for names in wrong.integrations.values() for one in names} if wrong else set[str]()
    copies = set(wrong.results["copied from sibling"]) if wrong else set[str]()
    tasks = sum(one.task_id not in bad and "was rejected by" in one.reason for one in result.missing)
    audits = (one for one in result.audits if one.verdict == "rejected" and one.task_id not in broken)
    return tasks + sum(any(each.where not in copies for each in one.findings) for one in audits)


async def measured(rounds: int, seed: int) -> dict[str, Any]:
    """Return the share of each kind that was caught, by setting."""
    clean = Inputs(texts=texts_by_phase(), faults={})
    everything = await carry_out(SETTINGS[-1], clean)
    integrations = [one.task_id for one in everything.audits]
    plan = job_of(SETTINGS[-1], clean).plan_for(clean)
    members = {
        one: [
            task
            for task in plan.agent_of
            if task.startswith(f"{one.partition('/')[0]}/") and _is_below(plan, one, task)
        ]
        for one in integrations
    }
    hit, tried, false = Counter[tuple[str, str]](), Counter[tuple[str, str]](), rejected_right(everything)
    right = everything.launched
    for number in range(rounds):
        wrong = made_wrong(integrations, members, random.Random(f"{seed} {number}"))
        for setting in SETTINGS:
            result = await carry_out(setting, wrong.inputs)
            for kind, was_caught in caught(result, wrong):
                tried[setting.name, kind] += 1
                hit[setting.name, kind] += was_caught
            false += rejected_right(result, wrong)
            right += result.launched - sum(map(len, (*wrong.results.values(), *wrong.integrations.values())))
    kinds = [*RESULTS, *INTEGRATIONS, WRONG_WORD]
    shares = {name: {kind: hit[name, kind] / tried[name, kind] for kind in kinds} for name, *_ in SETTINGS}
    return {"shares": shares, "rejected_right": false, "ratio": false / right}


def _is_below(plan: Plan, integration: str, task: str) -> bool:
    return plan.nodes[plan.agent_of[task]].parent == integration.partition("/merge/")[2]


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    print(CLAIM)
    names = list(found["shares"])
    print(f"{'share that was caught':<28}" + "".join(f"{name:>24}" for name in names))
    for kind in found["shares"][names[0]]:
        shares = (found["shares"][name][kind] for name in names)
        print(f"{kind:<28}" + "".join(f"{share:>23.0%} " for share in shares))
    print(f"right outputs that were rejected: {found['rejected_right']}")


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ["ECHELON_PICTURE"] = "false"
    found = asyncio.run(measured(given.rounds, given.seed))
    if given.json:
        points = [{"setting": name, **shares} for name, shares in found["shares"].items()]
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": found["ratio"]}))
    else:
        show(found)


if __name__ == "__main__":
    main()
