"""Protected databases: by the settings and by a mark in them, in the functions and in the tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase
from support.given import load, target as target_from
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import ConfigError, CopyOptions, Project, ProtectedError, Target, TargetNotEmptyError
from framefox_tasks.databases import database_of

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY)"
ROW = "INSERT INTO t VALUES (1)"
WAYS = [CopyOptions(), CopyOptions(schema_only=True), CopyOptions(where=(("t", "id > 0"),))]
Act = Callable[[Target, str | None], object]


@pytest.fixture
def migrated(project: MiniProject, database: Database) -> Target:
    """A database with one migration applied."""
    project.migration(
        "aaa", None, upgrade="op.create_table('a', sa.Column('id', sa.Integer))", downgrade="op.drop_table('a')"
    )
    target = Target(database.url, Project(root=project.path))
    database.create()
    framefox_tasks.upgrade(target)
    return target


ACTS: dict[str, Act] = {
    "drop": lambda target, force: framefox_tasks.drop(target, force=force),
    "downgrade": lambda target, force: framefox_tasks.downgrade(target, force=force),
    "stamp": lambda target, force: framefox_tasks.stamp(target, revision="base", force=force),
    "clear_migrations": lambda target, force: framefox_tasks.clear_migrations(target, force=force),
    "unprotect": lambda target, force: framefox_tasks.unprotect(target, force=force),
}


def test_the_mark_is_set_once_and_taken_away_by_name(migrated: Target) -> None:
    assert not framefox_tasks.is_protected(migrated)
    assert framefox_tasks.protect(migrated).changed
    assert not framefox_tasks.protect(migrated).changed
    assert framefox_tasks.is_protected(migrated)
    assert not framefox_tasks.check_stamp(migrated, revision="aaa").differences
    for act in ACTS.values():
        with pytest.raises(ProtectedError, match="is protected by a mark in it"):
            act(migrated, None)
    assert framefox_tasks.status(migrated).current == ("aaa",)
    assert framefox_tasks.unprotect(migrated, force=migrated.name).changed
    assert not framefox_tasks.is_protected(migrated)


def test_the_mark_is_nothing_that_alembic_sees(migrated: Target) -> None:
    before = database_of(migrated).facts(migrated)
    framefox_tasks.protect(migrated)
    assert database_of(migrated).facts(migrated) == before


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_loses_data_needs_the_name_of_a_protected_database(migrated: Target, name: str) -> None:
    protected = replace(migrated, protected=True)
    with pytest.raises(ProtectedError) as caught:
        ACTS[name](protected, None)
    assert "is protected by the settings" in caught.value.message
    assert "Nothing was changed." in caught.value.message
    assert f"--force={migrated.name}" in str(caught.value.hint)
    for target in (protected, migrated):
        with pytest.raises(ConfigError, match=r"--force names 'other\.db'"):
            ACTS[name](target, "other.db")
    assert framefox_tasks.status(migrated).current == ("aaa",)
    ACTS[name](protected, migrated.name)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_upgrade_of_a_protected_database_goes_on(migrated: Target) -> None:
    assert framefox_tasks.upgrade(replace(migrated, protected=True)).steps == ()


@pytest.mark.parametrize("options", [CopyOptions(overwrite=True), CopyOptions(data_only=True)])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_a_copy_over_it_needs_the_name_and_leaves_the_mark(
    make_database: MakeDatabase, dialect: str, options: CopyOptions
) -> None:
    source, target = target_of(made(make_database(dialect), TABLE, ROW)), made(make_database(dialect), TABLE)
    there = target_of(target)
    framefox_tasks.protect(there)
    with pytest.raises(ProtectedError, match="it is not copied over"):
        framefox_tasks.copy(source, there, options=options)
    assert target.execute("SELECT id FROM t") == []
    framefox_tasks.copy(source, there, options=options, force=there.name)
    assert [tuple(row) for row in target.execute("SELECT id FROM t")] == [(1,)]
    assert framefox_tasks.is_protected(there)


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_a_copy_of_it_has_no_mark(make_database: MakeDatabase, dialect: str, options: CopyOptions) -> None:
    source, target = target_of(made(make_database(dialect), TABLE, ROW)), target_of(make_database(dialect))
    framefox_tasks.protect(source)
    framefox_tasks.copy(source, target, options=options)
    assert not framefox_tasks.is_protected(target)
    assert framefox_tasks.is_protected(source)


def test_an_application_id_of_another_stays(make_database: MakeDatabase) -> None:
    target = target_of(made(make_database("sqlite"), TABLE, "PRAGMA application_id = 7"))
    assert not framefox_tasks.is_protected(target)
    with pytest.raises(ConfigError, match="an application id of its own"):
        framefox_tasks.protect(target)


@pytest.mark.parametrize(
    ("yaml", "environ", "protected"),
    [
        ("", {}, False),
        ("protected: true", {}, True),
        ("protected: false", {"APP_ENV": "prod"}, True),
        ("", {"APP_ENV": "prod"}, True),
        ("", {"ENV": "Production"}, True),
        ("", {"APP_ENV": "dev", "ENV": "production"}, True),
        ("", {"APP_ENV": "preprod", "ENV": ""}, False),
    ],
)
def test_what_the_settings_protect(tmp_path: Path, yaml: str, environ: dict[str, str], protected: bool) -> None:
    database = "database: {url: 'sqlite:///x.db'}"
    assert target_from(tmp_path, f"{database}\n{yaml}", **environ).protected is protected
    dotenv = "".join(f"{name}={value}\n" for name, value in environ.items())
    assert target_from(tmp_path, f"{database}\n{yaml}", dotenv=dotenv).protected is protected


def test_the_settings_mean_the_configured_database_and_no_other(tmp_path: Path) -> None:
    yaml = """
database: {url: 'sqlite:///prod.db'}
copies:
  away: {to: 'sqlite:///copy.db', overwrite: true}
  back: {from: 'sqlite:///copy.db', to: 'sqlite:///./prod.db', overwrite: true}
"""
    copies = load(tmp_path, yaml, APP_ENV="prod").copies
    assert [copies.named(name).target().protected for name in ("away", "back")] == [False, True]
    assert not load(tmp_path, yaml).copies.named("back").target().protected


def test_the_tasks_need_the_name(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade="op.create_table('a', sa.Column('id', sa.Integer))")
    shop.ok("database_upgrade")
    assert "shop.db is protected" in shop.ok("database_protect")
    for command in (
        "database_drop --yes",
        "database_downgrade",
        "database_clear_migration --yes",
        "database_stamp --revision=base --yes",
        "database_protect --off",
        "database_copy --from=sqlite:///other.db --to=sqlite:///shop.db --overwrite",
    ):
        error = shop.fails(*command.split())
        assert "shop.db is protected by a mark in it" in error
        assert "name it: --force=shop.db" in error
    assert "is not protected any more" in shop.ok("database_protect", "--off", "--force=shop.db")
    shop.env["APP_ENV"] = "prod"
    assert "protected by the settings" in shop.fails("database_drop", "--yes")
    assert "dropped" in shop.ok("database_drop", "--yes", "--force=shop.db")


def test_a_copy_that_may_not_overwrite_is_refused_as_before(make_database: MakeDatabase) -> None:
    source, there = (target_of(made(make_database("sqlite"), TABLE)) for _ in range(2))
    framefox_tasks.protect(there)
    with pytest.raises(TargetNotEmptyError):
        framefox_tasks.copy(source, there)
