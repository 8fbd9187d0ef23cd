"""The checksums of applied migrations: an edit is told, and what is no edit is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from support.databases import Database, MakeDatabase
from support.projects import ROOT, MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target
from framefox_tasks.migrations.checksum import checksum, differs

MIGRATION = '''\
"""add a table

Revision ID: aaa
"""

import sqlalchemy as sa
from alembic import op

revision = "aaa"
down_revision: str | None = None
branch_labels = None
depends_on = None

NAMES = ("a", "b")


def upgrade() -> None:
    """Make it."""
    # A comment.
    op.create_table("one", sa.Column("id", sa.Integer))
    for name in NAMES:
        op.execute(f"INSERT INTO one VALUES ({len(name)!r:>{3}})" "")


def downgrade() -> None:
    op.drop_table("one")
'''
SAME = {
    "docstring": ("add a table", "make one"),
    "docstring of the function": ('    """Make it."""\n', ""),
    "comment": ("# A comment.", "# Another."),
    "revision": ('revision = "aaa"', 'revision = "bbb"'),
    "parent": ("= None\nbranch", '= "zzz"\nbranch'),
    "downgrade": ('op.drop_table("one")', "pass"),
    "order of imports": (
        "import sqlalchemy as sa\nfrom alembic import op\n",
        "from alembic import op\nimport sqlalchemy as sa\n",
    ),
    "quotes": ('"one", sa', "'one', sa"),
    "layout": ("op.create_table(", "op.create_table(\n        "),
    "line ends": ("\n", "\r\n"),
}
OTHER = {
    "statement": ('    op.create_table("one"', '    op.execute("SELECT 1")\n    op.create_table("one"'),
    "name": ('"one", sa', '"two", sa'),
    "constant": ('("a", "b")', '("a", "c")'),
    "type": ('("a", "b")', '("a", b"b")'),
    "conversion": ("!r", "!s"),
    "format": (">{3}", ">{4}"),
    "text around": ("VALUES (", "VALUES  ("),
    "import": ("import sqlalchemy as sa", "import sqlalchemy as sa\nimport os"),
    "order": ('    op.create_table("one", sa.Column("id", sa.Integer))\n', ""),
}


def checksum_of(text: str, folder: Path) -> str:
    path = folder / "migration.py"
    path.write_bytes(text.encode())
    found = checksum(path)
    assert found
    return found


@pytest.mark.parametrize("case", SAME)
def test_what_is_no_edit(case: str, tmp_path: Path) -> None:
    changed = MIGRATION.replace(*SAME[case])
    assert changed != MIGRATION
    assert checksum_of(changed, tmp_path) == checksum_of(MIGRATION, tmp_path)


@pytest.mark.parametrize("case", OTHER)
def test_what_is_an_edit(case: str, tmp_path: Path) -> None:
    changed = MIGRATION.replace(*OTHER[case])
    assert changed != MIGRATION
    assert differs(checksum_of(MIGRATION, tmp_path), checksum_of(changed, tmp_path))


def test_the_checksum_stays_as_it_is(tmp_path: Path) -> None:
    """Databases keep it: another walk needs another number."""
    assert checksum_of(MIGRATION, tmp_path) == "1:71a2ea11a41a4ccd6b8b"
    assert not differs("0:something", checksum_of(MIGRATION, tmp_path))
    assert checksum(tmp_path / "missing.py") is None
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")
    assert checksum(tmp_path / "broken.py") is None


@given(st.lists(st.sampled_from(["x", "{y}", "{z!r}", "{y:>{z}}", "{{", "}}", "é", "{y=}"]), max_size=6))
def test_how_an_f_string_is_cut_does_not_count(parts: list[str]) -> None:
    import ast

    from framefox_tasks.migrations.checksum import _text

    whole = _text(ast.parse('f"{}"'.format("".join(parts))))
    cut = _text(ast.parse("({})".format(" ".join(f'f"{part}"' for part in ["", *parts]))))
    assert whole == cut


def other_pythons() -> list[str]:
    found = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13, 14)]
    works = [path for path in found if path and not subprocess.run([path, "-c", ""], capture_output=True).returncode]
    return [path for path in works if Path(path).resolve() != Path(sys.executable).resolve()]


def test_the_checksum_is_the_same_in_every_python() -> None:
    """Of migrations, and of many files with all that the syntax has."""
    library = Path(json.__file__).parents[1]
    files = [*ROOT.glob("migrations/versions/*.py"), *sorted(library.glob("*.py"))[:60], *ROOT.glob("tests/*.py")]
    module = ROOT / "framefox_tasks/migrations/checksum.py"
    script = (
        "import sys, json, importlib.util, pathlib\n"
        f"spec = importlib.util.spec_from_file_location('checksum', {str(module)!r})\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "print(json.dumps([module.checksum(pathlib.Path(name)) for name in json.load(sys.stdin)]))\n"
    )
    expected = {str(path): checksum(path) for path in files}
    for python in other_pythons():
        given_files = json.dumps([*expected])
        run = subprocess.run([python, "-c", script], input=given_files, capture_output=True, text=True, check=True)
        found = dict(zip(expected, json.loads(run.stdout), strict=True))
        readable = [name for name in expected if expected[name] and found[name]]  # a newer syntax is not for the older
        assert len(readable) > 50
        assert [found[name] for name in readable] == [expected[name] for name in readable], python


def ready(project: MiniProject, database: Database) -> Target:
    for number in range(3):
        project.migration(f"m{number}", f"m{number - 1}" if number else None, upgrade="pass")
    target = Target(database.url, Project(root=project.path))
    database.create()
    return target


def names(edited: tuple[framefox_tasks.Edited, ...]) -> list[str]:
    return [one.revision.revision for one in edited]


def test_an_edited_migration_is_told_and_accepted(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database)
    framefox_tasks.upgrade(target, revision="m1")
    assert framefox_tasks.status(target).edited == ()
    shop.migration("m0", None, upgrade="op.execute('SELECT 1')")
    shop.migration("m1", "m0", downgrade="op.execute('SELECT 1')")
    assert names(framefox_tasks.status(target).edited) == ["m0"]
    assert names(framefox_tasks.upgrade(target).edited) == ["m0"]
    assert names(framefox_tasks.upgrade(target).edited) == ["m0"]
    result = framefox_tasks.accept_edits(target)
    assert names(result.edited) == ["m0"]
    assert framefox_tasks.status(target).edited == ()
    with pytest.raises(MigrationError, match="No migration is known to have been edited"):
        framefox_tasks.accept_edits(target)


def test_what_is_reverted_and_applied_again_is_not_edited(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database)
    framefox_tasks.upgrade(target)
    shop.migration("m2", "m1", upgrade="op.execute('SELECT 1')")
    framefox_tasks.downgrade(target)
    assert framefox_tasks.status(target).edited == ()
    assert framefox_tasks.upgrade(target).edited == ()
    framefox_tasks.downgrade(target, steps=0)
    assert framefox_tasks.upgrade(target).edited == ()


def test_a_database_from_before_knows_no_checksums_and_is_filled(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database)
    connection = database.connect()
    for statement in (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('m1')",
    ):
        connection.cursor().execute(statement)
    connection.commit()
    connection.close()
    shop.migration("m0", None, upgrade="op.execute('SELECT 1')")
    assert framefox_tasks.status(target).edited == ()
    framefox_tasks.upgrade(target)
    shop.migration("m1", "m0", upgrade="op.execute('SELECT 1')")
    shop.migration("m2", "m1", upgrade="op.execute('SELECT 1')")
    assert names(framefox_tasks.status(target).edited) == ["m2"]


def test_a_stamp_forgets_what_it_does_not_say(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database)
    framefox_tasks.upgrade(target)
    for number in range(3):
        shop.migration(f"m{number}", f"m{number - 1}" if number else None, upgrade="op.execute('SELECT 1')")
    framefox_tasks.stamp(target, revision="m1")
    assert names(framefox_tasks.status(target).edited) == ["m1", "m0"]
    framefox_tasks.stamp(target, revision="m2")
    assert names(framefox_tasks.status(target).edited) == ["m1", "m0"]


@pytest.mark.server
def test_no_right_to_change_the_version_table_is_told(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    target = ready(shop, database)
    role = f"{database.name}_user"
    statements = (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON alembic_version TO {role}",
    )
    database.execute(*statements)
    try:
        limited = Target(database.url.replace("postgres@", f"{role}@"), target.project)
        result = framefox_tasks.upgrade(limited)
        assert result.current == ("m2",)
        assert "The checksums of migrations are not kept" in result.notes[0]
    finally:
        database.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


DENIED = """
import sqlite3
from sqlalchemy import event
from sqlalchemy.engine import Engine
from framefox_tasks.env import run_migrations

@event.listens_for(Engine, "connect")
def deny(raw, _):
    denied = (sqlite3.SQLITE_ALTER_TABLE, "alembic_version")
    raw.set_authorizer(lambda action, _, table, *__: int((action, table) == denied))

run_migrations()
"""


def test_a_version_table_that_takes_no_column_takes_the_revision(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("sqlite")
    target = ready(shop, database)
    database.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('m0')",
    )
    shop.migration("m3", "m2", upgrade="op.execute('CREATE TABLE noted (id INTEGER)')")
    (shop.path / "migrations/env.py").write_text(DENIED)
    shop.env["DATABASE_URL"] = database.url
    said = shop.ok("database_upgrade")  # in a process of its own, whose connections alone have the authorizer
    assert "The checksums of migrations are not kept" in said
    assert framefox_tasks.status(target).current == ("m3",)
    assert "noted" in database.tables()


def test_the_tasks_tell_of_an_edit(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.ok("database_upgrade")
    shop.migration("aaa", None, upgrade="op.execute('SELECT 1')")
    told = "The migration aaa was edited after it was applied on "
    assert told in shop.ok("database_upgrade")
    assert told in shop.ok("database_status")
    assert json.loads(shop.ok("database_status", "--format=json"))["edited"] == ["aaa"]
    assert "aaa is taken for applied as it is now" in shop.ok("database_resolve", "--accept-edit")
    assert told not in shop.ok("database_status")
    assert "Choose one" in shop.fails("database_resolve", "--accept-edit", "--applied")
