"""What a command does while its run waits: it ends, waits itself, or asks in its terminal (F10, O8)."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from echelon.cli.arguments.user import user_name
from echelon.cli.oversight.asking import ask_gates, check_terminal
from echelon.cli.reading import query
from echelon.engine.asking.inside import gates_of_run
from echelon.engine.awaiting import wait_for_people
from echelon.engine.continuing import sleep_until, until_of
from echelon.model.phrasing import moment
from echelon.model.run import RunResult

RunUntilStopped = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine to its end, or until a signal stops it."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a command waits."""

    wait: bool = False
    """Does it keep its process until the run goes on by itself, or a person has answered?"""
    ask: bool = False
    """Does it ask in its terminal?"""

    def __post_init__(self) -> None:
        if self.ask:
            check_terminal("--ask")

    def lets_go_on(self, console: Console, result: RunResult, run_until_stopped: RunUntilStopped) -> bool:
        """Wait, or ask; say whether there is something now to go on with."""
        if result.waiting is None or not (self.wait or self.ask):
            return False
        waiting = query(lambda journal: gates_of_run(journal, result.run_id, open_only=True))
        if self.ask and waiting and ask_gates(console, waiting, user_name()):
            return True
        until = until_of(result.waiting)
        if not self.wait or (until is None and not any(one.asks for one in result.missing)):
            return False
        ends = result.waiting.ends(moment(until)) if until else ""
        when = f"{ends}, and goes on by itself" if until else ", and goes on when it has come"
        console.print(f"{result.run_id} waits for {result.waiting.for_}{when} (Ctrl-C ends the wait)")
        by_people = bool(waiting) or any(one.asks for one in result.missing)
        run_until_stopped(wait_for_people(result, until) if by_people or until is None else sleep_until(until))
        return True


NO_PATIENCE = Patience()
