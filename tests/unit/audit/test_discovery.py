import os
from pathlib import Path

import pytest

from contracts.modules import Module
from tasks.discovery import discover, package_prefix
from tests.unit.audit.building import hostile, tree


def paths(root: Path) -> list[str]:
    return [module.path for module in discover(root)]


def test_every_python_file_is_listed_in_order(tmp_path: Path) -> None:
    tree(tmp_path, {"b.py": "", "a/c.py": "", "a/__init__.py": "", "notes.txt": "", "a/data.json": ""})

    assert paths(tmp_path) == ["a/__init__.py", "a/c.py", "b.py"]


@pytest.mark.parametrize("folder", [".git", ".venv", "node_modules", "__pycache__", "build", "x.egg-info", "deep/.tox"])
def test_folders_without_code_of_the_project_are_left_out(tmp_path: Path, folder: str) -> None:
    tree(tmp_path, {f"{folder}/m.py": "", "kept.py": ""})

    assert paths(tmp_path) == ["kept.py"]


def test_a_virtual_environment_is_left_out_whatever_its_name(tmp_path: Path) -> None:
    tree(tmp_path, {"my-env/pyvenv.cfg": "", "my-env/lib/m.py": "", "kept.py": ""})

    assert paths(tmp_path) == ["kept.py"]


def test_patterns_to_leave_out_match_names_and_paths(tmp_path: Path) -> None:
    tree(tmp_path, {"gen_1/m.py": "", "a/gen/m.py": "", "b/gen/m.py": ""})

    assert [module.path for module in discover(tmp_path, ["gen_*", "a/gen"])] == ["b/gen/m.py"]


def test_the_root_is_audited_even_when_its_own_name_is_one_to_leave_out(tmp_path: Path) -> None:
    assert paths(tree(tmp_path / "build", {"m.py": ""})) == ["m.py"]


def test_nothing_broken_is_left_out_and_no_loop_is_followed(tmp_path: Path) -> None:
    found = paths(hostile(tmp_path))

    assert {
        "self.py",
        "dangling.py",
        "alias.py",
        "outside.py",
        "pipe.py",
        "bad\\xff.py",
        "new\nline.py",
        "-rf.py",
    } <= set(found)
    assert "folder.py/inner.py" in found
    assert not any(path.startswith("loop/") for path in found)
    assert len(found) == len(set(found))


def test_a_folder_without_python_has_no_modules(tmp_path: Path) -> None:
    assert discover(tmp_path) == []


@pytest.mark.parametrize(
    ("files", "module", "package"),
    [
        (["app/__init__.py", "app/m.py"], "app/m.py", "app"),
        (["src/app/__init__.py", "src/app/core/__init__.py", "src/app/core/m.py"], "src/app/core/m.py", "app.core"),
        (["app/__init__.py", "app/plain/deep/m.py"], "app/plain/deep/m.py", "app.plain.deep"),
        (["scripts/tools/m.py"], "scripts/tools/m.py", "scripts.tools"),
        (["v1.2/m.py"], "v1.2/m.py", "v1_2"),
        (["m.py"], "m.py", "project"),
    ],
)
def test_a_module_belongs_to_its_package_or_else_to_its_folder(
    tmp_path: Path, files: list[str], module: str, package: str
) -> None:
    root = tree(tmp_path / "project", dict.fromkeys(files, ""))

    assert Module(path=module, package=package) in discover(root)


def test_below_a_package_names_begin_at_the_outermost_package(tmp_path: Path) -> None:
    tree(tmp_path, {"app/__init__.py": "", "app/core/__init__.py": "", "app/core/m.py": "", "app/core/x/n.py": ""})

    assert package_prefix(tmp_path / "app" / "core") == ("app", "core")
    assert [module.package for module in discover(tmp_path / "app" / "core")] == ["app.core", "app.core", "app.core.x"]


def test_discovering_twice_gives_the_same(tmp_path: Path) -> None:
    hostile(tmp_path)

    assert discover(tmp_path) == discover(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_listed_itself(tmp_path: Path) -> None:
    tree(tmp_path, {"secret/m.py": ""})
    (tmp_path / "secret").chmod(0)

    assert paths(tmp_path) == ["secret"]
