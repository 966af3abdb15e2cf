"""What audits found: a part of the union in `runlog.events` (O4)."""

from typing import Literal

from echelon.model.audit.audit import AuditRecord
from echelon.model.audit.probe import VerifierProbe
from echelon.runlog.run_events import Event


class IntegrationAudited(Event):
    """An integration was held to what its contract promises, and to what those say who audit."""

    kind: Literal["integration_audited"] = "integration_audited"
    record: AuditRecord
    """What came of it."""

    @property
    def subject(self) -> str:
        """The integration."""
        return self.record.task_id


class VerifierProbed(Event):
    """A verifier that had accepted everything was asked about results that were made wrong on purpose."""

    kind: Literal["verifier_probed"] = "verifier_probed"
    probe: VerifierProbe
    """What came of it: where it accepted all of them, none of its verdicts counts."""

    @property
    def subject(self) -> str:
        """The verifier."""
        return self.probe.verifier
