"""Advice as people read it: the recommendation, then each choice with its reason and its price."""

from rich.console import Console
from rich.text import Text

from echelon.advice.values import Advice
from echelon.cli.views.output import facts, table
from echelon.cli.views.plan import FINDING_STYLES
from echelon.model.phrasing import count, percent, spaced
from echelon.model.plan import Share


def show_advice(console: Console, advice: Advice) -> None:
    """Print advice: what to do first, what to look out for last."""
    console.print(_headline(advice))
    console.print()
    facts(console, _facts(advice))
    console.print()
    _show_choices(console, advice)
    _show_signals(console, advice)
    _show_findings(console, advice)


def _headline(advice: Advice) -> Text:
    manner = next(reason for reason in advice.reasons if reason.aspect == "manner")
    levels = count(advice.levels, "level")
    recommended = "" if advice.levels == advice.depth else f" ({advice.depth} recommended)"
    return Text.assemble(
        (f"{count(advice.agents, 'agent')}: {advice.structure}, {spaced(advice.manner)}", "bold"),
        f", {levels}{recommended} of coordination. ",
        f"{manner.text[0].upper()}{manner.text[1:]}.",
    )


def _facts(advice: Advice) -> list[tuple[str, str]]:
    step = advice.next_transition
    helpers = ", ".join(f"{need.agents} × {spaced(need.role)}" for need in advice.infrastructure)
    helpers += "; no run of this version starts them" if helpers else ""
    return [
        ("coordination", f"usually {_share(advice.profile.overhead)} of the cost" if advice.agents > 1 else ""),
        ("fails first", advice.profile.fails_first if advice.agents > 1 else ""),
        ("countermeasures", advice.profile.countermeasures),
        ("sync by level", _tiers(advice) if len(advice.sync_tiers) > 1 else ""),
        ("infrastructure", advice.infrastructure_level if advice.agents > 1 else ""),
        ("coordination agents", helpers),
        (
            "next change",
            f"at {step.at:,} agents ({step.agents_away:,} away): {step.change}, since {step.why}" if step else "",
        ),
    ]


def _tiers(advice: Advice) -> str:
    return ", ".join(f"{tier.where}: {spaced(tier.policy)}, {tier.frequency}" for tier in advice.sync_tiers)


def _share(share: Share) -> str:
    return f"{share.low * 100:.0f}–{percent(share.high)}"


def _show_choices(console: Console, advice: Advice) -> None:
    rows = table("rule", "aspect", "choice", "why", "price", title="Choices")
    for reason in advice.reasons:
        rows.add_row(reason.rule, reason.aspect, Text(spaced(reason.choice), style="bold"), reason.text, reason.price)
    console.print(rows)


def _show_signals(console: Console, advice: Advice) -> None:
    if not advice.signals:
        return
    rows = table("rule", "the structure is outgrown when", title="Signals")
    for signal in advice.signals:
        rows.add_row("R6", signal)
    console.print()
    console.print(rows)


def _show_findings(console: Console, advice: Advice) -> None:
    if not advice.findings:
        return
    rows = table("rule", "level", "where", "what contradicts or is assumed", "what to do", title="Findings")
    for finding in advice.findings:
        level = Text(finding.level.value, style=FINDING_STYLES[finding.level])
        rows.add_row(finding.rule, level, spaced(finding.where), finding.message, finding.fix)
    console.print()
    console.print(rows)
