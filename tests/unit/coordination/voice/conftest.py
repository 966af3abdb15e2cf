"""A brief, as an agent gets it."""

import pytest

from echelon import Assignment, Brief
from echelon.model.assignment import Intent


@pytest.fixture
def brief() -> Brief:
    assignment = Assignment(id="a#1", task_id="a", agent="look", intent=Intent(job="Find", task="Look"))
    return Brief(run_id="run", phase="work", assignment=assignment, reports_to="primary")
