"""One guard around every call: budget, bulkheads, breaker, retry, timeout; one rung a file. Knows nothing of agents."""
