"""Mistakes that the type checker of a user finds at the door; each such line says which rules find it."""

from echelon import Budget, Handoffs, Job, agent, command, integrator


@agent
async def inspect(module: str) -> int:
    """Inspect a module."""
    return len(module)


@agent(retries=3)  # reportCallIssue reportUntypedFunctionDecorator
def unknown_keyword() -> int:
    """Take a keyword that there is not."""
    return 1


@agent(timeout="soon")  # reportArgumentType
def wrong_kind() -> int:
    """Take a text for a number."""
    return 1


@integrator(budget=Budget())  # reportCallIssue reportUntypedFunctionDecorator
def merge(numbers: Handoffs[int]) -> int:
    """Merge numbers."""
    return sum(numbers.outputs())


waiting = inspect(3)  # reportArgumentType
merge([1, 2])  # reportArgumentType
command("ruff check", retries=3)  # reportCallIssue
integrator(command(["cat"]), timeout=5)  # reportCallIssue reportArgumentType
job = Job("audit", goal="Find what is risky")
job.phase("inspect", agent=len)  # reportArgumentType
job.phase("report", agent=inspect, integrate=len)  # reportArgumentType
job.phase("name", agent=job.name)  # reportArgumentType
job.resume(3)  # reportArgumentType reportUnusedCoroutine
