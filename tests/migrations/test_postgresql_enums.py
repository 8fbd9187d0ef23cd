"""Enum types of PostgreSQL whose values change, with all that depends on them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN, ExcludeConstraint
from support.databases import Database, MakeDatabase
from support.declaring_tables import Declaring, described

from framefox_tasks import check_migration, upgrade_sql
from framefox_tasks.errors import MigrationError, MigrationNeededError

pytestmark = pytest.mark.server


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql", "pg_enums")


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declaring:
    return Declaring(tmp_path / "declared", database)


def kind(*values: str, name: str = "state_kind", **options: Any) -> Enum:
    return Enum(*values, name=name, **options)


def rich(*values: str) -> MetaData:
    """Tables that mention an enum in every way."""
    metadata = MetaData()
    Table(
        "item",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("state", kind(*values), nullable=False, server_default="it's"),
        Column("more", ARRAY(kind(*values)), server_default=text("ARRAY['new']::state_kind[]")),
        CheckConstraint("state <> 'new' OR id > 0", name="ck_state"),
        UniqueConstraint("state", "id", name="uq_state"),
        ExcludeConstraint(("state", "="), where=text("state = 'it''s'"), using="btree", name="ex_state"),
        Index("ix_new", "id", postgresql_where=text("state = 'new'")),
        Index("ix_is", text("(state = 'new')")),
    )
    Table(
        "note",
        metadata,
        Column("state", kind(*values)),
        Column("item_id", Integer),
        ForeignKeyConstraint(["state", "item_id"], ["item.state", "item.id"], name="fk_item"),
    )
    return metadata


def test_values_change_under_all_that_mentions_them(project: Declaring, database: Database) -> None:
    project.apply(metadata=rich("new", "it's"))
    database.execute(
        "CREATE VIEW fresh AS SELECT id, state FROM item WHERE state = 'new'",
        "CREATE VIEW fresher AS SELECT * FROM fresh; GRANT SELECT ON fresher TO PUBLIC",
        "CREATE MATERIALIZED VIEW counted AS SELECT state, count(*) FROM fresher GROUP BY state",
        "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "CREATE TRIGGER t BEFORE UPDATE OF state ON item FOR EACH ROW EXECUTE FUNCTION same()",
        "INSERT INTO item (id, state, more) VALUES (1, 'new', '{new,NULL}')",
        "INSERT INTO note VALUES ('new', 1)",
    )

    project.round_trip(metadata=rich("new", "old", "it's", "a:b", "50%", "back\\slash"))
    project.round_trip(metadata=rich("50%", "it's", "new"))
    assert database.execute("SELECT state::text, more::text FROM item") == [("new", "{new,NULL}")]
    assert database.execute("SELECT has_table_privilege('pg_monitor', 'fresher', 'SELECT')") == [(True,)]
    assert database.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == [("t",)]


def test_a_row_with_a_value_that_goes_is_named_and_nothing_changes(project: Declaring, database: Database) -> None:
    project.set_up(Column("state", kind("new", "old")))
    database.execute("INSERT INTO item (id, state) VALUES (1, 'old'), (2, 'old'), (3, 'new')")
    before = described(database)
    project.write(Column("state", kind("new")), proof=False)
    with pytest.raises(
        MigrationError, match=r"state_kind cannot lose the value 'old': .*column state of item.* 2 times"
    ):
        project.up()
    assert described(database) == before
    database.execute("UPDATE item SET state = 'new'")
    project.up()


def test_between_coming_and_going_values_rows_can_be_changed(project: Declaring, database: Database) -> None:
    project.set_up(Column("state", kind("new", "old"), server_default="old"))
    database.execute("INSERT INTO item (id) VALUES (1)")
    written = project.write(Column("state", kind("new", "gone"), server_default="gone"), proof=False)
    change = "op.execute(\"UPDATE item SET state = 'gone' WHERE state = 'old'\")\n    "
    upward, downward = written.split("def downgrade")
    last = upward.rindex("set_enum_values(")
    project.files[-1].write_text(upward[:last] + change + upward[last:] + "def downgrade" + downward)
    project.up()
    assert database.execute("SELECT state::text FROM item") == [("gone",)]


def test_tables_and_schemas_share_a_type(project: Declaring) -> None:
    def declared(*values: str) -> MetaData:
        metadata = MetaData()
        for schema in (None, "public", "store"):
            columns: tuple[Column[Any], ...] = (
                Column("id", Integer, primary_key=True),
                Column("a", kind(*values), server_default="x"),
                Column("b", kind(*values, name="Odd Kind", schema="store")),
            )
            Table(f"t_{schema}", metadata, *columns, schema=schema)
        return metadata

    project.round_trip(metadata=declared("x", "y"))
    project.round_trip(metadata=declared("x", "y", "z"))
    project.round_trip(metadata=declared("z", "x"))


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class ColorType(TypeDecorator[Color]):
    impl = Enum(Color, name="color")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:  # noqa: ARG002 - SQLAlchemy's
        return Color(value) if isinstance(value, str) else value


class ColorsType(TypeDecorator[Any]):
    impl = ARRAY(Enum(Color, name="color"))
    cache_ok = True


def test_a_decorated_enum_is_an_enum(project: Declaring, database: Database) -> None:
    project.round_trip(Column("one", ColorType), Column("many", ColorsType()))
    assert ("enum", "color", "RED | BLUE") in described(database)
    project.round_trip(Column("one", ColorType), Column("many", ColorsType()), Column("two", ColorType, index=True))


def test_a_type_below_a_domain_stays(project: Declaring) -> None:
    base = kind("a", "b", name="base_kind")
    project.round_trip(Column("state", DOMAIN("state", base, check=text("VALUE <> 'b'"))))
    project.round_trip(Column("other", Integer), Column("state", DOMAIN("state", base, check=text("VALUE <> 'b'"))))


def test_what_else_uses_a_type_keeps_it(project: Declaring, database: Database) -> None:
    project.set_up(Column("state", kind("a", "b")), Column("other", Integer))
    database.execute("CREATE FUNCTION f(state_kind) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert "drop(op.get_bind()" not in project.apply(Column("other", Integer)).split("def downgrade")[0]
    database.execute("DROP FUNCTION f")
    check_migration(project.target)


def test_a_text_becomes_an_enum_and_a_text_again(project: Declaring, database: Database) -> None:
    project.set_up(Column("state", String(10), server_default="a"))
    database.execute("INSERT INTO item (id) VALUES (1)")
    project.round_trip(Column("state", kind("a", "b"), server_default="b"))
    project.round_trip(Column("state", kind("b", "a", name="other_kind"), server_default="a"))
    assert database.execute("SELECT state::text FROM item") == [("a",)]


def test_it_can_be_rendered_as_sql(project: Declaring) -> None:
    project.set_up(Column("state", kind("a:b", "50%")))
    project.write(Column("state", kind("50%")))
    assert "wanted CONSTANT text[] := ARRAY['50%']::text[]" in upgrade_sql(project.target).sql


def test_the_order_of_values_counts(project: Declaring) -> None:
    project.set_up(Column("state", kind("a", "b")))
    project.declare(Column("state", kind("b", "a")))
    with pytest.raises(MigrationNeededError):
        check_migration(project.target)
    project.round_trip(Column("state", kind("b", "a")))
