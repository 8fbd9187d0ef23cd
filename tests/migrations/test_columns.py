"""Columns of every kind: what is declared is what is found again, on every dialect."""

from __future__ import annotations

import sqlite3

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

ENTITY = """
import datetime
import decimal
import enum
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Thing(Base):
    __tablename__ = "thing"
    __table_args__ = (
        sa.UniqueConstraint("code", "number"),
        sa.CheckConstraint("number > 0", name="number_positive"),
        sa.Index("ix_thing_both", "number", "code"),
    )

    id: Mapped[int] = mapped_column(sa.Identity(start=10), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(20), server_default="it's", comment="a 'quoted' comment")
    cast: Mapped[str] = mapped_column(sa.String(20), server_default="ns::b")
    number: Mapped[int] = mapped_column(sa.BigInteger, server_default="7")
    small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    price: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(10, 2), server_default="0")
    ratio: Mapped[float | None] = mapped_column(sa.Float)
    flag: Mapped[bool] = mapped_column(server_default=sa.true())
    off: Mapped[bool] = mapped_column(server_default=sa.false())
    color: Mapped[Color] = mapped_column(server_default="RED")
    day: Mapped[datetime.date | None]
    time: Mapped[datetime.time | None]
    moment: Mapped[datetime.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    data: Mapped[dict[str, object] | None] = mapped_column(sa.JSON)
    blob: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    key: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    long: Mapped[str | None] = mapped_column(sa.Text)
    total: Mapped[int | None] = mapped_column(sa.Integer, sa.Computed("number * 2", persisted=True))
"""


def test_every_kind_of_column_is_found_again(project: MiniProject, database: Database) -> None:
    project.write("src/entity/thing.py", ENTITY)
    project.ok("database_create_migration", "database_upgrade")
    database.execute("INSERT INTO thing (id, small) VALUES (1, 3)")
    assert database.execute("SELECT code, number, total FROM thing") == [("it's", 7, 14)]
    project.ok("database_create_migration", "--check", "database_downgrade", "database_upgrade")


def test_a_changed_default_is_seen(project: MiniProject, database: Database) -> None:
    project.write("src/entity/thing.py", ENTITY)
    project.set_up()
    project.replace("src/entity/thing.py", 'server_default="ns::b"', 'server_default="ns"')
    project.replace("src/entity/thing.py", 'server_default="it\'s"', 'server_default="it\'s me"')
    if database.dialect == "sqlite":  # a table with a computed column cannot be rebuilt there
        assert "modify default thing.code" in project.fails("database_create_migration", "--check")
        return
    out = project.ok("database_create_migration", "database_upgrade")
    assert "modify default thing.cast" in out
    database.execute("INSERT INTO thing (id) VALUES (1)")
    assert database.execute("SELECT code, cast FROM thing".replace("cast", quoted(database))) == [("it's me", "ns")]
    project.ok("database_create_migration", "--check")


def quoted(database: Database) -> str:
    return "`cast`" if database.dialect == "mysql" else '"cast"'


@pytest.mark.server
def test_a_migration_with_every_kind_of_column_written_on_sqlite_runs_on_servers(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    shop.write("src/entity/thing.py", ENTITY)
    shop.set_up()
    for dialect in ("postgresql", "mysql"):
        shop.env["DATABASE_URL"] = make_database(dialect).url
        shop.ok("database_upgrade", "database_downgrade")
        shop.ok("database_upgrade")


@pytest.mark.server
def test_postgresql_schemas_are_created(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    shop.replace("src/entity/review.py", "    id:", '    __table_args__ = {"schema": "more"}\n\n    id:')
    out = shop.ok("database_create_migration", "database_upgrade")
    assert "add table more.review" in out
    database.execute("CREATE SCHEMA other", "CREATE TABLE other.mine (id INTEGER)")
    shop.ok("database_create_migration", "--check", "database_downgrade", "database_upgrade")


def rebuilt(shop: MiniProject, *statements: str) -> sqlite3.Connection:
    """The shop's database after its product table was rebuilt; the statements ran before that."""
    shop.set_up()
    connection = sqlite3.connect(shop.path / "shop.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    shop.replace("src/entity/product.py", "String(100)", "String(150)")
    shop.ok("database_create_migration", "database_upgrade")
    return connection


def test_triggers_and_expression_indexes_survive_a_rebuild(shop: MiniProject) -> None:
    connection = rebuilt(
        shop,
        "CREATE INDEX by_lower ON product (lower(name))",
        "CREATE TRIGGER loud AFTER INSERT ON product BEGIN UPDATE product SET name = upper(name); END",
    )
    connection.execute("INSERT INTO product (name, price) VALUES ('pen', 2)")
    assert connection.execute("SELECT name FROM product").fetchall() == [("PEN",)]
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"by_lower", "ix_product_name"} <= names
    connection.close()


def test_old_orphans_and_keys_that_sqlite_cannot_check_hinder_nothing(shop: MiniProject) -> None:
    rebuilt(
        shop,
        "INSERT INTO review (product_id) VALUES (99)",
        "CREATE TABLE legacy (a INTEGER REFERENCES product (price))",
        "INSERT INTO legacy VALUES (1)",
    ).close()


@pytest.mark.parametrize("leave", ["journal", "wal"])
def test_a_database_that_a_crash_left_is_usable(shop: MiniProject, leave: str) -> None:
    shop.set_up()
    crash = (
        "import os, sqlite3\n"
        "c = sqlite3.connect('shop.db', isolation_level=None)\n"
        f"c.execute('PRAGMA journal_mode={'wal' if leave == 'wal' else 'delete'}')\n"
        "c.execute('PRAGMA cache_size=1')\n"
        "c.execute('BEGIN')\n"
        "c.executemany('INSERT INTO product (name, price) VALUES (?, 1)', [('x' * 100,)] * 5000)\n"
        "os._exit(9)\n"
    )
    assert shop.run("python", "-c", crash).code == 9
    assert list(shop.path.glob(f"shop.db-{leave}"))
    assert "The database is up to date." in shop.ok("database_status")
    assert "at head" in shop.ok("database_upgrade")


def test_the_applications_pooled_connections_are_not_left_unguarded(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade="op.create_table('t', sa.Column('id', sa.Integer))")
    shop.write("shop_db.py", "from sqlalchemy import create_engine\n\nengine = create_engine('sqlite:///shop.db')\n")
    shop.write(
        "migrations/env.py",
        "from alembic import context\nfrom shop_db import engine\n\nwith engine.connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    )
    script = (
        "from framefox_tasks import create, load_settings, upgrade\n"
        "from shop_db import engine\nfrom sqlalchemy import text\n"
        "target = load_settings('.').target\ncreate(target)\nupgrade(target)\n"
        "with engine.connect() as c:\n    c.execute(text('INSERT INTO t VALUES (1)'))\n    c.rollback()\n"
        "    print(c.execute(text('SELECT count(*) FROM t')).scalar())\n"
    )
    result = shop.module("-c", script)
    assert result.out == "0\n", result.all
