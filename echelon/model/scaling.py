"""Throughput against the number of agents: measured points, the two parameters that explain them, curves (S, M7)."""

from typing import Literal

from pydantic import Field

from echelon.model.base import Value


class Parameters(Value):
    """How a group of N agents under one coordinator scales, by Gunther's Universal Scalability Law.

    throughput = single * N / (1 + contention * (N - 1) + coherency * N * (N - 1))
    """

    contention: float = Field(ge=0)
    """Share of a task's time for which the coordinator alone must attend to it; everybody else's results wait."""
    coherency: float = Field(ge=0)
    """Share of a task's time that it takes to reconcile one result with the work of one peer."""
    single: float = Field(default=1.0, gt=0)
    """Throughput of one agent, in the unit of the points; 1 where throughput is told in multiples of one agent."""


class Measured(Value):
    """What so many agents achieved."""

    agents: int = Field(ge=1, le=1_000_000)
    """Number of agents at work."""
    throughput: float = Field(gt=0, allow_inf_nan=False)
    """Work done in a unit of time; every point of a set in the same unit."""


class Fit(Value):
    """The parameters nearest to some points, and how near that is."""

    parameters: Parameters
    """Those with the least sum of squared errors."""
    r_squared: float
    """Share of the points' variation that is explained; 1 is all of it."""
    largest_error: float
    """The largest difference between a point and the curve, in the unit of throughput."""


class ScalingPoint(Value):
    """What a number of agents can be expected to achieve."""

    agents: int
    """Number of agents at work."""
    throughput: float
    """In the unit of the points the parameters come from; else in multiples of one agent."""
    speedup: float
    """Throughput in multiples of one agent."""
    overhead: float
    """Share of the agents' time that coordination takes from work, waiting included: 1 - speedup / agents."""


class Ceiling(Value):
    """The number of agents with the most throughput."""

    agents: int
    """Number of agents."""
    throughput: float
    """Throughput there, in the unit of the points."""
    found: bool
    """Does throughput fall with more agents? False: `agents` is the last number looked at, and the best."""


class Stretch(Value):
    """Neighbouring numbers of agents at which the same bound decides."""

    first: int
    """The smallest number of agents."""
    last: int
    """The largest number of agents."""
    by: Literal["R4", "queues"]
    """`R4`: the overhead usual for so many agents; `queues`: results that wait for a coordinator."""


class Curve(Value):
    """Throughput over a range of agents."""

    points: tuple[ScalingPoint, ...]
    """In ascending number of agents."""
    ceiling: Ceiling
    """Where adding agents stops to pay."""
    limited_by: tuple[Stretch, ...]
    """What bounds it where, from the fewest agents to the most; a single agent is bounded by nothing, and left out."""
