"""The agents and integrators that the jobs of this project are made of."""
