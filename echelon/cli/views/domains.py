"""What a plan chooses for each domain, as people read it (R9)."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import table
from echelon.model.graph import Coupling
from echelon.model.terms import DomainPlan

#: Domains listed at most.
DOMAINS_SHOWN = 12


def show_domains(console: Console, domains: Sequence[DomainPlan]) -> None:
    """Print what is chosen for each domain, and what of it is advice only; nothing where there are none."""
    if not domains:
        return
    columns = ("domain", "agents", "structure", "coupled inside", "outward", "a wrong output is", "sync", "contracts")
    rows = table(*columns, title="Domains")
    for one in domains[:DOMAINS_SHOWN]:
        rows.add_row(
            one.name,
            f"{one.agents:,}",
            f"{one.structure.value}{_advised(one, 'structure')}",
            _coupled(one.coupling_inside),
            _coupled(one.coupling_outward),
            one.error_consequence,
            f"{one.sync}{_advised(one, 'sync')}",
            one.strictness,
        )
    console.print()
    console.print(rows)
    if len(domains) > DOMAINS_SHOWN:
        console.print(Text(f"and {len(domains) - DOMAINS_SHOWN:,} more domains (--json has them all)", style="dim"))


def _advised(domain: DomainPlan, choice: str) -> str:
    """Mark what a run does not act on."""
    return " (advised)" if choice in domain.advised else ""


def _coupled(coupling: Coupling | None) -> str:
    return "" if coupling is None else coupling.value
