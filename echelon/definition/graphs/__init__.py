"""Task graphs as jobs: who does their tasks, and what becomes of the graph. Pure."""
