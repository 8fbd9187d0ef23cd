"""The revision of a database marked without running a migration."""

from __future__ import annotations

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import DatabaseNotFoundError, LockTimeoutError, MigrationError, Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience

CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer, primary_key=True))"
DROP = "op.drop_table({0!r})"
VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


@pytest.fixture
def chain(project: MiniProject) -> MiniProject:
    """Three migrations: aaa, bbb, ccc, each of which creates the table of its name."""
    for revision, down in (("aaa", None), ("bbb", "aaa"), ("ccc", "bbb")):
        project.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    return project


@pytest.fixture
def target(chain: MiniProject, database: Database) -> Target:
    """The database, which is there and empty."""
    target = Target(database.url, Project(root=chain.path))
    database.create()
    return target


def stamped(target: Target, revision: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    result = framefox_tasks.stamp(target, revision=revision)
    assert framefox_tasks.status(target).current == result.current
    return result.before, result.current


def test_nothing_is_run(target: Target, database: Database) -> None:
    assert stamped(target, "bbb") == ((), ("bbb",))
    assert database.tables() == {"alembic_version"}
    assert stamped(target, "head") == (("bbb",), ("ccc",))
    assert stamped(target, "aaa") == (("ccc",), ("aaa",))
    assert stamped(target, "base") == (("aaa",), ())
    assert stamped(target, "base") == ((), ())
    assert database.tables() == {"alembic_version"}
    assert len(framefox_tasks.upgrade(target).steps) == 3


def test_an_unknown_revision_is_replaced(target: Target, database: Database) -> None:
    database.execute(VERSIONS, "INSERT INTO alembic_version VALUES ('gone'), ('gone2')")
    with pytest.raises(MigrationError, match="gone, gone2, which has no file") as caught:
        framefox_tasks.upgrade(target)
    assert "doit database_stamp --revision=REVISION" in str(caught.value)
    assert stamped(target, "aaa") == (("gone", "gone2"), ("aaa",))
    assert [step.revision.revision for step in framefox_tasks.upgrade(target).steps] == ["bbb", "ccc"]


def test_several_heads(chain: MiniProject, target: Target) -> None:
    chain.migration("side", "aaa")
    chain.migration("lone", None)
    with pytest.raises(MigrationError, match="several heads"):
        framefox_tasks.stamp(target, revision="head")
    assert stamped(target, "heads")[1] == ("ccc", "lone", "side")
    assert stamped(target, "bbb,lone")[1] == ("bbb", "lone")
    assert stamped(target, "aaa,bbb")[1] == ("bbb",)
    steps = framefox_tasks.upgrade(target, revision="heads").steps
    assert {step.revision.revision for step in steps} == {"ccc", "side", "lone"}


def test_what_depends_on_another_holds_it(chain: MiniProject, target: Target) -> None:
    chain.migration("lone", None)
    chain.replace("migrations/versions/lone_by_hand.py", "depends_on = None", "depends_on = 'ccc'")
    assert stamped(target, "heads")[1] == ("lone",)
    assert framefox_tasks.upgrade(target, revision="heads").steps == ()


@pytest.mark.parametrize("revision", ["zzz", "+1", ":"])
def test_a_revision_that_is_not_there(target: Target, database: Database, revision: str) -> None:
    with pytest.raises(MigrationError, match="There is no single migration"):
        framefox_tasks.stamp(target, revision=revision)
    assert database.tables() == set()


def test_a_database_that_is_not_there(target: Target) -> None:
    framefox_tasks.drop(target)
    for operation in (framefox_tasks.stamp, framefox_tasks.check_stamp):
        with pytest.raises(DatabaseNotFoundError):
            operation(target, revision="aaa")


def test_another_run_is_waited_for(target: Target, database: Database) -> None:
    with database_of(target).migration_lock(target, Patience()), pytest.raises(LockTimeoutError):
        framefox_tasks.stamp(target, revision="aaa", lock_wait=0)
    assert database.tables() == set()


def test_a_hook_of_env_py_hears_of_it(chain: MiniProject, target: Target) -> None:
    chain.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine, pool\n\n"
        "def heard(ctx, step, heads, run_args):\n"
        "    open(HEARD, 'a').write(f'{step.is_stamp} {step.up_revision_id} {sorted(heads)}\\n')\n\n"
        "url = context.config.get_main_option('sqlalchemy.url')\n"
        "with create_engine(url, poolclass=pool.NullPool).connect() as connection:\n"
        "    context.configure(connection=connection, on_version_apply=heard)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n",
    )
    chain.replace("migrations/env.py", "HEARD", repr(str(chain.path / "heard.txt")))
    stamped(target, "bbb")
    assert chain.read("heard.txt") == "True bbb ['bbb']\n"


def test_the_task_asks_where_the_schema_is_another(shop: MiniProject) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        shop.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    shop.ok("database_upgrade", "--revision=aaa")
    said = shop.doit("database_stamp", "--revision=bbb")
    assert said.code == 1
    assert "shop.db does not look like it:\n  table bbb is missing\n" in said.out
    assert "Confirm with: doit database_stamp --revision=bbb --yes" in said.err
    out = shop.ok("database_stamp", "--revision=bbb", "--yes")
    assert "shop.db is marked as being at bbb, before at aaa. No migration was run." in out
    assert "marked as being at aaa, before at bbb" in shop.ok("database_stamp", "--revision=aaa")
    assert "marked as being at aaa already." in shop.ok("database_stamp", "--revision=aaa")
    result = shop.on_terminal("database_stamp", "--revision=head", answer="n\n")
    assert result.code == 1
    assert "Mark shop.db as being at bbb all the same?" in result.out
    assert "Cancelled. Nothing was changed." in result.out
    assert shop.on_terminal("database_stamp", "--revision=head", answer="y\n").code == 0


def different(target: Target, revision: str) -> list[str]:
    checked = framefox_tasks.check_stamp(target, revision=revision)
    assert not checked.not_compared
    return list(checked.differences)


def test_what_differs_is_told(target: Target, database: Database) -> None:
    framefox_tasks.upgrade(target, revision="bbb")
    database.execute("DELETE FROM alembic_version", "CREATE TABLE other (id INTEGER)")
    assert different(target, "bbb") == []
    assert different(target, "ccc") == ["table ccc is missing"]
    database.execute("ALTER TABLE aaa ADD COLUMN size VARCHAR(7)")
    assert different(target, "bbb") == ["column aaa.size should not be there"]
    database.execute("DROP TABLE bbb")
    assert different(target, "aaa") == ["column aaa.size should not be there"]


def test_a_type_that_is_another_is_told(chain: MiniProject, target: Target, database: Database) -> None:
    made = "op.create_table('thing', sa.Column('size', sa.String(9), nullable=False), sa.Column('n', sa.Integer))"
    chain.migration("ddd", None, upgrade=f"{made}; op.create_index('one', 'thing', ['n'])")
    database.execute("CREATE TABLE thing (size VARCHAR(8), n INTEGER)")
    found = "\n".join(different(target, "ddd"))
    assert "column thing.size: type is " in found
    assert "null" in found.lower()
    assert "index one of thing is missing" in found


def test_the_recorded_schema_stands_in_for_a_replay(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "-m", "first", "database_upgrade")
    (name,) = project.versions()
    project.replace(
        f"migrations/versions/{name}",
        'def upgrade() -> None:\n    """Upgrade schema."""\n',
        'def upgrade() -> None:\n    """Upgrade schema."""\n    op.execute("SELECT 1 FROM not_there")\n',
    )
    target = Target(database.url, Project(root=project.path))
    assert different(target, "head") == []
    database.execute("ALTER TABLE product DROP COLUMN price")
    assert different(target, "head") == ["column product.price is missing"]
    (project.path / "migrations/schema.json").unlink()
    checked = framefox_tasks.check_stamp(target, revision="head")
    assert "the migrations cannot be replayed. " in str(checked.not_compared)
    assert "not_there" in str(checked.not_compared)


def test_it_must_be_named(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.ok("database_create")
    assert "Skipped: it would mark the database as being at another revision." in shop.ok("database_st*")
    assert "--revision is missing" in shop.fails("database_stamp")
    assert "--revision is missing" in shop.fails("database_stamp", "--revision=")
