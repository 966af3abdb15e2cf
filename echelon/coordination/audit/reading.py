"""What an audit looks at is read: an integration as it is on record, and everything that it was made from (O4)."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from echelon.contract.declared import says_nothing, vocabularies_in
from echelon.contract.promises import makes_promises
from echelon.contract.reading import read_output
from echelon.coordination.context import RunContext
from echelon.coordination.placement import StageOrder
from echelon.model.edges import OutputType
from echelon.model.handoff import Handoff
from echelon.model.integration import is_combination
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.audit.examining import AuditedPart, AuditedWhole, carries_concerns, field_name
from echelon.runlog.state import RunState


@dataclass(frozen=True)
class PhaseRecords:
    """What is on record of the steps of one phase."""

    phase: str
    made: Mapping[tuple[str, str], StepRecord]
    """Everything that was made, by what it is recorded as and the digest of the output."""
    newest: Mapping[str, StepRecord]
    """The last of each that counts."""
    alike: Mapping[str, tuple[str, ...]]
    """Digest of an output → tasks that made just that."""

    @classmethod
    def of(cls, state: RunState, phase: str) -> "PhaseRecords":
        """Look them up."""
        kinds = (StepKind.TASK, StepKind.INTEGRATION)
        done = [step for step in state.steps if step.phase == phase and step.handoff.done and step.kind in kinds]
        latest = {
            name.task_id: step
            for name, step in state.latest.items()
            if name.phase == phase and name.kind in kinds and step.handoff.done
        }
        alike: dict[str, tuple[str, ...]] = {}
        for task, step in latest.items():
            if step.kind is StepKind.TASK:
                alike[step.handoff.version] = (*alike.get(step.handoff.version, ()), task)
        return cls(phase, {(step.handoff.task_id, step.handoff.version): step for step in done}, latest, alike)

    @property
    def integrations(self) -> list[StepRecord]:
        """Those that count, in the order they were made."""
        return [step for step in self.newest.values() if step.kind is StepKind.INTEGRATION]

    def parts(self, integration: StepRecord) -> tuple[Handoff, ...]:
        """Return what an integration was made from, as far as it is on record."""
        used = (self.made.get((one.task_id, one.version)) for one in integration.handoff.dependencies)
        return tuple(step.handoff for step in used if step is not None)


async def read_whole(
    run: RunContext, order: StageOrder, records: PhaseRecords, integration: StepRecord
) -> AuditedWhole:
    """Return an integration with its parts; `JournalError` or `ContractViolation` where one cannot be read.

    Where its contract promises nothing no output is read: there is nothing that it could break.
    """
    return await asyncio.to_thread(_read_whole, run, order, records, integration)


def _read_whole(run: RunContext, order: StageOrder, records: PhaseRecords, integration: StepRecord) -> AuditedWhole:
    phase, contract = order.phase, run.contract_of(order.phase, integration.handoff.task_id)
    contracts = [run.contract_of(phase, one.task_id) for one in integration.handoff.dependencies]
    each = {id(one): one for one in (contract, *contracts)}.values()
    reads = any(map(makes_promises, each)) or carries_concerns(contract) or says_nothing(contract)

    def output_of(handoff: Handoff | None, contract: OutputType) -> object:
        return (
            read_output(run.outputs, handoff.output_location, contract)
            if reads and handoff and handoff.output_location
            else None
        )

    made = {one.task_id: one for one in records.parts(integration)}
    parts = [
        AuditedPart(
            task_id=used.task_id,
            output=output_of(made.get(used.task_id), expected),
            used=used.version,
            newest=records.newest[used.task_id].handoff.version if used.task_id in records.newest else used.version,
            item=_item(phase, used.task_id),
            alike=tuple(_item(phase, one) for one in records.alike.get(used.version, ()) if one != used.task_id),
        )
        for used, expected in zip(integration.handoff.dependencies, contracts, strict=True)
    ]
    return AuditedWhole(
        output=output_of(integration.handoff, contract),
        parts=parts,
        missing=tuple(_missing(run, order, records, integration)),
        vocabularies=_vocabularies(each) if says_nothing(contract) else {},
    )


def _missing(run: RunContext, order: StageOrder, records: PhaseRecords, integration: StepRecord) -> Iterator[str]:
    """Yield the tasks below a coordinator that should have been in its integration, and were not delivered."""
    plan, node = run.spec.plan, integration.node
    integrator = run.spec.job.phases[order.phase].integrator
    staged = integrator is not None and integrator.combiner is not None
    own_only = staged and not is_combination(order.phase, integration.handoff.task_id)
    for task in order.tasks:
        if task in records.newest or task in run.log.state.sync.stopped:  # there was enough: it is not missing (X3)
            continue
        above = plan.path(plan.agent_of[task])[:-1]
        if above[-1:] == (node,) if own_only else node in above:
            yield task


def _vocabularies(contracts: Iterable[OutputType]) -> dict[str, Sequence[str]]:
    found: dict[str, tuple[str, ...]] = {}
    for contract in contracts:
        for name, words in vocabularies_in(contract).items():
            found[field_name(name)] = (*found.get(field_name(name), ()), *words)
    return dict(found)


def _item(phase: str, task_id: str) -> str:
    return task_id.removeprefix(f"{phase}/")
