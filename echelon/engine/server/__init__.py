"""The Prefect server behind a run: found, started, watched and ended."""
