"""The rooms that know Prefect: the server, the flows and tasks that show a run, artifacts, deployments."""
