"""What a run knows of how its own work was judged: the same in its view and in its result."""

from echelon.model.audit.audit import AuditRecord, JudgedResults
from echelon.model.autonomy.decisions import AgentAutonomy, ApprovalQueue
from echelon.model.base import Value
from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.sync.seen import SyncSeen


class JudgedWork(Value):
    """How a run judged its own work."""

    autonomy: tuple[AgentAutonomy, ...] = ()
    """How far each agent may proceed by its record, before the run and behind it (X11)."""
    approvals: ApprovalQueue | None = None
    """How results wait that somebody decides about (X7); None where all of them proceeded."""
    conflicts: tuple[ConflictRecord, ...] = ()
    """Outputs that said different things about one subject, with what was decided (X9)."""
    sync: SyncSeen = SyncSeen()
    """Drift that was measured, waves, and what they made needless (X3, X4)."""
    judged: JudgedResults = JudgedResults()
    """How many results were verified, are unverified, or were rejected; and what was audited (O3, O4)."""
    audits: tuple[AuditRecord, ...] = ()
    """What audits found of integrations that count (O4)."""
