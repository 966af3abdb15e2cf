"""A job as its author wrote it: phases, agents, integrators; and what becomes of it for given inputs."""
