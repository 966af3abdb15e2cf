import json
from pathlib import Path

import pytest

import echelon.cli.main as main_module
from echelon.cli.commands import COMMANDS, build_app

JOB = """
from pydantic import BaseModel
from echelon import Job, agent

class Inputs(BaseModel):
    n: int = 3

@agent
def look(inputs: Inputs) -> int:
    "Look."
    return 1

{name} = Job("look", goal="Look", inputs=Inputs)
{name}.phase("look", agent=look)
"""


@pytest.fixture
def job(tmp_path: Path, importing: None) -> str:
    file = tmp_path / "looking_job.py"
    file.write_text(JOB.format(name="looking"))
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["pln"], "unknown command 'pln'; did you mean 'plan'? See 'echelon --help'"),
        (["--json", "runs"], "unknown option '--json'; options come behind the command, as in 'echelon runs --json'"),
        (
            ["plan", "JOB", "--parm", "n=1"],
            "unknown option '--parm' for 'plan'; did you mean '--param'? See 'echelon plan",
        ),
        (["plan"], "'plan' needs SOURCE. See 'echelon plan --help'"),
        (["plan", "JOB", "--span"], "option '--span' of 'plan' needs a value"),
        (["plan", "JOB", "--span", "wide"], "'--span' of 'plan' takes a whole number, not 'wide'"),
        (["plan", "JOB", "--span", "1"], "'--span' of 'plan' cannot be '1': Must be >= 2"),
        (
            ["plan", "JOB", "--priority", "luck"],
            "'--priority' of 'plan' takes one of coherence, speed, resilience, not",
        ),
        (["plan", "JOB", "--param", "n"], "--param takes name=value, not 'n'; as in --param path=src"),
        (["plan", "JOB", "--param", "n=1", "--param", "n=2"], "parameter 'n' is given twice"),
        (["plan", "JOB", "--param", "m=1"], "unknown parameter 'm'; this job takes: n"),
        (["plan", "JOB", "--param", "n=many"], "parameter 'n' cannot be 'many': Input should be a valid integer"),
        (["plan", "nowhere.py"], "there is no file nowhere.py"),
        (["plan", "JOB:other"], "has no 'other'; the jobs in it: looking"),
        (["run", "JOB", "--max-concurrency", "0"], "'--max-concurrency' of 'run' cannot be '0'"),
        (["runs", "extra"], "'runs' has no use for 'extra'"),
        (["gates", "show", "\udcff"], "argument 3, '\\udcff', is not UTF-8; write it in UTF-8"),
        (["gates", "extend", "g1", "--hours", "nan"], "a gate is extended by more than 0 and at most 87,600 hours"),
        (["concerns", "dispose", "x", "--as", "gone", "--reason", "y"], "takes one of resolved, accepted, dismissed"),
        (["concerns", "dispose", "x", "--as", "resolved", "--reason", " "], "--reason is empty"),
    ],
)
def test_wrong_use_is_one_line_on_stderr_and_exit_code_2(echelon, job, arguments, line):
    said = echelon(*[one.replace("JOB", job) for one in arguments])

    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("echelon: ")
    assert line in said.err


@pytest.mark.parametrize("command", [row.name for row in COMMANDS])
def test_every_command_has_help_with_an_example(echelon, command):
    said = echelon(command, "--help")

    assert said.code == 0
    assert f"echelon {command}" in said.out
    assert "Example:" in said.out


@pytest.mark.parametrize("command", [row.name for row in COMMANDS])
def test_every_command_takes_json(command):
    app = build_app()[command]
    leaves = [app[name] for name in ("list", "show", "dispose", "reopen")] if command == "concerns" else [app]

    for leaf in leaves:
        assert "--json" in [name for argument in leaf.assemble_argument_collection() for name in argument.names]


def test_a_bad_setting_is_wrong_use(echelon, monkeypatch):
    monkeypatch.setenv("ECHELON_MAX_CONCURRENCY", "many")

    said = echelon("runs")

    assert said.code == 2
    assert "ECHELON_MAX_CONCURRENCY cannot be used" in said.err


@pytest.mark.parametrize("command", [row.name for row in COMMANDS])
def test_a_crash_that_is_asked_for_with_nonsense_is_wrong_use_of_every_command(echelon, monkeypatch, command):
    monkeypatch.setenv("ECHELON_FAILPOINT_AT", "soon")

    said = echelon(command)

    assert (said.code, said.out) == (2, "")
    assert (
        said.err
        == "echelon: ECHELON_FAILPOINT_AT='soon' names no passage of a failpoint; write <name>:<k>, k from 1 up\n"
    )


def test_a_broken_journal_is_a_failure_not_wrong_use(echelon, home):
    home.mkdir()
    (home / "journal.db").write_bytes(b"no database at all" * 100)

    said = echelon("runs")

    assert said.code == 1
    assert "journal" in said.err
    assert "Traceback" not in said.err


def test_what_nobody_foresaw_goes_to_a_log_file_below_the_home(echelon, home, tmp_path, importing):
    (tmp_path / "breaking_job.py").write_text(
        "from pydantic import BaseModel, model_validator\nfrom echelon import Job\n"
        "class Inputs(BaseModel):\n    @model_validator(mode='before')\n    @classmethod\n"
        "    def check(cls, given):\n        raise RuntimeError('out of paper')\n"
        "breaking = Job('breaking', goal='Break', inputs=Inputs)\n"
    )

    said = echelon("plan", str(tmp_path / "breaking_job.py"))

    (log,) = (home / "logs").iterdir()
    assert said.code == 1
    assert str(log) in said.err
    assert "Traceback" not in said.err
    assert "out of paper" in log.read_text()


def test_echelon_debug_shows_the_traceback(echelon, monkeypatch):
    monkeypatch.setenv("ECHELON_DEBUG", "1")

    said = echelon("plan", "nowhere.py")

    assert "Traceback" in said.err
    assert said.err.rstrip().rpartition("\n")[2].startswith("echelon: there is no file")


def test_ctrl_c_in_a_short_command_is_no_traceback(echelon, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module, "build_app", lambda: lambda _tokens: interrupted())

    assert echelon("runs") == (130, "", "echelon: stopped\n")


def test_plan_as_json_has_the_fixed_keys(echelon, job):
    said = echelon("plan", job, "--mermaid", "--json")

    document = json.loads(said.out)
    assert said.code == 0
    assert {"n_agents", "structure", "levels", "tree", "phases", "owners", "handoffs", "pairs"} <= document.keys()
    assert {"overhead", "makespan", "profile", "reasons", "findings", "mermaid"} <= document.keys()
    assert document["expected"] is None


def test_plan_as_json_has_both_ends_of_what_is_expected(echelon, tmp_path):
    file = tmp_path / "ranged_notes.py"
    file.write_text(
        "from echelon import Job, agent\n\n@agent\nasync def read(n: int) -> int:\n    return n\n\n"
        "job = Job('notes', goal='Read')\n"
        "job.phase('read', each=read, over=lambda: [1], items=(1, 200), seconds=30)\n"
    )

    expected = json.loads(echelon("plan", f"{file}:job", "--json").out)["expected"]

    assert [expected[end]["n_agents"] for end in ("low", "high")] == [1, 200]
    assert expected["high"]["makespan"]["work"] == 6000


def test_plan_takes_the_span_from_the_option(echelon, job):
    assert json.loads(echelon("plan", job, "--span", "3", "--json").out)["span"] == 3


def test_plan_as_mermaid_prints_only_the_flowchart(echelon, job):
    assert echelon("plan", job, "--mermaid").out.startswith("flowchart TD\n")


def test_plan_for_people_says_structure_phases_and_reasons(echelon, job):
    said = echelon("plan", job)

    for word in ("look: Look", "single: 1 agent", "Phases", "Reasons"):
        assert word in said.out


def test_without_a_command_help_is_shown(echelon):
    said = echelon()

    assert said.code == 0
    assert "Run many agents as one organisation" in said.out


def test_version_is_that_of_the_package(echelon):
    assert echelon("--version").out.startswith("echelon 0.")
