"""What is left of the standing budgets of a plan, asked of the journal where there is one (F10)."""

import asyncio
from datetime import UTC, datetime

from echelon import engine
from echelon.cli.arguments.configured import read_settings
from echelon.model.plan import Plan
from echelon.model.standing.claim import StandingBudget, WindowBooks
from echelon.model.standing.window import window_of
from echelon.settings import Settings


def standing_now(plan: Plan | None) -> tuple[tuple[StandingBudget, ...], tuple[WindowBooks, ...]]:
    """Return the standing budgets of a plan, and what all runs of its job did to them; nothing without a journal."""
    if plan is None or not plan.standing:
        return (), ()
    settings, now = read_settings(), datetime.now(UTC)
    budgets = tuple(
        StandingBudget(budget=one, window=window_of(one.per, now, settings.zone)) for one in plan.standing if one.per
    )
    if not is_there(settings):
        return budgets, tuple(WindowBooks() for _ in budgets)
    return budgets, asyncio.run(engine.standing_books.read_books_of(settings, plan.job, budgets))


def is_there(settings: Settings) -> bool:
    """Say whether there is a journal: who plans makes none, and does not load what reads one."""
    file = settings.journal_file
    return file is None or file.exists()
