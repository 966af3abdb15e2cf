"""Each shape has a page with the job that is tested, whole, and says how much code it is."""

from pathlib import Path

import pytest

from tests.shapes.places import JOBS
from tests.test_docs import ROOT, fences

PAGES = ROOT / "docs" / "how-to" / "shapes"

SHAPES = sorted(JOBS.glob("*.py"))

MAX_LINES = 60


def lines_of(job: Path) -> int:
    return sum(bool(line.strip()) for line in job.read_text().splitlines())


@pytest.mark.parametrize("job", SHAPES, ids=lambda job: job.stem)
def test_the_page_of_a_shape_has_the_job_that_is_tested_and_its_length(job: Path) -> None:
    page = PAGES / f"{job.stem}.md"
    [shown] = [fence.text for fence in fences(page) if fence.file == f"flows/{job.name}"]
    lines = lines_of(job)

    assert shown == job.read_text()
    assert lines <= MAX_LINES
    assert f"That is all the code: {lines} lines, blank ones not counted." in page.read_text()
    assert f"(how-to/shapes/{page.name}): {lines} lines" in (ROOT / "docs" / "README.md").read_text()


def test_every_page_of_a_shape_has_a_job() -> None:
    assert [page.stem for page in sorted(PAGES.glob("*.md"))] == [job.stem for job in SHAPES]
