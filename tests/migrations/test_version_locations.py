"""The folders of revision files: read from alembic.ini and pyproject.toml as Alembic itself reads them."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given, settings as hypothesis_settings, strategies as st
from support.projects import MiniProject, copy_project

import framefox_tasks
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Project
from framefox_tasks.schema.revision_files import revision_files
from framefox_tasks.settings import load_settings
from framefox_tasks.settings._alembic import read

PACKAGE = "installed_shop"


def ours(root: Path) -> tuple[list[Path], bool, list[Path]]:
    """The version folders, whether their subfolders count, and the folders to import from."""
    found = read(root)
    folder = root / (found.folder or "migrations")
    versions = [root / path for path in found.versions] or [folder / "versions"]
    return versions, found.recursive, [root / path for path in found.import_paths]


def alembics(root: Path) -> tuple[list[Path], bool, list[Path]]:
    """The same as Alembic's own command finds them, run in the project's folder."""
    ini = root / "alembic.ini"
    before = list(sys.path)
    with chdir(root), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls some of the forms deprecated
        config = Config(str(ini) if ini.is_file() else None, toml_file=str(root / "pyproject.toml"))
        if config.get_alembic_option("script_location") is None:
            config.set_main_option("script_location", "migrations")
        try:
            scripts = ScriptDirectory.from_config(config)
            paths = [path for path in config.get_prepend_sys_paths_list() or [] if path]
            versions = list(scripts._version_locations)
        finally:
            sys.path[:] = before
        return versions, scripts.recursive_version_locations, [root / path for path in paths]


SEPARATORS = {"os": ":", ":": ":", ";": ";", "space": " ", "newline": "\n"}
names = st.text("abcdefgh_-.0123456789", min_size=1, max_size=6).filter(lambda text: text.strip(".") != "")
parts = st.builds(
    lambda start, *path: start + "/".join(path), st.sampled_from(["", "%(here)s/", "./", "../"]), names, names
)
booleans = st.sampled_from(["true", "false", "True", "1", ""])


@st.composite
def ini_files(draw: st.DrawFn) -> str:
    """An alembic.ini in which the options stand in every form that Alembic documents."""
    separator = draw(st.sampled_from([None, *SEPARATORS]))
    option = draw(st.sampled_from(["path_separator", "version_path_separator"]))
    plain = separator is None or option == "version_path_separator"  # prepend_sys_path knows only the newer one
    joiner = draw(st.sampled_from([", ", ",", " ", "  "])) if separator is None else SEPARATORS[separator]
    resources = st.sampled_from([f"{PACKAGE}:versions", f"{PACKAGE}.inner:a:b"])
    locations = parts if joiner == ":" else st.one_of(parts, resources)
    lines = ["[alembic]", f"script_location = {draw(st.sampled_from(['migrations', '%(here)s/migrations']))}"]
    if draw(st.booleans()):
        lines.append("version_locations = " + _joined(draw(st.lists(locations, max_size=4)), joiner))
    if draw(st.booleans()):
        joined = draw(st.sampled_from([":", ", ", " "])) if plain else joiner
        lines.append("prepend_sys_path = " + _joined(draw(st.lists(parts, max_size=3)), joined))
    if separator is not None:
        lines.append(f"{option} = {separator}")
    if draw(st.booleans()):
        lines.append(f"recursive_version_locations = {draw(booleans)}")
    return "\n".join(lines) + "\n"


def _joined(found: list[str], joiner: str) -> str:
    return "\n" + "\n".join(f"  {part}" for part in found) if joiner == "\n" else joiner.join(found)


@st.composite
def toml_files(draw: st.DrawFn) -> str:
    lines = ["[tool.alembic]"]
    for name in ("version_locations", "prepend_sys_path"):
        if draw(st.booleans()):
            found = draw(st.lists(st.one_of(parts, st.just(f"{PACKAGE}:versions")), max_size=3))
            lines.append(f"{name} = [{', '.join(map(repr, found))}]")
    if draw(st.booleans()):
        lines.append(f"recursive_version_locations = {draw(st.sampled_from(['true', 'false']))}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("site")
    (folder / PACKAGE / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/__init__.py"):
        (folder / PACKAGE / name).write_text("")
    sys.path.append(str(folder))


@pytest.mark.usefixtures("installed")
@hypothesis_settings(max_examples=150, deadline=None, derandomize=True)
@given(ini=st.one_of(st.none(), ini_files()), toml=st.one_of(st.none(), toml_files()))
def test_they_are_where_alembic_itself_finds_them(ini: str | None, toml: str | None) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "migrations").mkdir()
        for name, text in (("alembic.ini", ini), ("pyproject.toml", toml)):
            if text is not None:
                (root / name).write_text(text)
        assert ours(root) == alembics(root)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "alembic.ini",
            "[alembic]\npath_separator = comma\nversion_locations = a,b\n",
            "path_separator must be one of",
        ),
        ("pyproject.toml", '[tool.alembic]\nversion_locations = "a"\n', "version_locations must be a list"),
        ("pyproject.toml", '[tool.alembic]\nversion_locations = ["%(there)s"]\n', "neither %(here)s nor %%"),
        ("pyproject.toml", '[tool.alembic]\nrecursive_version_locations = "yes"\n', "must be true or false"),
        ("alembic.ini", "[alembic]\nversion_locations = no_such_package:a\n", "no package 'no_such_package'"),
        ("alembic.ini", "[alembic]\nversion_locations = json.tool.more:a\n", "no package 'json.tool.more'"),
        ("alembic.ini", "[alembic]\nversion_locations = __main__:a\n", "no package '__main__'"),
    ],
)
def test_what_alembic_does_not_take_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(tmp_path)


def moved(project: MiniProject, name: str, folder: str) -> None:
    """Move a migration into another folder."""
    path = next((project.path / "migrations/versions").glob(f"{name}*.py"))
    (project.path / folder).mkdir(parents=True, exist_ok=True)
    path.rename(project.path / folder / path.name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alembic.ini", "[alembic]\nscript_location = migrations\nversion_locations = a, b\n"),
        (
            "alembic.ini",
            "[alembic]\nscript_location = migrations\npath_separator = os\nversion_locations = a:b\n",
        ),
        ("pyproject.toml", '[tool.alembic]\nscript_location = "migrations"\nversion_locations = ["a", "%(here)s/b"]\n'),
    ],
)
def test_a_new_migration_in_each_folder_is_seen(tmp_path: Path, name: str, text: str) -> None:
    project = copy_project("shop", tmp_path)
    project.write(name, text)
    for revision, down, folder in (("one", None, "b"), ("two", "one", "a")):
        project.migration(revision, down)
        moved(project, revision, folder)
        project.ok("database_upgrade")
        assert f'"current": ["{revision}"]' in " ".join(project.ok("database_status", "--format=json").split()).replace(
            '[ "', '["'
        ).replace('" ]', '"]')


def test_they_are_found_from_another_folder(tmp_path: Path) -> None:
    project = copy_project("shop", tmp_path)
    project.write("alembic.ini", "[alembic]\nscript_location = migrations\nversion_locations = a, b\n")
    project.migration("one", None)
    moved(project, "one", "a")
    target = load_settings(project.path, {}).target
    framefox_tasks.create(target)
    assert framefox_tasks.upgrade(target).current == ("one",)


@pytest.mark.parametrize("recursive", [True, False])
def test_subfolders_count_only_where_alembic_is_told_so(tmp_path: Path, recursive: bool) -> None:
    project = copy_project("shop", tmp_path)
    project.write(
        "alembic.ini",
        f"[alembic]\nscript_location = migrations\nrecursive_version_locations = {str(recursive).lower()}\n",
    )
    project.migration("one", None)
    project.migration("two", "one")
    moved(project, "two", "migrations/versions/later")
    target = load_settings(project.path, {}).target
    framefox_tasks.create(target)
    assert framefox_tasks.upgrade(target).current == (("two",) if recursive else ("one",))
    assert len(revision_files(target.project)) == (2 if recursive else 1)


def test_a_project_made_by_hand_reads_alembics_file_as_before(tmp_path: Path) -> None:
    project = copy_project("shop", tmp_path)
    project.write(
        "alembic.ini",
        "[alembic]\nscript_location = migrations\npath_separator = newline\nversion_locations = %(here)s/a\n",
    )
    project.migration("one", None)
    moved(project, "one", "a")
    target = framefox_tasks.Target("sqlite:///by_hand.db", Project(root=project.path))
    framefox_tasks.create(target)
    assert framefox_tasks.upgrade(target).current == ("one",)
