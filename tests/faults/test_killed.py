"""A migration that is killed at any statement: `--resume` alone ends as a run does that nobody has killed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.databases import Database, MakeDatabase
from support.faults import FULL, JOURNAL, begin_again, killed_at, left_by, points_of, state
from support.projects import MiniProject

from framefox_tasks import Project, Target, upgrade
from framefox_tasks.databases.drivers import NOTES

# Ten statements, DDL and DML mixed; what is done twice is seen.
MIXED = """\
op.execute("UPDATE account SET balance = balance * 100")
    op.add_column("account", sa.Column("note", sa.String(30)))
    op.execute("UPDATE account SET note = CONCAT(owner, '!'), balance = balance + 1")
    op.create_table("entry", sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", sa.BigInteger))
    op.execute("INSERT INTO entry (amount) SELECT balance FROM account ORDER BY id")
    op.execute("INSERT INTO entry (amount) SELECT balance * 2 FROM account ORDER BY id")
    op.create_index("by_amount", "entry", ["amount"])
    op.execute("DELETE FROM account WHERE owner = 'cid'")
    op.alter_column("account", "note", new_column_name="remark", existing_type=sa.String(30))
    op.execute("UPDATE account SET balance = balance * 2 + id")"""
READS = """\
import sqlalchemy.orm
    from decimal import Decimal
    bind = op.get_bind()
    if not sa.inspect(bind).has_table("entry"):
        op.create_table("entry", sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", sa.Numeric(12, 2)),
            sa.Column("at", sa.DateTime), sa.Column("raw", sa.LargeBinary(8)))
    entry = sa.table("entry", sa.column("id", sa.Integer), sa.column("amount", sa.Numeric(12, 2)),
        sa.column("at", sa.DateTime), sa.column("raw", sa.LargeBinary(8)))
    last = 0
    batch = sa.text("SELECT id, balance FROM account WHERE id > :last ORDER BY id LIMIT 2")
    while rows := bind.execute(batch, {"last": last}).all():
        for id, balance in rows:
            bind.execute(sa.text("UPDATE account SET balance = :new WHERE id = :id"), {"new": balance * 3, "id": id})
        op.execute(f"CREATE TABLE batch_{last} (id INTEGER)")
        last = rows[-1].id
    import datetime
    op.bulk_insert(entry, [{"id": 1, "amount": Decimal("1.50"), "at": datetime.datetime(2026, 1, 2), "raw": b"a"},
        {"id": 2, "amount": Decimal("2.50"), "at": datetime.datetime(2026, 1, 3), "raw": b"b"}])
    op.create_index("by_amount", "entry", ["amount"])
    for amount, at, raw in bind.execute(sa.select(entry.c.amount, entry.c.at, entry.c.raw).order_by(entry.c.id)).all():
        bind.execute(sa.text("INSERT INTO batch_0 VALUES (:id)"), {"id": int(amount * 2)})
        assert isinstance(amount, Decimal) and at.year == 2026 and raw in (b"a", b"b")
    bind.execute(sa.text("INSERT INTO batch_0 VALUES (:id)"), [{"id": 10}, {"id": 11}, {"id": 12}])
    op.create_index("by_id", "batch_0", ["id"])

    class Base(sa.orm.DeclarativeBase): pass
    class Account(Base):
        __tablename__ = "account"
        id = sa.Column(sa.Integer, primary_key=True)
        owner = sa.Column(sa.String(20))
        balance = sa.Column(sa.BigInteger)
    with sa.orm.Session(bind) as session:
        added = [Account(owner="dan", balance=1), Account(owner="eve", balance=2)]
        session.add_all(added)
        session.flush()
        op.execute("CREATE TABLE noted (owner VARCHAR(20))")
        for one in session.scalars(sa.select(Account).order_by(Account.id)):
            one.balance += 1
        session.flush()
        by_id = sa.text("INSERT INTO noted SELECT owner FROM account WHERE id = :id")
        session.execute(by_id, [{"id": one.id} for one in added])
        session.commit()
    changed = bind.execute(sa.text("UPDATE account SET balance = balance + 1 WHERE owner = 'eve'")).rowcount
    op.execute(f"CREATE TABLE changed_{changed} (id INTEGER)")"""

# Nothing but changes of the schema, whose journal stands in the version table; then one that needs a table after all.
SHORT = """\
op.add_column("account", sa.Column("note", sa.String(30)))
    op.create_table("entry", sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", sa.BigInteger))
    op.create_index("by_amount", "entry", ["amount"])
    op.alter_column("account", "note", new_column_name="remark", existing_type=sa.String(30))
    op.drop_column("account", "owner")"""
TURNS = f"""\
{SHORT}
    op.execute("INSERT INTO entry (amount) SELECT balance FROM account ORDER BY id")
    op.add_column("entry", sa.Column("twice", sa.BigInteger))
    op.execute("UPDATE entry SET twice = amount * 2")
    op.execute("UPDATE account SET balance = balance * 2 + id")"""
GROWS = """\
for number in range(24):
        op.execute(f"ALTER TABLE account ADD COLUMN c{number} INTEGER")"""


# The first thing that a run sends, from which on it is killed: before it nothing is done.
BEGAN = {
    "mysql": f"CREATE TABLE IF NOT EXISTS `{JOURNAL}`",
    "postgresql": "UPDATE account SET balance = balance * 100",
    "sqlite": "UPDATE account SET balance = balance * 100",
}
_BLOCK = """\
op.execute("UPDATE account SET balance = balance * 100")
    with op.get_context().autocommit_block():
        op.execute({index!r})
        op.execute("UPDATE account SET balance = balance + 1")
        op.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, amount BIGINT)")
    op.execute("INSERT INTO entry SELECT id, balance FROM account")
    with op.get_context().autocommit_block():
        op.execute("UPDATE entry SET amount = amount * 2")
    op.execute("UPDATE account SET balance = balance * 3")"""
BLOCKS = {
    "postgresql": _BLOCK.format(index="CREATE INDEX CONCURRENTLY by_owner ON account (owner)"),
    "sqlite": _BLOCK.format(index="CREATE INDEX by_owner ON account (owner)"),
}


def bank(project: MiniProject, database: Database, upgrade: str) -> Target:
    """A project whose first migration is applied by begin_again()."""
    project.migration("aaa", None)
    project.migration("bbb", "aaa", upgrade=upgrade)
    return Target(database.url, Project(root=project.path))


def check_points(
    database: Database, target: Target, *, every: int = 1, sent: bool = False, began: str | None = None
) -> str:
    """Kill a run at its statements in turn, and go on; gives at how many of how many.

    In full it is killed at each statement. Else, of those before which as much is committed, at the last one; and where
    a run has left what another one had, it would go on as that one did, and is not gone on with once more.
    """
    began = began or BEGAN[database.dialect]
    begin_again(database)
    points = points_of(database, target, began)
    clean = state(database)
    assert len(points) > 10
    chosen = range(len(points)) if FULL else [n for n, left in enumerate(points) if [*points, ""][n + 1] != left]
    seen: set[str] = set()
    for point in chosen[every // 2 :: every]:
        begin_again(database)
        assert killed_at(database, target, point + 1, sent=sent, began=began), point
        left = str(point) if sent or FULL else left_by(database)
        if left not in seen:
            upgrade(target, resume=True)
            assert state(database) == clean, point
            seen.add(left)
    assert len(seen) >= 3
    return f"{len(chosen[every // 2 :: every])} of {len(points)}"


@pytest.mark.promise("A migration of ten statements, killed at any of them: `--resume` ends as if nobody had killed it")
@pytest.mark.parametrize("dialect", ["mysql"])
def test_killed_in_a_mixed_migration(
    dialect: str, shop: MiniProject, make_database: MakeDatabase, measured: Callable[[str], None]
) -> None:
    database = make_database(dialect)
    measured(check_points(database, bank(shop, database, MIXED)))


@pytest.mark.promise("The same with reads that branch, batches, `bulk_insert`, `executemany` and a session of the ORM")
@pytest.mark.parametrize("dialect", ["mysql"])
def test_killed_in_a_migration_that_reads(
    dialect: str, shop: MiniProject, make_database: MakeDatabase, measured: Callable[[str], None]
) -> None:
    database = make_database(dialect)
    measured(check_points(database, bank(shop, database, READS)))


@pytest.mark.promise("A migration that only changes the schema: the same, also where its journal moves to a table")
@pytest.mark.parametrize("sent", [False, True], ids=["before", "sent"])
@pytest.mark.parametrize("case", [SHORT, TURNS, GROWS], ids=["short", "turns", "grows"])
@pytest.mark.parametrize("dialect", ["mysql"])
def test_killed_with_a_short_journal(
    dialect: str,
    case: str,
    sent: bool,
    shop: MiniProject,
    make_database: MakeDatabase,
    often: Callable[[int, int], int],
    measured: Callable[[str], None],
) -> None:
    database = make_database(dialect)
    every = often(1 if case == SHORT else 3, 1)
    measured(check_points(database, bank(shop, database, case), every=every, sent=sent, began=f"SET {NOTES} = "))


@pytest.mark.promise("The same when the server still works at what the killed run has sent")
@pytest.mark.parametrize("case", [MIXED, READS], ids=["mixed", "reads"])
@pytest.mark.parametrize("dialect", ["mysql"])
def test_killed_while_the_server_works(
    dialect: str,
    case: str,
    shop: MiniProject,
    make_database: MakeDatabase,
    often: Callable[[int, int], int],
    measured: Callable[[str], None],
) -> None:
    database = make_database(dialect)
    measured(check_points(database, bank(shop, database, case), every=often(3, 1), sent=True))


@pytest.mark.promise("A migration with an `autocommit_block()`, killed at any statement: the same")
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_killed_around_an_autocommit_block(
    dialect: str, shop: MiniProject, make_database: MakeDatabase, measured: Callable[[str], None]
) -> None:
    database = make_database(dialect)
    measured(check_points(database, bank(shop, database, BLOCKS[dialect])))
