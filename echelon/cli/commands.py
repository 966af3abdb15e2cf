"""The commands there are, as a table. A command's module is imported when the command is called, not before."""

from importlib.metadata import version
from typing import NamedTuple

from cyclopts import App, Group, Parameter

ABOUT = "Run many agents as one organisation, on Prefect."

EPILOGUE = (
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but partial or over a limit, 4 waiting for a person, "
    "130 stopped. "
    "Every command takes --json and has its own --help with an example."
)


class Command(NamedTuple):
    """A row of the table."""

    name: str
    where: str
    """Import path of the function or of the app with its own commands."""
    summary: str
    example: str


COMMANDS = (
    Command("init", "echelon.cli.init:init", "Start a new project in a folder.", "echelon init my-project"),
    Command(
        "plan",
        "echelon.cli.plan:plan",
        "Show how a job would be organised; nothing is run.",
        "echelon plan flows/audit.py:audit --param path=src",
    ),
    Command(
        "advise",
        "echelon.cli.advise:advise",
        "Advise how to organise a job; nothing is read or run.",
        "echelon advise --agents 40 --domains --priority coherence",
    ),
    Command(
        "lint",
        "echelon.cli.lint:lint",
        "Say what is wrong with the plan of a job, and what to do.",
        "echelon lint flows/audit.py:audit --param path=src",
    ),
    Command(
        "simulate",
        "echelon.cli.simulate:simulate",
        "Show throughput against the number of agents, and the ceiling.",
        "echelon simulate --agents 1:200 --plot throughput.svg",
    ),
    Command(
        "conventions",
        "echelon.cli.conventions:conventions",
        "Print what agents keep to, for a job or a number of agents.",
        "echelon conventions --agents 12",
    ),
    Command(
        "checklist",
        "echelon.cli.checklist:checklist",
        "Answer the implementation checklist for a job, with proof.",
        "echelon checklist flows/audit.py:audit --param path=src",
    ),
    Command(
        "run",
        "echelon.cli.run:run",
        "Run a job to its end.",
        "echelon run flows/audit.py:audit --param path=src --out report",
    ),
    Command(
        "resume",
        "echelon.cli.run:resume",
        "Resume a run that was stopped; completed work is not repeated.",
        "echelon resume audit-20260131-120000-ab12",
    ),
    Command(
        "retry",
        "echelon.cli.run:retry",
        "Do tasks of a run again, and what used them.",
        "echelon retry audit-20260131-120000-ab12 'inspect/orders*'",
    ),
    Command(
        "release",
        "echelon.cli.release:release",
        "Take a run from a process that holds it and does not let go.",
        "echelon release audit-20260131-120000-ab12",
    ),
    Command("runs", "echelon.cli.runs:runs", "List the last runs.", "echelon runs --limit 5"),
    Command(
        "show",
        "echelon.cli.show:show",
        "Show one run, or one agent of it.",
        "echelon show audit-20260131-120000-ab12 inspect/app.py --output",
    ),
    Command(
        "concerns",
        "echelon.cli.concerns:app",
        "List, show or dispose of concerns that agents raised.",
        "echelon concerns dispose k3v9x2m1q0 --as accepted --reason 'known, planned for May'",
    ),
    Command(
        "gates",
        "echelon.cli.oversight.gates:app",
        "List, show or answer what waits for a person.",
        "echelon gates approve g0c4f7d21aa --reason 'checked against the order'",
    ),
    Command(
        "autonomy",
        "echelon.cli.oversight.autonomy:autonomy",
        "Say how far each agent of a job proceeds on its own.",
        "echelon autonomy audit",
    ),
    Command(
        "answer",
        "echelon.cli.telling.answer:answer",
        "Answer a gate or a concern with the token of a message.",
        "echelon answer g1a2b3.0f3c5d7e9b1a2c4d6e8f0a1b2c3d4e5f approve --as mia --reason 'the diff is right'",
    ),
    Command(
        "notify",
        "echelon.cli.telling.notify:notify",
        "Send messages about gates and urgent concerns that were not delivered yet.",
        "echelon notify audit-20260131-120000-ab12",
    ),
    Command(
        "apply",
        "echelon.cli.oversight.apply:apply",
        "Do what the staged phases of a run would change, after a look at it.",
        "echelon apply tidy-20260131-120000-ab12 --reason 'the differences are right'",
    ),
    Command(
        "say",
        "echelon.cli.speaking.say:app",
        "Say something as the command that does a task: a concern, a blockage, a confidence, a task.",
        "echelon say concern 'two files claim the same lock' --impact high --confidence 0.4",
    ),
    Command(
        "exceptions",
        "echelon.cli.exceptions:exceptions",
        "Show what a run reported: failures, retries, breakers, incidents.",
        "echelon exceptions audit-20260131-120000-ab12 --level warning",
    ),
    Command(
        "measures",
        "echelon.cli.measures:measures",
        "Show what a run measured, how that stands, and where every second and token went.",
        "echelon measures audit-20260131-120000-ab12 --by level",
    ),
    Command(
        "diagnose",
        "echelon.cli.diagnose:diagnose",
        "Say what was wrong with a run, and what to change.",
        "echelon diagnose audit-20260131-120000-ab12",
    ),
    Command(
        "breakers",
        "echelon.cli.breakers:app",
        "List, isolate or reset the breakers that processes share.",
        "echelon breakers isolate openai --reason 'they announced maintenance'",
    ),
    Command("doctor", "echelon.cli.doctor:doctor", "Check the installation.", "echelon doctor --server"),
    Command("up", "echelon.cli.server:up", "Keep a local Prefect server running.", "echelon up"),
    Command("down", "echelon.cli.server:down", "End the local Prefect server.", "echelon down"),
    Command(
        "serve",
        "echelon.cli.serve:serve",
        "Run a job on a schedule until stopped.",
        "echelon serve flows/audit.py:audit --param path=src --cron '0 3 * * *'",
    ),
)


def build_app() -> App:
    """Return the command line; errors are raised for `main` to explain, results are exit codes."""
    app = App(
        name="echelon",
        help=ABOUT,
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version=lambda: f"echelon {version('echelon')}",
        version_flags="--version",
        default_parameter=Parameter(negative=()),
        group_commands=Group("Commands", sort_key=0),
        exit_on_error=False,
        print_error=False,
        help_on_error=False,
        result_action="return_value",
    )
    for order, command in enumerate(COMMANDS):
        options = {} if command.where.endswith(":app") else {"help_epilogue": f"Example:  {command.example}"}
        app.command(command.where, name=command.name, help=command.summary, sort_key=order, **options)
    return app
