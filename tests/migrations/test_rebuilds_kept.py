"""Random SQLite tables, rebuilt by a migration: whatever is not changed is as it was, and the way back restores all."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import HealthCheck, given, settings, strategies as st

from framefox_tasks.migrations.alembic.rebuild import rebuilding

pytestmark = pytest.mark.slow

KEYS = ("id INTEGER PRIMARY KEY AUTOINCREMENT", "id INTEGER PRIMARY KEY", '"id" INTEGER NOT NULL')
CLAUSES = (
    "COLLATE NOCASE",
    "DEFAULT 'a, (b)'",
    "DEFAULT (1 + 1)",
    "DEFAULT -1",
    "UNIQUE",
    "CONSTRAINT [a name] UNIQUE ON CONFLICT REPLACE",
    "CHECK ({0} <> 'no, )')",
    'CONSTRAINT "ck {0}" CHECK ("{0}" NOT IN (\'x\', "id"))',
    "REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE",
    "REFERENCES parent MATCH FULL NOT DEFERRABLE INITIALLY IMMEDIATE",
    "CONSTRAINT fk_{0} REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED",
    "/* NOT NULL, */",
)
GENERATED = (
    "g TEXT GENERATED ALWAYS AS (a || ',)') STORED",
    "g AS (a || 'x') VIRTUAL",
    "g TEXT AS (lower(a)) STORED",
)
CONSTRAINTS = (
    "UNIQUE (a, b COLLATE NOCASE) ON CONFLICT IGNORE",
    'CONSTRAINT "two, of" UNIQUE ("b", a)',
    "CHECK (length(a) < 99) -- not null, (\n",
    "CONSTRAINT ck CHECK (item.b IS NOT NULL OR a = 'x')",
    "FOREIGN KEY (b) REFERENCES parent (id) ON DELETE CASCADE MATCH SIMPLE DEFERRABLE INITIALLY DEFERRED",
    "CONSTRAINT own FOREIGN KEY (a) REFERENCES item (id) ON UPDATE SET DEFAULT",
)
OBJECTS = (
    "CREATE UNIQUE INDEX by_expression ON item (lower(a) DESC, b COLLATE RTRIM)",
    "CREATE INDEX some ON item (b) WHERE a > 'c' AND b IS NOT NULL",
    "CREATE INDEX plain ON item (a DESC)",
    "CREATE TRIGGER own_trigger AFTER INSERT ON item BEGIN INSERT INTO log VALUES (new.a); END",
    "CREATE TRIGGER other_trigger AFTER INSERT ON log BEGIN UPDATE item SET b = b WHERE a = new.x; END",
    "CREATE VIEW names AS SELECT a, b FROM item WHERE id > 0",
    "CREATE TABLE child (id INTEGER PRIMARY KEY, item REFERENCES item (id) ON DELETE CASCADE)",
)


@dataclass(frozen=True)
class Drawn:
    """The parts of a table `item`; `t` is the column that migrations change."""

    key: str
    columns: tuple[str, ...]
    nullable: bool
    changing: str
    constraints: tuple[str, ...]
    options: str
    objects: tuple[str, ...]

    def sql(self, *, t: bool = True) -> str:
        changing = [self.changing.replace("{null}", "" if self.nullable else "NOT NULL")] if t else []
        primary = ['PRIMARY KEY ("id")'] if "PRIMARY" not in self.key else []
        parts = [self.key, *self.columns, *changing, *primary, *self.constraints]
        return "CREATE TABLE item (\n  " + ",\n  ".join(parts) + "\n) " + self.options


@st.composite
def column(draw: st.DrawFn, name: str) -> str:
    clauses = draw(st.lists(st.sampled_from(CLAUSES), max_size=4, unique_by=lambda text: text.split()[0]))
    return " ".join([name, "TEXT", *clauses]).format(name)


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    key = draw(st.sampled_from(KEYS))
    options = draw(
        st.sampled_from(("", "STRICT", *(("WITHOUT ROWID", "WITHOUT ROWID, STRICT") if "AUTO" not in key else ())))
    )
    generated = draw(st.sampled_from(("", *GENERATED)))
    if "STRICT" in options:
        generated = generated.replace("g AS", "g TEXT AS")
    clauses = draw(st.lists(st.sampled_from(CLAUSES), max_size=3, unique_by=lambda text: text.split()[0]))
    return Drawn(
        key,
        (draw(column("a")), *([generated] if generated else []), draw(column("b"))),
        draw(st.booleans()),
        " ".join(["[t] TEXT", "{null}", *(text.format("t") for text in clauses)]),
        tuple(draw(st.lists(st.sampled_from(CONSTRAINTS), unique=True, max_size=3))),
        options,
        tuple(draw(st.lists(st.sampled_from(OBJECTS), unique=True))),
    )


def made(table: Drawn, path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE log (x)")
    connection.execute(table.sql())
    names = [row[1] for row in connection.execute("PRAGMA table_info(item)")]
    for number in (3, 7, 9):
        values = [number if name == "id" else f"{name}{number}" for name in names]
        connection.execute(f"INSERT INTO item ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values)
    connection.execute("DELETE FROM item WHERE id = 9")
    for statement in table.objects:
        connection.execute(statement)
    return connection


def changed(path: Path, change: Callable[[Any], None]) -> None:
    """Run one batch, in the transaction that the migration guard begins."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection, rebuilding():
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("item") as batch:
            change(batch)
    engine.dispose()


def told(connection: sqlite3.Connection, *, without: str = "") -> dict[str, Any]:
    """Everything that SQLite tells of the database, but for one column."""
    columns = [row[1:] for row in connection.execute("PRAGMA table_xinfo(item)") if row[1] != without]
    indexes = []
    for _, name, unique, origin, partial in connection.execute("PRAGMA index_list(item)").fetchall():
        parts = [row[2:] for row in connection.execute(f'PRAGMA index_xinfo("{name}")') if row[5]]
        if without not in [part[0] for part in parts]:
            indexes.append((origin, unique, partial, parts, name if origin == "c" else ""))
    keys = [row[2:] for row in connection.execute("PRAGMA foreign_key_list(item)") if row[3] != without]
    names = ", ".join(row[0] for row in columns)
    has_numbers = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()
    return {
        "columns": columns,
        "indexes": sorted(indexes, key=repr),
        "keys": sorted(keys, key=repr),
        "options": connection.execute("SELECT type, wr, strict FROM pragma_table_list('item')").fetchall(),
        "objects": sorted(
            connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name <> 'item' AND sql <> ''")
        ),
        "rows": connection.execute(f"SELECT {names} FROM item ORDER BY id").fetchall(),
        "numbers": connection.execute("SELECT * FROM sqlite_sequence").fetchall() if has_numbers else [],
        "orphans": connection.execute("PRAGMA integrity_check").fetchall(),
    }


def plain(sql: str) -> str:
    """The text of a table without its spaces."""
    return re.sub(r"\s", "", sql)


def text_of(connection: sqlite3.Connection) -> str:
    return plain(connection.execute("SELECT sql FROM sqlite_master WHERE name = 'item'").fetchone()[0])


BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@BOUNDED
@given(table=drawn())
def test_all_but_the_change_is_kept(tmp_path: Path, table: Drawn) -> None:
    path = tmp_path / "random.db"
    connection = made(table, path)
    before, text = told(connection), text_of(connection)
    changed(path, lambda batch: batch.alter_column("t", nullable=not table.nullable))
    after, other = told(connection), replace(table, nullable=not table.nullable)
    place = next(place for place, row in enumerate(before["columns"]) if row[0] == "t")
    assert after["columns"][place][2] == int(table.nullable)
    without = {"columns": None}
    assert {**after, **without} == {**before, **without}
    assert sorted(text_of(connection)) == sorted(plain(other.sql()))
    changed(path, lambda batch: batch.alter_column("t", nullable=table.nullable))
    assert told(connection) == before
    assert sorted(text_of(connection)) == sorted(text)
    connection.close()


@BOUNDED
@given(table=drawn())
def test_a_column_that_is_added_and_dropped_leaves_no_trace(tmp_path: Path, table: Drawn) -> None:
    path = tmp_path / "random.db"
    connection = made(table, path)
    before, text = told(connection), text_of(connection)

    def add(batch: Any) -> None:
        batch.add_column(
            sa.Column("new", sa.Integer, sa.CheckConstraint("new > 0"), server_default="5", nullable=False)
        )
        batch.create_unique_constraint("uq_new", ["new", "id"])

    changed(path, add)
    after = told(connection, without="new")
    assert connection.execute("SELECT DISTINCT new FROM item").fetchall() == [(5,)]
    assert after == before
    changed(path, lambda batch: batch.drop_column("new"))
    assert told(connection) == before
    assert text_of(connection) == text
    connection.close()


@BOUNDED
@given(table=drawn())
def test_a_dropped_column_takes_only_its_own_with_it(tmp_path: Path, table: Drawn) -> None:
    path = tmp_path / "random.db"
    connection = made(table, path)
    before = told(connection, without="t")
    changed(path, lambda batch: batch.drop_column("t"))
    assert told(connection) == before
    assert text_of(connection) == plain(table.sql(t=False))
    connection.close()
