import json
from importlib import metadata

import pytest

from echelon.cli import doctor as doctor_module


def checks(said):
    return {check["name"]: check for check in json.loads(said.out)["checks"]}


def test_a_sound_installation_passes_every_check(echelon):
    said = echelon("doctor", "--json")

    found = checks(said)
    assert said.code == 0
    assert {"python", "prefect", "sqlalchemy", "home", "disk", "clock", "journal", "server"} <= found.keys()
    assert all(check["ok"] for check in found.values())


def test_a_home_that_cannot_be_written_fails_with_what_to_do(echelon, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "file" / "home"))

    said = echelon("doctor", "--json")

    found = checks(said)
    assert said.code == 1
    assert not found["home"]["ok"]
    assert "ECHELON_HOME" in found["home"]["fix"]
    assert not found["journal"]["ok"]


@pytest.mark.parametrize("version", ["3.0.1", None])
def test_a_package_outside_of_its_pin_fails_with_the_command_that_helps(echelon, monkeypatch, version):
    real = metadata.version

    def pretended(name):
        if name != "sqlalchemy":
            return real(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(doctor_module.metadata, "version", pretended)

    said = echelon("doctor")

    assert said.code == 1
    assert "✗ sqlalchemy" in said.out
    assert "pip install 'sqlalchemy<3,>=2.0'" in said.out


def test_a_server_that_cannot_be_reached_fails(echelon, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")

    found = checks(echelon("doctor", "--json"))

    assert not found["server"]["ok"]
    assert "PREFECT_API_URL" in found["server"]["detail"]
