"""Defaults, indexes and keys on PostgreSQL: what the server writes in another way is no difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, INT4RANGE, JSONB, ExcludeConstraint
from sqlalchemy.types import UserDefinedType
from support.databases import Database, MakeDatabase
from support.declaring_tables import Declaring
from support.warned import nothing_raw

from framefox_tasks import check_migration
from framefox_tasks.model import Target

pytestmark = pytest.mark.server


class Point(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "POINT"


class Xml(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "XML"


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql", "pg_defaults")


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declaring:
    return Declaring(tmp_path / "declared", database)


# Of each type defaults that the server writes in its own way.
DEFAULTS: list[tuple[Any, list[Any]]] = [
    (String(40), ["a\\b", "it's", "50%", ":x", "", text("E'a\\\\nb'"), text("'a'::varchar || 'b'")]),
    (Text(), ["x", text("current_user"), text("upper('a' || 'b')"), text("CAST(5 AS text)")]),
    (Integer(), ["1", text("1 + 2"), text("-5"), text("(7)"), text("'8'")]),
    (Numeric(10, 2), ["1.0", text("1"), text("1.50"), text("1e3")]),
    (Float(), ["1.0", text("0.1"), text("'NaN'")]),
    (Float(24), ["1", None]),
    (Float(53), ["2.50", None]),
    (Boolean(), [text("true"), false(), "1", text("'t'")]),
    (Date(), [text("(CURRENT_DATE)"), "2024-01-02", text("now()"), text("current_date + 1")]),
    (Time(), ["00:00", "12:30:00", text("LOCALTIME"), text("'01:02'::time")]),
    (DateTime(), [func.now(), text("timezone('utc', now())"), "2024-01-02 03:04"]),
    (DateTime(timezone=True), [text("CURRENT_TIMESTAMP"), text("clock_timestamp()"), "2024-01-02 03:04+02"]),
    (Interval(), ["1 day", text("interval '2 hours'"), text("'3'::interval")]),
    (JSON(), ["{}", text("'[]'::json"), '{"a":  1}']),
    (JSONB(), ["{}", text("jsonb_build_object('a', 1)"), '{"a":  1}']),
    (ARRAY(Integer), ["{}", text("ARRAY[1,2]"), text("'{1, 2}'::int[]")]),
    (ARRAY(Text), [text("ARRAY['a']"), text("array[]::text[]")]),
    (Uuid(), [text("gen_random_uuid()"), None]),
    (LargeBinary(), [text("'\\xDEAD'::bytea"), text("decode('00', 'hex')")]),
    (INET(), ["10.0.0.1", text("inet '10.0.0.0/8'")]),
    (INT4RANGE(), ["[1,3]", text("int4range(1, 2)")]),
    (Point(), ["(1,2)", text("point(3, 4)")]),
    (Xml(), ["<a/>", "<b></b>"]),
    (Enum("a", "it's", name="kind"), ["a", "it's", text("'a'::kind")]),
]


def columns(choice: int) -> list[Column[Any]]:
    return [
        Column(f"c{at}", type_, server_default=defaults[choice % len(defaults)])
        for at, (type_, defaults) in enumerate(DEFAULTS)
    ]


def test_defaults_of_every_type_agree_and_change(project: Declaring) -> None:
    with nothing_raw():
        project.round_trip(*columns(0))
        for choice in range(1, 4):
            project.round_trip(*columns(choice))
        project.round_trip(*(Column(f"c{at}", type_) for at, (type_, _) in enumerate(DEFAULTS)))


def indexes(options: dict[str, Any], where: str) -> list[Any]:
    return [
        Column("a", Integer),
        Column("b", String(20)),
        Column("c", JSONB),
        Index("ix_desc", text("a DESC"), text("b ASC NULLS FIRST")),
        Index("ix_ops", "b", postgresql_ops={"b": "varchar_pattern_ops"}),
        Index("ix_where", "a", postgresql_where=text(where)),
        Index(
            "ix_lower", text("lower(b)"), text("(a + 1)"), postgresql_where=text("b IN ('x', 'y') AND a IS NOT NULL")
        ),
        Index("ix_gin", "c", postgresql_using="gin", postgresql_ops={"c": "jsonb_path_ops"}),
        Index("ix_options", "a", "b", unique=True, **options),
        Index("ix_cast", text("CAST(a AS text)"), text("coalesce(b, 'it''s')")),
    ]


def test_indexes_agree_and_change(project: Declaring) -> None:
    project.round_trip(*indexes({}, "a > 5 and b <> 'X'"))
    project.round_trip(*indexes({"postgresql_include": ["id"]}, "a > 5 and b <> 'x'"))
    project.round_trip(*indexes({"postgresql_with": {"fillfactor": 70}}, "a BETWEEN 1 AND 2"))
    project.round_trip(*indexes({"postgresql_nulls_not_distinct": True}, "b LIKE 'a%'"))
    project.round_trip(Column("a", Integer))


def test_checks_of_values_come_back_as_they_were(project: Declaring) -> None:
    check = CheckConstraint("b IN ('x', 'it''s') AND a > 1", name="ck_values")
    other = Table("other", MetaData(), Column("b", String(9)), CheckConstraint("b IN ('x', ':y')", name="ck_other"))
    both = Table(
        "item",
        other.metadata,
        Column("id", Integer, primary_key=True),
        Column("a", Integer),
        Column("b", String(20)),
        check,
    )
    project.set_up(metadata=both.metadata)
    project.round_trip(Column("a", Integer))


def keys(*, late: bool) -> MetaData:
    metadata = MetaData()
    options: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"} if late else {}
    Table(
        "parent",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("b", Integer, nullable=False),
        UniqueConstraint("id", "b", name="uq_parent"),
    )
    Table(
        "item",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("a", Integer),
        Column("b", Integer),
        Column("span", INT4RANGE),
        ForeignKeyConstraint(["a"], ["parent.id"], name="fk_late", ondelete="CASCADE", **options),
        ForeignKeyConstraint(["a", "b"], ["parent.id", "parent.b"], name="fk_full", match="FULL" if late else None),
        ForeignKeyConstraint(
            ["a", "b"], ["parent.id", "parent.b"], name="fk_null", ondelete="SET NULL (b)" if late else "SET NULL"
        ),
        UniqueConstraint("a", name="uq_late", **options),
        UniqueConstraint("b", name="uq_nulls", postgresql_nulls_not_distinct=late),
        ExcludeConstraint(("span", "&&"), name="ex_span", where=text("a > 1") if late else None, **options),
        CheckConstraint("a > 0", name="ck_a"),
    )
    return metadata


def test_options_of_keys_are_seen_and_come_back(project: Declaring) -> None:
    project.round_trip(metadata=keys(late=True))
    project.round_trip(metadata=keys(late=False))
    project.round_trip(metadata=keys(late=True))
    only = MetaData()
    parent = keys(late=True).tables["parent"]
    parent.to_metadata(only)
    project.round_trip(metadata=only)  # the downgrade makes the table again, with all of them


def test_the_default_schema_may_be_written_out(project: Declaring) -> None:
    metadata = MetaData(schema="public")
    Table("parent", metadata, Column("id", Integer, primary_key=True))
    Table(
        "item",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent_id", ForeignKey("public.parent.id", ondelete="CASCADE")),
        Column("kind", Enum("a", "b", name="item_kind")),
    )
    project.round_trip(metadata=metadata)


def test_without_the_right_to_make_tables_texts_are_compared(
    project: Declaring, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    project.set_up(Column("a", String(10), server_default="x"), Column("b", JSON, server_default="{}"))
    user = f"reader_{database.name}"
    database.execute(
        f"REVOKE TEMP ON DATABASE {database.name} FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"CREATE ROLE {user} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
    )
    try:
        check_migration(Target(database.url.replace("postgres@", f"{user}@"), project.target.project))
    finally:
        database.execute(f"DROP OWNED BY {user}; DROP ROLE {user}")
    assert "compared as text" in caplog.text
