"""What a person sees: confirmations, the status at 80 columns, the list of tasks."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from support.databases import Database
from support.projects import MiniProject

from framefox_tasks import Project, Target, create, upgrade
from framefox_tasks.migrations.losses import losses

DESTRUCTIVE = ("database_drop", "database_clear_migration")


@pytest.fixture
def filled(shop: MiniProject) -> MiniProject:
    """A project with one migration, applied."""
    shop.ok("database_create_migration", "-m", "first", "database_upgrade")
    return shop


@pytest.mark.parametrize("task", DESTRUCTIVE)
def test_without_a_terminal_nothing_is_destroyed(filled: MiniProject, task: str) -> None:
    for stdin in ("", "y\n"):
        result = filled.doit(task, stdin=stdin)
        assert result.code == 1
        assert f"doit {task} --yes" in result.err
    assert (filled.path / "shop.db").exists()
    assert len(filled.versions()) == 1


@pytest.mark.parametrize("answer", ["n\n", "\n", "maybe\n", "\x04"])
def test_anything_but_yes_cancels(filled: MiniProject, answer: str) -> None:
    result = filled.on_terminal("database_drop", "database_status", answer=answer)
    assert result.code == 1
    assert "Drop the database shop.db? All its data will be lost." in result.out
    assert "Cancelled. Nothing was changed." in result.out
    assert "database_status" not in result.out
    assert (filled.path / "shop.db").exists()


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
def test_yes_on_a_terminal_drops(filled: MiniProject, answer: str) -> None:
    result = filled.on_terminal("database_drop", answer=answer)
    assert result.code == 0
    assert "Database dropped successfully: shop.db" in result.out
    assert not (filled.path / "shop.db").exists()


def test_clear_migration_asks_as_well(filled: MiniProject) -> None:
    result = filled.on_terminal("database_clear_migration", answer="y\n")
    assert "Delete all migrations in migrations/versions" in result.out
    assert filled.versions() == []
    assert (filled.path / "migrations/env.py").exists()


@pytest.mark.parametrize(("answer", "kept"), [("n\n", True), ("y\n", False)])
def test_a_copy_asks_before_it_replaces_tables(filled: MiniProject, answer: str, kept: bool) -> None:
    with closing(sqlite3.connect(filled.path / "copy.db")) as connection:
        connection.executescript(
            "CREATE TABLE old (id INTEGER); INSERT INTO old VALUES (1); INSERT INTO old VALUES (2)"
        )
    copy = ("database_copy", "--to=sqlite:///copy.db", "--overwrite")
    result = filled.on_terminal(*copy, answer=answer)
    assert "Replace copy.db? It holds 1 table and 2 rows, which will be lost." in result.out
    assert result.code == kept
    with closing(sqlite3.connect(filled.path / "copy.db")) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'old'").fetchall()
    assert bool(found) is kept
    assert "Replace" not in filled.ok(*copy)
    assert "Replace" not in filled.on_terminal(*copy, "--yes", answer="").out


@pytest.mark.parametrize(("answer", "kept"), [("n\n", True), ("y\n", False)])
def test_a_downgrade_asks_before_rows_go(shop: MiniProject, answer: str, kept: bool) -> None:
    make = "op.execute('CREATE TABLE account (id INTEGER, note TEXT)'); op.execute('INSERT INTO account VALUES (1, 2)')"
    shop.migration("aaa", None, upgrade=make, downgrade="op.drop_table('account')")
    shop.migration("bbb", "aaa", downgrade="op.execute('SELECT 1')")
    shop.upgrade()
    assert "will be lost" not in shop.on_terminal("database_downgrade", answer="").out
    result = shop.on_terminal("database_downgrade", answer=answer)
    assert "Revert migrations of shop.db? What they have made in account (1 row) will be lost." in result.out
    assert result.code == kept
    assert ("account" in Database("sqlite", "", "", shop.path / "shop.db").tables()) is kept
    shop.ok("database_upgrade")
    assert shop.on_terminal("database_downgrade", "--revision=base", "--yes", answer="").code == 0


LOSING = {
    "op.drop_table('account', if_exists=True)": True,
    "op.drop_column('account', 'note')": True,
    "with op.batch_alter_table('account') as batch: batch.drop_column('note')": True,
    "op.execute(sa.text('DELETE FROM \"account\" WHERE id > 0'))": True,
    "op.execute('ALTER TABLE account DROP COLUMN note')": True,
    "op.execute('TRUNCATE TABLE account')": True,
    "op.drop_index('by_note', 'account')": False,
    "op.add_column('account', sa.Column('note', sa.Text))": False,
    "op.execute('UPDATE account SET id = 2')": False,
}


@pytest.mark.parametrize("downgrade", LOSING)
def test_what_a_downgrade_loses_is_read_in_its_file(shop: MiniProject, downgrade: str) -> None:
    shop.migration(
        "aaa", None, upgrade="op.execute('CREATE TABLE account (id INTEGER, note TEXT)')", downgrade=downgrade
    )
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    create(target)
    upgrade(target)
    assert losses(target).tables == ((("account", 0),) if LOSING[downgrade] else ())


def test_an_interrupt_at_the_question_changes_nothing(filled: MiniProject) -> None:
    result = filled.on_terminal("database_drop", answer="\x03")
    assert result.code == 130
    assert "Cancelled. Nothing was changed." in result.out
    assert "Traceback" not in result.out
    assert (filled.path / "shop.db").exists()


def test_dropping_what_is_not_there_is_told(shop: MiniProject) -> None:
    assert "shop.db does not exist: nothing to drop." in shop.ok("database_drop", "--yes")


def test_bare_doit_shows_the_status_and_does_nothing_else(shop: MiniProject) -> None:
    out = shop.ok()
    assert "The database does not exist." in out
    assert "doit database_upgrade" in out
    assert not (shop.path / "shop.db").exists()


def test_status_fits_80_columns(project: MiniProject, database: Database) -> None:
    long = "a description that is much longer than what fits into one line of a table of eighty columns"
    project.migration("0123456789ab", None)
    project.replace("migrations/versions/0123456789ab_by_hand.py", "migration 0123456789ab", long)
    project.migration("ba9876543210", "0123456789ab")
    project.ok("database_upgrade", "--revision", "0123456789ab")
    out = project.ok("database_status")
    assert max(map(len, out.splitlines())) <= 80
    for cell in ("Component", "Exists", "Established", "Version", "CURRENT", "PENDING", "0123456789ab"):
        assert cell in out
    title = {"sqlite": "SQLite 3", "postgresql": "PostgreSQL ", "mysql": ""}[database.dialect]
    assert title in out
    assert "1 pending. Apply with: doit database_upgrade" in out
    project.ok("database_upgrade")
    out = project.ok("database_status")
    assert "APPLIED" in out
    assert "The database is up to date." in out


def test_status_without_a_server(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.env["DATABASE_URL"] = "postgresql://me:s3cret-word@127.0.0.1:1/shop"
    result = shop.doit("database_status")
    assert result.code == 0
    assert "Failed" in result.out
    assert "UNKNOWN" in result.out
    assert "The database cannot be asked." in result.out
    assert "s3cret-word" not in result.all
    result = shop.doit("database_status", "--exit-code")
    assert result.code == 1
    assert "127.0.0.1:1" in result.err
    assert "s3cret-word" not in result.all


def test_status_names_no_migrations_applied(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.migration("bbb", "aaa")
    shop.ok("database_create")
    assert "No migrations applied, 2 pending. Apply with: doit database_upgrade" in shop.ok("database_status")


def test_the_list_has_one_helpful_line_for_each_task(shop: MiniProject) -> None:
    lines = shop.ok("list").splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [
        "create_entity",
        "database_baseline",
        "database_check",
        "database_clear_metadata",
        "database_clear_migration",
        "database_copy",
        "database_create",
        "database_create_migration",
        "database_diagram",
        "database_downgrade",
        "database_drop",
        "database_history",
        "database_init",
        "database_metadata",
        "database_protect",
        "database_reset",
        "database_resolve",
        "database_schema",
        "database_seed",
        "database_setup",
        "database_stamp",
        "database_status",
        "database_upgrade",
        "database_wait",
        "debug_config",
        *(f"fleet_{name}" for name in ("check", "create", "downgrade", "status", "upgrade")),
    ]
    assert all(len(line) <= 81 and len(line.split()) > 4 for line in lines)


def test_clear_metadata_tells_what_it_removes(filled: MiniProject) -> None:
    out = filled.ok("database_clear_metadata")
    assert "src/entity/__pycache__" in out
    assert not (filled.path / "src/entity/__pycache__").exists()
    assert "Nothing is cached." in filled.ok("database_clear_metadata")
    assert (filled.path / "src/entity/product.py").exists()


def test_a_value_that_doit_takes_for_a_variable_is_told(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    result = shop.doit("database_upgrade", "--revision", "aaa", "x=y")
    assert "doit reads x=y as a variable" in result.err


@pytest.mark.parametrize("tasks", ["database_upgrade database_status", "database_status database_upgrade"])
def test_a_reader_that_goes_early_stops_no_task(shop: MiniProject, tasks: str) -> None:
    shop.migration("aaa", None, upgrade="op.create_table('t', sa.Column('id', sa.Integer))")
    for _ in range(2):
        result = shop.run("sh", "-c", f"(doit {tasks}; echo $? > code) | head -1")
        assert shop.read("code") == "0\n", result.all
        assert not result.err
    assert "The database is up to date." in shop.ok("database_status")
