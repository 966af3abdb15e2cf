"""An agent that another process can import."""

from echelon import Brief, agent


@agent(cpu_bound=True)
def crunch(brief: Brief) -> str:
    """Crunch."""
    brief.raise_concern("it is heavy")
    brief.state_confidence(0.6)
    return "crunched"
