"""Goals that dictate HOW, and goals that say WHAT: both lists are about as long on purpose (L6, D7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.lint.rules import lint
from echelon.lint.texts import DICTATES, dictated
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.planning.planner import plan

HOW = (
    ("a library", "Use pandas to read the orders and report the total"),
    ("a library", "Summarise the comments using scikit-learn"),
    ("a library", "Scrape the prices from the shop page with BeautifulSoup"),
    ("a library", "Build it with React and deploy it"),
    ("a library", "Collect the links using the requests library"),
    ("a library", "Please use SQLAlchemy for all queries"),
    ("a library", "Review the orders of last week. Use numpy for the statistics."),
    ("an algorithm", "Sort the customers by revenue using quicksort"),
    ("an algorithm", "Find the shortest way between two depots using Dijkstra's algorithm"),
    ("an algorithm", "Group the tickets. Apply k-means to their vectors"),
    ("an algorithm", "Detect duplicates by means of cosine similarity"),
    ("an algorithm", "Extract the dates with the help of regular expressions"),
    ("a library", "Import numpy and multiply"),
    ("a library", "Parse data.csv with pandas"),
    ("an algorithm", "Sort the list with quicksort"),
    ("a file name", "Parse data.csv with pandas"),
    ("a selector", "Click the button with CSS selector .btn-primary"),
    ("a selector", "Click div.checkout > button.buy and confirm the order"),
    ("a selector", "Read the price from //span[@class='price']"),
    ("a selector", "Take the third row, table tr:nth-child(3)"),
    ("a selector", "Find the login button by its xpath"),
    ("a file name", "Write the summary to docs/summary.md"),
    ("a file name", "Save the totals as totals.csv"),
    ("a file name", "Put the helper into utils/helpers.py"),
    ("a file name", "Create a new module named parsing.py"),
    ("a file name", "Create config.yaml with the defaults"),
    ("the steps", "1. Open the page 2. Click on Export 3. Save what comes"),
    ("the steps", "Step 1: read the file. Step 2: split it into lines. Step 3: sort them"),
    ("the steps", "First open the ticket, then copy its title, then paste it into the report"),
    ("the steps", "Do it so:\n1) load the data\n2) run the model\n3) store the result"),
)

WHAT = (
    "Find what is risky in this codebase and rank it",
    "look at one module",
    "Look at it.",
    "summarise the PDF report",
    "Find the modules that use pandas and say which could do without",
    "Migrate the service from Flask to FastAPI",
    "Replace pandas with polars where it saves memory",
    "Review the React components for accessibility",
    "Explain how to use SQLAlchemy safely",
    "List the services using Django",
    "Check that the CSS selectors of the theme are all used",
    "Handle requests of customers within a day",
    "Express the risk in one number",
    "Review src/app/core.py for security",
    "Write tests for parser.py",
    "Do not use eval; never use pickle",
    "The code under audit is read, never run and never changed.",
    "Rank all hotspots; the riskiest first",
    "First impressions count: rate the landing page",
    "Write a report of 1. risks 2. costs 3. benefits",
    "Make the results reproducible with the standard library only",
    "Use the style guide of the team",
    "Use at most 3 sources, and name each",
    "Speed up the code that sorts orders",
    "Explain why the parser uses regular expressions",
    "Reach 90 % coverage, e.g. for a.b and c.d",
    "individuals_ID0000001",
    "Read the file README.md and say what is missing",
    "Summarise https://example.org/a/b.html for a newcomer",
    "Decide which React version to use",
    "Review src/app.py for risks",
    "Fix the bug in parser.py",
    "Rank the findings by risk",
    "src/app.py",
    "Find the files that import numpy",
    "Do not import pandas",
    "Explain how to sort with quicksort",
    "Check that selector .btn is documented",
    "Compare quicksort with merge sort",
)


@pytest.mark.parametrize(("what", "text"), [pytest.param(*row, id=f"L6-{row[1][:40]}") for row in HOW])
def test_a_goal_that_says_how_is_told_what_it_dictates(what: str, text: str) -> None:
    assert what in dict(dictated(text))


def test_a_goal_that_dictates_in_four_ways_is_told_all_four_whole() -> None:
    goal = "Use pandas to parse data.csv with selector #main > div.title and quicksort"

    assert dict(dictated(goal)) == {
        "a library": "Use pandas",
        "an algorithm": "quicksort",
        "a selector": "#main > div.title",
        "a file name": "data.csv",
    }


@pytest.mark.parametrize("text", [pytest.param(text, id=f"L6-{text[:40]}") for text in WHAT])
def test_a_goal_that_says_what_is_left_alone(text: str) -> None:
    assert dictated(text) == ()


def test_every_row_of_the_table_is_met_by_an_example() -> None:
    met = [dictate for dictate in DICTATES if any(dictate.pattern.search(text) for _, text in HOW)]

    assert met == list(DICTATES)


def test_a_finding_names_the_words_and_where_they_are_once_for_all_tasks_alike() -> None:
    tasks = tuple(TaskSpec(id=f"t{i}", goal="Use pandas to add up the orders") for i in range(40))
    graph = TaskGraph(
        name="sums", goal="Save all as sums.csv", tasks=tasks, constraints=("use quicksort where you sort",)
    )
    told = {finding.where: finding for finding in lint(graph, plan(graph)) if finding.rule == "L6"}

    assert set(told) == {"sums", "constraints", "t0"}
    assert "a library ('Use pandas'), as in 39 more places" in told["t0"].message
    assert "sums.csv" in told["sums"].message


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=400))
def test_any_text_can_be_judged(text: str) -> None:
    assert dictated(text) == dictated(text)
