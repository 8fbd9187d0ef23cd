"""A generated migration is proven on a scratch database before it is kept."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target, UnprovenError
from framefox_tasks.migrations.create import create_migration

_MODELS = count(1)
ENV = """
from alembic import context
from sqlalchemy import create_engine
from alembic.operations import ops

def change(context, revision, directives):
    script = directives[0]
    up, down = script.upgrade_ops.ops, script.downgrade_ops.ops
    {change}

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, process_revision_directives=change)
    with context.begin_transaction():
        context.run_migrations()
"""
TABLE = "op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))"
COLUMNS = ("Column('name', String(30), unique=True)", "Index('ix_shelf_name', 'name')")


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def declared(project: MiniProject, database: Database, *parts: str, **settings: object) -> Target:
    """A target whose entities are one table, in a module that nobody has imported yet; the database is made."""
    module = f"proof_models_{next(_MODELS)}"
    columns = ", ".join(("'shelf'", "metadata", "Column('id', Integer, primary_key=True)", *parts))
    project.write(f"{module}.py", f"from sqlalchemy import *\nmetadata = MetaData()\nTable({columns})\n")
    target = Target(
        database.url,
        Project(root=project.path, entities=(), metadata=f"{module}:metadata", **settings),  # type: ignore[arg-type]
    )
    database.create(exist_ok=True)
    return target


def with_change(project: MiniProject, change: str) -> None:
    """Let a hook of the project's env.py change what is generated."""
    project.write("migrations/env.py", ENV.format(change=change))


def nothing_is_left(project: MiniProject, tmp_path: Path) -> bool:
    return not [*tmp_path.glob("framefox_tasks_scratch_*"), *(project.path / ".framefox_tasks").glob("migration-*")]


def refused(project: MiniProject, target: Target, tmp_path: Path) -> str:
    before = project.versions()
    with pytest.raises(UnprovenError) as told:
        create_migration(target)
    assert project.versions() == before
    assert not (project.path / "migrations/schema.json").exists()
    assert nothing_is_left(project, tmp_path)
    assert "--keep-anyway" in str(told.value.hint)
    return told.value.message


def test_it_is_proven_and_kept(project: MiniProject, database: Database, tmp_path: Path) -> None:
    target = declared(project, database, *COLUMNS)
    created = create_migration(target, message="first")
    assert created.proven
    assert created.not_proven == ""
    assert created.path is not None
    assert [created.path.name] == project.versions()
    assert "Schema: " in created.path.read_text()
    assert nothing_is_left(project, tmp_path)
    assert database.tables() <= {"alembic_version"}
    framefox_tasks.upgrade(target)
    framefox_tasks.check_migration(target)
    later = declared(project, database, *COLUMNS, "Column('size', Numeric(8, 2), nullable=False, server_default='0')")
    assert create_migration(later).proven


def test_a_downgrade_that_does_not_lead_back(project: MiniProject, database: Database, tmp_path: Path) -> None:
    with_change(project, "down.clear()")
    told = refused(project, declared(project, database), tmp_path)
    assert "downgrade does not lead back to the schema before it:\n  table shelf should not be there" in told
    assert "It was to do:\n  add table shelf" in told


def test_what_is_not_made(project: MiniProject, database: Database, tmp_path: Path) -> None:
    with_change(project, "up[1:], down[:-1] = [], []")
    target = declared(project, database, "Column('size', Integer)", "Index('ix_shelf_size', 'size')")
    told = refused(project, target, tmp_path)
    assert "After it the schema is not what the entities declare:\n  index ix_shelf_size of shelf is missing" in told


def test_what_is_made_beside(project: MiniProject, database: Database, tmp_path: Path) -> None:
    with_change(project, "up[len(up):] = up and [ops.ExecuteSQLOp('ALTER TABLE shelf ADD extra INTEGER')]")
    told = refused(project, declared(project, database, "Column('name', String(30))"), tmp_path)
    assert "not what the entities declare:\n  column shelf.extra should not be there\nIt was" in told


def test_an_upgrade_that_fails(project: MiniProject, database: Database, tmp_path: Path) -> None:
    with_change(project, "up.append(ops.ExecuteSQLOp('nonsense'))")
    told = refused(project, declared(project, database), tmp_path)
    assert "Its upgrade fails on a scratch database:" in told
    assert "in: nonsense" in told


def test_one_that_cannot_be_read_back_is_not_kept(project: MiniProject, database: Database, tmp_path: Path) -> None:
    project.replace("migrations/script.py.mako", "def upgrade", "def (upgrade")
    for proof in (True, False):
        with pytest.raises(MigrationError, match="could not be read back, and is not kept"):
            create_migration(declared(project, database), proof=proof)
        assert project.versions() == []
        assert nothing_is_left(project, tmp_path)


def test_it_can_be_kept_all_the_same(project: MiniProject, database: Database) -> None:
    with_change(project, "down.clear()")
    created = create_migration(declared(project, database), keep_anyway=True)
    assert not created.proven
    assert "downgrade does not lead back" in created.not_proven
    assert len(project.versions()) == 1


def test_without_a_proof(project: MiniProject, database: Database) -> None:
    with_change(project, "down.clear()")
    created = create_migration(declared(project, database), proof=False)
    assert created.proof is None
    assert len(project.versions()) == 1


def test_what_differed_before_is_counted(project: MiniProject, database: Database) -> None:
    table = TABLE.replace("True))", "True), sa.Column('age', sa.Integer))")
    project.migration("aaa", None, upgrade=table, downgrade="op.drop_table('shelf')")
    check = "CheckConstraint('age > 0', name='ck_shelf_age')"  # which Alembic does not compare
    target = declared(project, database, "Column('age', Integer)", "Column('size', Integer)", check)
    framefox_tasks.upgrade(target)
    created = create_migration(target)
    assert created.proven
    assert created.proof is not None
    (older,) = created.proof.older
    assert older.startswith("constraint ck_shelf_age of shelf is missing: CHECK (")


def test_a_history_that_does_not_start_from_nothing(project: MiniProject, database: Database) -> None:
    target = declared(project, database, "Column('size', Integer)", "Column('age', Integer)")
    database.execute("CREATE TABLE shelf (id INTEGER NOT NULL PRIMARY KEY)")
    project.migration("aaa", None, upgrade="op.add_column('shelf', sa.Column('size', sa.Integer))")
    framefox_tasks.upgrade(target)
    created = create_migration(target)
    assert created.operations == ("add column shelf.age",)
    assert created.proven
    assert created.proof is not None
    assert "copy of the schema" in created.proof.reason


def test_a_history_that_leaves_the_scratch_database(project: MiniProject, database: Database) -> None:
    url = database.url.replace("mysql:", "mysql+pymysql:").replace("sqlite:///", f"sqlite:///{project.path}/")
    project.migration("aaa", None, upgrade=f"sa.create_engine({url!r}).connect().close()")
    target = declared(project, database)
    framefox_tasks.upgrade(target)
    created = create_migration(target)
    assert not created.proven
    assert created.not_proven.startswith("the migration aaa (migrations/versions/aaa_by_hand.py, line 1")
    assert created.not_proven.endswith("connects to another database")
    assert len(project.versions()) == 2


def test_without_a_scratch_database(shop: MiniProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database("sqlite", "sqlite:///shop.db", "shop.db", shop.path / "shop.db")
    target = declared(shop, database)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    created = create_migration(target)
    assert created.not_proven.startswith("no scratch database can be made on shop.db")
    assert len(shop.versions()) == 1


def test_an_interrupt_leaves_nothing(project: MiniProject, database: Database, tmp_path: Path) -> None:
    project.migration("aaa", None, upgrade=TABLE)
    target = declared(project, database, "Column('size', Integer)")
    framefox_tasks.upgrade(target)
    project.migration("aaa", None, upgrade="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        create_migration(target)
    assert len(project.versions()) == 1
    assert nothing_is_left(project, tmp_path)


def test_it_is_told(shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = "sqlite:///shop.db"
    out = shop.ok("database_create_migration", "database_upgrade")
    assert out.count("Proven on a scratch database: up, down, up.\n") == 1
    shop.replace("src/entity/review.py", "    text:", "    stars: Mapped[int | None]\n    text:")
    assert "roven" not in shop.ok("database_create_migration", "--no-proof")
