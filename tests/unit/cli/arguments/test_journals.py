"""Whether there is a journal is known without what reads one: it is the same file, whatever its folder is called."""

from pathlib import Path

import pytest

from echelon.cli.arguments.standing import is_there
from echelon.journal.dialects import parse_url
from echelon.settings import Settings


@pytest.mark.parametrize("name", ["home", "a%20b", "what?", "c#", "with space"])
def test_the_file_of_a_journal_is_found_whatever_its_folder_is_called(tmp_path: Path, name: str) -> None:
    settings = Settings(home=tmp_path / name)
    assert str(settings.journal_file) == parse_url(settings.journal_url).database
    assert not is_there(settings)

    settings.home.mkdir()
    (settings.home / "journal.db").touch()
    assert is_there(settings)


def test_a_server_is_asked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, journal_url="postgresql://localhost/echelon")

    assert settings.journal_file is None
    assert is_there(settings)
