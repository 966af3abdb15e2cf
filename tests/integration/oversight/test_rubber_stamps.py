"""O5: whoever approves everything faster than it can be read is named where gates are listed."""

from pathlib import Path

from tests.integration.conftest import calling, document

JOB = """
from echelon import Job, agent


@agent(effect="irreversible", preview=lambda place: f"send to {place}: " + "a long letter " * 200)
def send(place: int) -> int:
    "Send a letter."
    return place


mail = Job("mail", goal="Send letters")
mail.phase("send", each=send, over=lambda: list(range(12)))
"""


def test_a_dozen_letters_approved_in_one_go_were_not_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "mail.py").write_text(JOB)
    echelon = calling(tmp_path)
    run = document(echelon("run", "mail.py:mail", "--json"), code=4)["run_id"]
    before = echelon("gates").stdout

    approved = echelon("gates", "approve", "--run", run, "--as", "ada", "--reason", "fine")

    assert approved.returncode == 0, "it counts: whoever has the authority decides"
    assert "such approvals" not in before
    said = "ada approved all of 12 gates, 12 of them in less time than it takes to read what they show: "
    assert echelon("gates").stdout.endswith(f"{said}such approvals decide nothing\n")
    assert document(echelon("gates", "--json"))["rubber_stamps"] == [{"author": "ada", "approved": 12, "unread": 12}]
