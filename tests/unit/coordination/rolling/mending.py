"""Jobs that are mended in rounds: each bug says how many rounds it needs, each agent and check is on record here."""

from typing import Any

from pydantic import BaseModel

from echelon import AgentFailed, Brief, Handoffs, Job, Outcome, Repeat, Rounds, Usage, Verdict, agent, integrator
from tests.unit.coordination.jobs import ONCE


class Bug(BaseModel):
    """Something to fix."""

    id: str
    domain: str = "core"
    rounds: int = 1
    """So many rounds it takes."""
    fails: tuple[int, ...] = ()
    """The rounds in which the agent fails."""


class Bugs(BaseModel):
    """What the jobs are given."""

    bugs: tuple[Bug, ...] = ()


class Fix(BaseModel):
    """What was done of a bug."""

    id: str
    round: int
    needs: int = 1


def bugs(*rounds: int, fails: dict[int, tuple[int, ...]] | None = None) -> Bugs:
    """Make a bug for each number: so many rounds it takes; `fails` are rounds in which its agent fails."""
    failing = fails or {}
    return Bugs(
        bugs=tuple(Bug(id=f"b{n}", rounds=each, fails=failing.get(n, ())) for n, each in enumerate(rounds)),
    )


@integrator
def listed(fixes: Handoffs[Fix]) -> list[str]:
    """List what was fixed."""
    return [f"{one.id}@{one.round}" for one in fixes.outputs()]


@agent
async def publish(fix: Handoffs[Fix]) -> list[str]:
    """Say what was fixed, and what was not."""
    return [*(f"{one.id}@{one.round}" for one in fix.outputs()), *(f"without {one.task_id}" for one in fix.missing)]


@agent
async def publish_list(fix: Handoffs[list[str]]) -> list[str]:
    """Say what was fixed, as it was listed."""
    return [*(one for each in fix.outputs() for one in each), *(f"without {one.task_id}" for one in fix.missing)]


class Workshop:
    """Agents and checks that remember what they were asked, and what they were told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """`bug@round` for each time somebody was set to work."""
        self.checked: list[str] = []
        """The same for checks."""
        self.briefs: dict[str, Brief] = {}
        self.rounds: dict[str, list[Fix]] = {}
        """What was handed to an agent of its earlier rounds."""

        @agent
        async def fix(bug: Bug, brief: Brief, rounds: Rounds[Fix]) -> Outcome[Fix]:
            """Fix a bug."""
            number = brief.round
            self.asked.append(f"{bug.id}@{number}")
            self.briefs[f"{bug.id}@{number}"] = brief
            self.rounds[f"{bug.id}@{number}"] = rounds.outputs()
            if number in bug.fails:
                raise AgentFailed(f"{bug.id} cannot be fixed")
            return Outcome(output=Fix(id=bug.id, round=number, needs=bug.rounds), usage=Usage(tokens_in=10))

        def passes(bug: Bug, output: Fix) -> str:
            self.checked.append(f"{bug.id}@{output.round}")
            left = bug.rounds - output.round
            return f"{left} tests fail" if left > 0 else ""

        def all_pass(fix: Handoffs[Fix]) -> Verdict:
            self.checked.append("all")
            bad = {one.id: f"{one.needs - one.round} tests fail" for one in fix.outputs() if one.round < one.needs}
            return Verdict.rejected("not all tests pass", bad) if bad else Verdict.accepted()

        def all_of_list(fix: Handoffs[list[str]]) -> Verdict:
            self.checked.append("all")
            done = dict(one.split("@") for each in fix.outputs() for one in each)
            bad = {key: "not yet" for key, need in (("b1", 3), ("b2", 2)) if int(done[key]) < need}
            return Verdict.rejected("not all is done", bad) if bad else Verdict.accepted()

        self.fix, self.passes, self.all_pass, self.all_of_list = fix, passes, all_pass, all_of_list

    def job(self, until: Any = None, *, rounds: int = 3, stall: int = 2, **phase: Any) -> Job:
        """Make a job of one phase that is repeated."""
        job = Job("mending", goal="Mend everything", inputs=Bugs, defaults=ONCE)
        repeat = Repeat(until=until or self.passes, rounds=rounds, stall=stall)
        job.phase("fix", **{"each": self.fix, "over": lambda bugs: bugs, "repeat": repeat, **phase})
        return job

    def publishing(self, *args: Any, needs: Any = "fix", **phase: Any) -> Job:
        """Make the same job with a consumer behind it."""
        job = self.job(*args, **phase)
        job.phase("publish", agent=publish_list if phase.get("integrate") else publish, needs=needs)
        return job
