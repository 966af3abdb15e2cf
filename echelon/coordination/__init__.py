"""How a plan is carried out: stages, steps, integration, sync points. Plain async code over ports; no Prefect."""
