"""How a concern is put on record: with its route, and whom it reaches, decided as it is raised (O1, O2, O9, O11).

The lead and the line of the person are two fields of one event: it reaches both or nobody, and no coordinator is asked.
"""

import re
from datetime import datetime

from echelon.coordination.run_log import RunLog
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.integration import node_of_integration
from echelon.model.plan import Plan
from echelon.oversight.ledger import EarlierConcerns
from echelon.oversight.reach import NOTHING_BEHIND, Downstream, Reach
from echelon.oversight.routing import route_of
from echelon.runlog.events import ConcernRaised


class Raising:
    """Makes the records of what the steps of one run raise."""

    def __init__(self, log: RunLog, earlier: EarlierConcerns) -> None:
        self._log = log
        self._earlier = earlier
        self._plan: Plan | None = None
        self._downstream: Downstream | None = None

    @property
    def run_id(self) -> str:
        """The run."""
        return self._log.run_id

    def event(
        self,
        identity: str,
        source: str,
        concern: Concern,
        at: datetime,
        *,
        step: str = "",
        task_id: str = "",
        phase: str = "",
    ) -> ConcernRaised:
        """Return the event that puts a concern on record; what no step raised has no step, task or phase."""
        plan, run_id = self._log.state.plan, self.run_id
        routed = route_of(concern, self._reach(plan, task_id, phase), self._earlier.track_of(source))
        record = ConcernRecord(
            id=identity,
            run_id=run_id,
            source=source,
            step=step,
            task_id=task_id,
            concern=concern,
            at=at,
            route=routed.route,
            route_reasons=routed.reasons,
            lead=lead_of(plan, source) if plan else "",
            about_nodes=nodes_about(plan, source, concern, phase) if plan else (),
            dismissed_before=self._earlier.dismissed.get((concern.about, concern.message), 0),
        )
        return ConcernRaised(run_id=run_id, at=at, record=record)

    def _reach(self, plan: Plan | None, task_id: str, phase: str) -> Reach:
        if plan is None or not task_id:
            return NOTHING_BEHIND
        if self._downstream is None or self._plan is not plan:
            self._plan, self._downstream = plan, Downstream(plan)
        return self._downstream.of(task_id, phase)


def lead_of(plan: Plan, source: str) -> str:
    """Return the nearest coordinator of a source: the one above it, or itself at the top; empty where it has none."""
    node = plan.nodes.get(source)
    return "" if node is None else node.parent or node.id


def nodes_about(plan: Plan, source: str, concern: Concern, phase: str = "") -> tuple[str, ...]:
    """Return the nodes that a concern is about: who does the task or owns the integration it names, and leads in it."""
    about, said = concern.about, f"{concern.about} {concern.message}"
    leads = plan.path(source)[:-1] if source in plan.nodes else ()
    found = [
        *([about] if about in plan.nodes else ()),
        *([plan.agent_of[about]] if about in plan.agent_of else ()),
        *([owner] if (owner := node_of_integration(phase, about)) in plan.nodes else ()),
        *(lead for lead in leads if re.search(rf"(?<![\w/-]){re.escape(lead)}(?![\w/-])", said)),
    ]
    return tuple(dict.fromkeys(found))
