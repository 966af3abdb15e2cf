import sys

import pytest
from pydantic import ValidationError

from echelon.journal.dialects import parse_url, postgresql_engine
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidInput
from echelon.settings import Settings


def test_everything_lies_below_the_home_folder(tmp_path):
    settings = Settings(home=tmp_path)

    assert settings.journal_url == f"sqlite+aiosqlite:///{tmp_path}/journal.db"
    assert settings.outputs_url == f"{tmp_path}/outputs"


def test_the_environment_is_read(monkeypatch, tmp_path):
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_JOURNAL_URL", "postgresql://db/echelon")
    monkeypatch.setenv("ECHELON_MAX_CONCURRENCY", "7")

    settings = Settings()

    assert (settings.home, settings.journal_url, settings.max_concurrency) == (tmp_path, "postgresql://db/echelon", 7)


def test_a_misspelt_setting_is_an_error():
    with pytest.raises(ValidationError, match="hoem"):
        Settings(hoem="/tmp")


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_concurrency = 3


def test_passwords_are_not_shown(tmp_path):
    settings = Settings(
        home=tmp_path,
        journal_url="postgresql://u:secret@db/x",
        outputs_url="s3://k:secret@b",
        redis_url="redis://:secret@r",
    )

    assert "secret" not in repr(settings)


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is the platform's")
def test_by_default_home_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert Settings().home == tmp_path / "echelon"


def test_a_journal_on_postgresql_without_its_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)  # as the interpreter treats a module that is not there

    with pytest.raises(InvalidInput, match=r"asyncpg is not installed: pip install 'echelon\[postgres\]'"):
        postgresql_engine(parse_url("postgresql://db/echelon"))


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["what?", "a#b", "100%", "a%20b", "a b", "a&b=c"])
async def test_a_home_may_be_called_anything_a_folder_may(tmp_path, name):
    """With a question mark in it, the journal was beside the home."""
    async with SqlJournal.open(Settings(home=tmp_path / name)):
        pass

    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "journal.db").is_file()
