"""One guard around every call: budget, room, breaker, retry, timeout; one rung a file. Knows nothing of agents."""
