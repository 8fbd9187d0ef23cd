"""Migrations through doit: planned, rendered, applied partly, failing, forked."""

from __future__ import annotations

import re
import shutil

import pytest
from support.databases import Database
from support.projects import MiniProject

CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer, primary_key=True))"
DROP = "op.drop_table({0!r})"


@pytest.fixture
def chain(project: MiniProject) -> MiniProject:
    """Three migrations: aaa, bbb, ccc, each of which creates the table of its name."""
    for revision, down in (("aaa", None), ("bbb", "aaa"), ("ccc", "bbb")):
        project.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    return project


def test_upgrade_and_downgrade_to_a_revision(chain: MiniProject, database: Database) -> None:
    out = chain.ok("database_upgrade", "--revision", "bbb")
    assert re.search(r"^  aaa  migration aaa  \(\d+\.\d\d s\)$", out, re.MULTILINE)
    assert database.revision() == ["bbb"]
    chain.ok("database_upgrade", "--revision=+1")
    assert database.revision() == ["ccc"]
    out = chain.ok("database_downgrade", "--revision", "aaa")
    assert "Successfully reverted 2 migrations." in out
    assert database.tables() == {"alembic_version", "aaa"}
    chain.ok("database_upgrade")
    assert database.revision() == ["ccc"]
    chain.ok("database_downgrade", "--steps", "2")
    assert database.revision() == ["aaa"]
    chain.ok("database_downgrade", "--revision", "base")
    assert database.revision() == []
    assert "No migration to revert." in chain.ok("database_downgrade", "--steps", "0")


def test_more_steps_than_applied_reverts_nothing(chain: MiniProject, database: Database) -> None:
    chain.ok("database_upgrade", "--revision", "bbb")
    error = chain.fails("database_downgrade", "--steps", "3")
    assert "Only 2 migrations are applied, so 3 cannot be reverted. Nothing was reverted." in error
    assert "doit database_downgrade --steps 0" in error
    assert database.revision() == ["bbb"]


def test_plan_shows_what_would_run_and_changes_nothing(chain: MiniProject, database: Database) -> None:
    out = chain.ok("database_upgrade", "--plan")
    assert "3 migrations would be applied" in out
    assert out.index("aaa  migration aaa") < out.index("ccc  migration ccc")
    assert not database.exists()
    chain.ok("database_upgrade", "--revision", "bbb")
    out = chain.ok("database_upgrade", "--plan")
    assert "1 migration would be applied" in out
    assert "bbb" not in out
    assert database.revision() == ["bbb"]
    chain.ok("database_upgrade")
    assert "is up to date, no migrations to apply." in chain.ok("database_upgrade", "--plan")


def test_sql_is_printed_alone_and_no_database_is_touched(chain: MiniProject, database: Database) -> None:
    out = chain.ok("database_upgrade", "--sql")
    assert "CREATE TABLE aaa" in out
    assert "INSERT INTO alembic_version" in out
    assert not re.search(r"^(\.|--) +database", out, re.MULTILINE)
    assert not database.exists()
    out = chain.ok("database_upgrade", "--sql", "--revision", "aaa:bbb")
    assert "CREATE TABLE bbb" in out
    assert "aaa (" not in out
    assert "ccc" not in out
    assert "SQL written to up.sql." in chain.ok("database_upgrade", "--sql", "--output=up.sql")
    assert "CREATE TABLE ccc" in chain.read("up.sql")


def test_the_printed_sql_builds_the_same_database(chain: MiniProject, database: Database) -> None:
    database.create()
    script = chain.ok("database_upgrade", "--sql")
    for statement in re.sub(r"^--.*$", "", script, flags=re.MULTILINE).split(";"):
        if statement.strip() and statement.strip() not in ("BEGIN", "COMMIT"):
            database.execute(statement)
    assert database.revision() == ["ccc"]
    assert "-- database_upgrade  at head ccc" in chain.ok("database_upgrade")


def test_an_empty_migration_is_written_for_hand_work(project: MiniProject, database: Database) -> None:
    out = project.ok("database_create_migration", "--empty", "-m", "fill prices")
    assert "fill_prices.py' created successfully." in out
    assert not database.exists()
    assert project.versions()[0].endswith("_fill_prices.py")
    project.ok("database_create_migration", "--empty", "-m", "fill prices")
    assert len(project.versions()) == 2


def test_check_fails_when_a_migration_is_needed(project: MiniProject, database: Database) -> None:
    assert "does not exist" in project.fails("database_create_migration", "--check")
    database.create()
    error = project.fails("database_create_migration", "--check")
    assert "The entities differ from the database" in error
    assert "add table product" in error
    assert database.tables() == set()
    assert project.versions() == []
    project.set_up()
    assert "The entities and the database agree." in project.ok("database_create_migration", "--check")


def test_pending_migrations_hinder_a_new_one(chain: MiniProject) -> None:
    chain.ok("database_upgrade", "--revision", "aaa")
    error = chain.fails("database_create_migration")
    assert "2 migrations are not applied" in error
    assert "bbb  migration bbb" in error
    assert "doit database_upgrade" in error
    assert len(chain.versions()) == 3


def test_two_heads_are_named_and_can_be_merged(chain: MiniProject, database: Database) -> None:
    chain.migration("ddd", "bbb", upgrade=CREATE.format("ddd"), downgrade=DROP.format("ddd"))
    error = chain.fails("database_upgrade")
    assert "several heads: ccc, ddd" in error
    assert "doit database_create_migration --merge" in error
    assert database.tables() == set()
    assert "several heads" in chain.fails("database_create_migration")
    out = chain.ok("database_status")
    assert out.count("PENDING (head)") == 2
    assert "There are 2 heads." in out
    chain.ok("database_upgrade", "--revision", "heads")
    assert database.revision() == ["ccc", "ddd"]
    assert "at several revisions: ccc, ddd" in chain.fails("database_downgrade")
    chain.ok("database_create_migration", "--merge", "-m", "join", "database_upgrade")
    assert len(database.revision()) == 1
    assert "nothing to merge" in chain.fails("database_create_migration", "--merge")
    assert "Successfully reverted 1 migration." in chain.ok("database_downgrade")
    assert database.revision() == ["ccc", "ddd"]
    chain.ok("database_upgrade")
    assert "Successfully reverted 3 migrations." in chain.ok("database_downgrade", "--steps", "3")
    assert database.revision() == ["bbb"]


def test_a_revision_that_lost_its_file_is_told(chain: MiniProject, database: Database) -> None:
    chain.ok("database_upgrade")
    (chain.path / "migrations/versions/ccc_by_hand.py").unlink()
    for task in ("database_upgrade", "database_create_migration"):
        error = chain.fails(task)
        assert "is at the revision ccc, which has no file in migrations/versions" in error
        assert "doit database_downgrade" in error
    out = chain.ok("database_status")
    assert "The database is at a revision that has no file: ccc." in out
    assert database.revision() == ["ccc"]
    shutil.rmtree(chain.path / ".framefox_tasks/applied")
    error = chain.fails("database_downgrade")
    assert "is at the revision ccc, which has no file in migrations/versions" in error
    assert "doit database_stamp --revision=REVISION" in error
    assert database.revision() == ["ccc"]


def test_a_hole_in_the_history_is_told(chain: MiniProject, database: Database) -> None:
    (chain.path / "migrations/versions/bbb_by_hand.py").unlink()
    error = chain.fails("database_upgrade")
    assert "bbb" in error
    assert "Restore the file" in error
    assert database.tables() == set()


@pytest.mark.parametrize("broken", ["def upgrade(:", "1 / 0", "import nothing_of_that_name"])
def test_a_migration_file_that_cannot_be_read_is_named(shop: MiniProject, broken: str) -> None:
    shop.migration("aaa", None)
    shop.write("migrations/versions/bbb_by_hand.py", f"revision = 'bbb'\ndown_revision = 'aaa'\n{broken}\n")
    for task in ("database_upgrade", "database_status", "database_create_migration"):
        assert "migrations/versions/bbb_by_hand.py, line 3: " in shop.fails(task)
    assert "2 migrations deleted." in shop.ok("database_clear_migration", "--yes")


def test_an_unknown_revision_on_the_command_line_is_told(chain: MiniProject, database: Database) -> None:
    chain.ok("database_upgrade", "--revision", "aaa")
    for arguments in (("database_upgrade", "--revision", "zzz"), ("database_downgrade", "--revision", "zzz")):
        assert "'zzz'" in chain.fails(*arguments)
    assert "'zzz'" in chain.fails("database_upgrade", "--plan", "--revision", "zzz")
    assert "'zzz'" in chain.fails("database_upgrade", "--sql", "--revision", "zzz")
    assert database.revision() == ["aaa"]


def test_a_failed_migration_leaves_the_database_as_it_was_where_it_can(chain: MiniProject, database: Database) -> None:
    chain.ok("database_upgrade", "--revision", "aaa")
    database.execute("INSERT INTO aaa (id) VALUES (1)")
    chain.migration("ddd", "ccc", upgrade=CREATE.format("ddd") + "; op.execute('SELECT * FROM nowhere')")
    error = chain.fails("database_upgrade")
    assert "The migration ddd (migration ddd) failed." in error
    assert "migrations/versions/ddd_by_hand.py, line 13: " in error
    assert "nowhere" in error
    if database.dialect == "mysql":
        assert "cannot roll back DDL" in error
        assert "is recorded at ccc" in error
        assert "doit database_upgrade --resume" in error
        assert database.tables() == {"alembic_version", "alembic_version_journal", "aaa", "bbb", "ccc", "ddd"}
        assert database.revision() == ["ccc"]
    else:
        assert "is as it was before, at aaa." in error
        assert database.tables() == {"alembic_version", "aaa"}
        assert database.revision() == ["aaa"]
    assert database.execute("SELECT id FROM aaa") == [(1,)]


def test_a_failed_first_migration_leaves_nothing(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade=f"{CREATE.format('aaa')}; raise ValueError('on purpose')")
    assert "ValueError: on purpose" in project.fails("database_upgrade")
    assert database.revision() == []
    if database.dialect != "mysql":
        assert database.tables() == set()


def test_a_batch_rebuild_keeps_the_rows_of_other_tables(project: MiniProject, database: Database) -> None:
    project.write(
        "src/entity/pragma.py",
        "from sqlalchemy import event\nfrom sqlalchemy.engine import Engine\n\n\n"
        "@event.listens_for(Engine, 'connect')\ndef switch_on(connection, record):\n"
        "    if 'sqlite3' in type(connection).__module__:\n"
        "        connection.execute('PRAGMA foreign_keys=ON')\n",
    )
    project.set_up()
    database.execute(
        "INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)",
        "INSERT INTO review (id, product_id) VALUES (1, 1)",
    )
    project.replace("src/entity/product.py", "String(100)", "String(150)")
    project.ok("database_create_migration", "--no-proof")
    migration = f"migrations/versions/{project.versions()[-1]}"
    project.write(
        migration,
        project.read(migration).replace("import sqlalchemy as sa", "import sqlalchemy as sa\nimport src.entity.pragma"),
    )
    project.ok("database_upgrade")
    assert database.execute("SELECT id, product_id FROM review") == [(1, 1)]
    project.ok("database_downgrade")
    assert database.execute("SELECT id, product_id FROM review") == [(1, 1)]


def test_a_migration_that_orphans_rows_is_undone(project: MiniProject, database: Database) -> None:
    project.set_up()
    (before,) = database.revision()
    database.execute(
        "INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)",
        "INSERT INTO review (id, product_id) VALUES (1, 1)",
    )
    project.migration("orphan", before, upgrade="op.execute('DELETE FROM product')")
    if database.dialect == "sqlite":
        error = project.fails("database_upgrade")
        assert "foreign key refers to nothing: to product (1)" in error
        assert database.execute("SELECT count(*) FROM product") == [(1,)]
        assert database.revision() == [before]
    else:
        project.ok("database_upgrade")  # the server cascades
        assert database.execute("SELECT count(*) FROM review") == [(0,)]


def test_what_an_autocommit_block_did_is_not_called_undone(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade=CREATE.format("aaa"))
    block = "with op.get_context().autocommit_block(): op.execute('CREATE TABLE kept (id INTEGER)')"
    project.migration("bbb", "aaa", upgrade=f"{block}\n    op.execute('SELECT * FROM nowhere')")
    error = project.fails("database_upgrade")
    assert "kept" in database.tables()
    assert "is as it was" not in error


def test_an_empty_revision_is_no_revision(chain: MiniProject, database: Database) -> None:
    chain.ok("database_upgrade")
    for task in ("database_upgrade", "database_downgrade"):
        assert "--revision is empty." in chain.fails(task, "--revision=")
    assert database.revision() == ["ccc"]


@pytest.mark.parametrize("message", ["move C:\\users", 'say """no"""', 'ends in a quote"', "100% ünïcödé: it's"])
def test_any_message_makes_a_readable_migration(shop: MiniProject, message: str) -> None:
    shop.ok("database_create_migration", "--empty", f"--message={message}")
    assert message in shop.ok("database_upgrade")


def test_another_length_in_a_variant_for_the_database_is_a_difference(shop: MiniProject) -> None:
    shop.set_up()
    shop.replace("src/entity/product.py", "String(100)", "String(100).with_variant(String(7), 'sqlite')")
    shop.ok("database_create_migration", "database_upgrade")
    assert len(shop.versions()) == 2
    assert "agree." in shop.ok("database_create_migration", "--check")
