import itertools
from functools import partial
from pathlib import Path

import pytest

from echelon import Job
from echelon.definition.source import load_job as load
from echelon.definition.source import parse_source, project_root
from echelon.model.errors import InvalidInput

#: What commands use.
load_job = partial(load, job_type=Job)

pytestmark = pytest.mark.usefixtures("importing")

JOB = "from echelon import Job\n{name} = Job('{name}', goal='g')\n"

_numbers = itertools.count()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project, with a package name that no other test has imported."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").touch()
    return root


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def unique(stem: str) -> str:
    return f"{stem}_{next(_numbers)}"


@pytest.mark.parametrize(
    ("files", "job", "root"),
    [
        (["p/pyproject.toml"], "p/flows/audit.py", "p"),
        (["p/pyproject.toml"], "p/src/pkg/jobs.py", "p/src"),
        (["p/flows/__init__.py"], "p/flows/audit.py", "p"),
        (["p/flows/__init__.py"], "p/flows/deep/audit.py", "p"),
        (["p/pyproject.toml"], "p/my-flows/audit.py", "p/my-flows"),
        (["p/a/__init__.py", "p/a/b/__init__.py"], "p/a/b/job.py", "p"),
        (["p/flows/__init__.py"], "p/other/job.py", "p/other"),
        ([], "p/job.py", "p"),
    ],
)
def test_the_root_is_the_project_or_the_folder_of_the_outermost_package(tmp_path, files, job, root):
    for file in (*files, job):
        write(tmp_path / file, "")

    assert project_root(tmp_path / job) == tmp_path / root


@pytest.mark.parametrize(
    "source", ["a b", "x:", ":x", "x:y z", "flows.audit:1", "1x", "dir/file.txt", "gone/file.py:x"]
)
def test_what_is_no_source_is_refused(tmp_path, source):
    write(tmp_path / "dir/file.txt", "")

    with pytest.raises(InvalidInput):
        parse_source(source, tmp_path)


@pytest.mark.parametrize("source", ["notes.txt", "dir/notes.md:x", "graph.toml"])
def test_a_file_of_another_kind_is_told_what_a_job_ends_in(tmp_path, source):
    write(tmp_path / source.partition(":")[0], "")

    with pytest.raises(InvalidInput, match=r"ends in \.py, a task graph in one that ends in \.json, \.yaml or \.yml"):
        parse_source(source, tmp_path)


def test_a_module_is_looked_for_in_the_current_folder(tmp_path):
    found = parse_source("pkg.jobs:audit", tmp_path)

    assert (found.root, found.module, found.variable, found.file) == (tmp_path, "pkg.jobs", "audit", None)


def test_a_job_is_imported_by_its_dotted_name_and_remembers_where_it_is(project, monkeypatch):
    name = unique("flows")
    file = write(project / name / "audit.py", JOB.format(name="audit"))
    monkeypatch.chdir(project)

    job = load_job(f"{name}/audit.py:audit")

    assert job.entrypoint == f"{name}.audit:audit.flow"
    assert job.source == job.location == f"{file}:audit"


def test_the_remembered_source_works_from_another_folder(project, tmp_path, monkeypatch):
    name = unique("flows")
    write(project / name / "audit.py", JOB.format(name="audit"))
    monkeypatch.chdir(project)
    job = load_job(f"{name}/audit.py:audit")
    monkeypatch.chdir(tmp_path)

    assert load_job(job.source) is job


def test_a_module_is_remembered_by_its_file(project, tmp_path, monkeypatch):
    name = unique("flows")
    file = write(project / name / "audit.py", JOB.format(name="audit"))
    monkeypatch.chdir(project)
    job = load_job(f"{name}.audit:audit")
    monkeypatch.chdir(tmp_path)

    assert job.source == f"{file}:audit"
    assert load_job(job.source) is job


def test_a_job_that_is_no_variable_of_a_module_has_no_place():
    assert Job("local", goal="g").location == ""


def test_the_variable_may_be_left_out_when_there_is_one_job_under_two_names(project):
    file = write(project / f"{unique('job')}.py", JOB.format(name="audit") + "again = audit\n")

    assert load_job(str(file)).name == "audit"


def test_modules_of_the_project_can_be_imported_by_the_job(project):
    helper = unique("helper")
    write(project / helper / "names.py", "NAME = 'from-helper'\n")
    text = f"from {helper}.names import NAME\nfrom echelon import Job\njob = Job(NAME, goal='g')\n"

    assert load_job(str(write(project / unique("jobs") / "job.py", text))).name == "from-helper"


@pytest.mark.parametrize(
    ("text", "variable", "said"),
    [
        (JOB.format(name="a") + JOB.format(name="b"), "", r"has 2 jobs \(a, b\); name one, as in .*:NAME"),
        ("x = 1\n", "", r"has 0 jobs \(none\)"),
        (JOB.format(name="a"), ":b", r"has no 'b'; the jobs in it: a"),
        (JOB.format(name="a") + "b = 1\n", ":b", r"'b' in .* is a int, not a Job; jobs: a"),
        ("def broken(:\n", "", r"job_\d+\.py:1: SyntaxError: invalid syntax; correct it"),
        ("\n\nx = 1 / 0\n", "", r"job_\d+\.py:3: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('bye')\n", "", r"job_\d+\.py:2: SystemExit: bye"),
        (
            "import no_such_thing_at_all\n",
            "",
            r"job_\d+\.py:1: module 'no_such_thing_at_all' is not installed; try: pip",
        ),
        ("from echelon import Job\nJob('a b', goal='g')\n", "", r"job_\d+\.py:2: job name 'a b' may only have"),
    ],
)
def test_a_job_that_cannot_be_had_is_explained_in_one_line(project, text, variable, said):
    file = write(project / f"{unique('job')}.py", text)

    with pytest.raises(InvalidInput, match=said) as raised:
        load_job(f"{file}{variable}")

    assert "\n" not in str(raised.value)


def test_a_missing_module_of_an_extra_names_the_extra(project, monkeypatch):
    file = write(project / f"{unique('job')}.py", "raise ModuleNotFoundError('no', name='networkx.algorithms')\n")

    with pytest.raises(InvalidInput, match=r"pip install 'echelon\[audit\]'"):
        load_job(str(file))


def test_a_module_that_is_nowhere_is_explained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInput, match="no module named 'no_such_package'"):
        load_job("no_such_package.jobs:audit")


def test_a_file_whose_name_already_means_another_module_is_refused(project, tmp_path):
    name = unique("job")
    load_job(str(write(project / f"{name}.py", JOB.format(name="a"))))
    other = write(tmp_path / "other" / f"{name}.py", JOB.format(name="b"))

    with pytest.raises(InvalidInput, match="already means"):
        load_job(str(other))


def test_a_project_that_would_hide_a_module_of_python_is_refused(project):
    write(project / "json.py", "")

    with pytest.raises(InvalidInput, match=r"json\.py would hide the module 'json' of Python"):
        load_job(str(write(project / f"{unique('job')}.py", JOB.format(name="a"))))


def test_a_file_that_is_named_like_no_variable_is_refused(project):
    with pytest.raises(InvalidInput, match="cannot be imported"):
        load_job(str(write(project / "my-job.py", JOB.format(name="a"))))


def test_a_folder_that_a_package_of_the_same_name_hides_is_explained(project, tmp_path, monkeypatch):
    name = unique("flows")
    write(tmp_path / "installed" / name / "__init__.py", "")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    file = write(project / name / "audit.py", JOB.format(name="audit"))

    with pytest.raises(InvalidInput, match=r"already means .*; put an __init__\.py beside the file"):
        load_job(str(file))


def test_a_job_of_the_script_that_is_running_is_found_by_no_other_process() -> None:
    job = Job("audit", goal="Look")
    job.module = "__main__"

    with pytest.raises(InvalidInput, match=r"job 'audit' is defined in the script .* move it to a module of its own"):
        _ = job.entrypoint
