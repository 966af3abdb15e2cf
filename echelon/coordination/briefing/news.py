"""What is new when a phase begins, as its order carries it to whoever works in it (X2, X8, O6). Pure.

It is no part of what a step is: its key, and what it is made from, do not depend on it (F8).
"""

from collections.abc import Collection

from echelon.coordination.spec import RunSpec
from echelon.model.briefing.news import News
from echelon.oversight.briefing.changes import changes_since
from echelon.oversight.briefing.decisions import decisions_in
from echelon.oversight.briefing.domains import delivered_by_domain
from echelon.oversight.briefing.flat import flat_lines, is_behind_flat
from echelon.oversight.briefing.lines import brief_lines
from echelon.runlog.state import RunState


def news_for(spec: RunSpec, state: RunState, phase: str, before: Collection[str], received: Collection[str]) -> News:
    """Return what is told to all who work in a phase.

    `before` are all phases on a path to it, `received` those whose handoffs its agents get: of those they know more.
    """
    needs = spec.job.phases[phase].needs
    return News(
        changed=brief_lines(changes_since(state, needs)),
        decisions=brief_lines(decisions_in(state)),
        domains=delivered_by_domain(state, spec.plan, set(before) - set(received)),
        flat=flat_lines(state) if is_behind_flat(state, needs) else (),
    )
