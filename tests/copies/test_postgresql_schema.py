"""What is found in a PostgreSQL database, whatever its settings are, for a copy in another kind of database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.copying import made, open_source, role, target_of
from support.databases import Database, MakeDatabase, connect_server
from support.translating import natives, plan_of, translated

from framefox_tasks.databases.postgresql.snapshot import open_source as open_postgresql
from framefox_tasks.databases.rows import CopySchema, Kind, Name
from framefox_tasks.databases.schema import LiveColumn, LiveSchema, LiveTable
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Target

DIALECT = "postgresql"


def found(target: Target, tables: Callable[[Name], bool] | None = None, digits: int | None = None) -> LiveSchema:
    with open_source(target) as opened, opened.inspect(tables, digits=digits) as find:
        return find()


def table(source: Database, label: str) -> LiveTable:
    return next(table for table in found(target_of(source)).tables if str(table.name) == label)


def columns(source: Database, label: str) -> dict[str, LiveColumn]:
    return {column.name: column for column in table(source, label).columns}


def created(schema: CopySchema, label: str) -> str:
    return next(statement.sql for statement in schema.before if statement.about == f"table {label}")


def test_the_settings_of_a_database_change_nothing_that_is_read(source: Database) -> None:
    made(
        source,
        "CREATE SCHEMA other; CREATE TYPE other.mood AS ENUM ('a'); CREATE TYPE mood AS ENUM ('b')",
        "CREATE TYPE empty AS ENUM ()",
        "CREATE TABLE a (m mood, o empty, n other.mood DEFAULT 'a', d date DEFAULT '2020-12-31', y bytea, "
        "at timestamptz DEFAULT '2020-12-31 10:00:00+00', CHECK (d > '2020-06-01'))",
        "CREATE TABLE other.b (); CREATE TABLE c () INHERITS (other.b)",
    )
    settings = {
        "search_path": "other, public",
        "datestyle": "'German'",
        "timezone": "'Asia/Tokyo'",
        "quote_all_identifiers": "on",
    }
    before = found(target_of(source))
    for name, value in settings.items():
        source.execute(f'ALTER DATABASE "{source.name}" SET {name} = {value}')
    assert found(target_of(source)) == before
    assert columns(source, "a")["n"].type.values == ("a",)
    sql = created(translated(source, "sqlite"), "a")
    assert """CHECK ("d" > '2020-06-01')""" in sql
    assert """"d" DATE DEFAULT '2020-12-31'""" in sql
    assert natives(translated(source, "mysql"), "a")["y"] == "longblob"
    with open_postgresql(target_of(source)) as opened:
        fields = {field.name: field for plan in opened.tables() for field in plan.source.fields}
    assert (fields["d"].kind, fields["y"].kind, fields["n"].native) == (Kind.DATE, Kind.BYTES, "other.mood")


@pytest.mark.parametrize("dialect", ["mysql", "sqlite"])
def test_a_default_with_a_time_zone_is_a_time_in_utc(
    source: Database, dialect: str, make_database: MakeDatabase
) -> None:
    made(source, "CREATE TABLE a (id int, at timestamptz DEFAULT '2020-12-31 12:00:00+02')")
    copy = made(make_database(dialect, "copy"), created(translated(source, dialect), "a"))
    copy.execute("INSERT INTO a (id) VALUES (1)")
    assert str(copy.execute("SELECT at FROM a")[0][0]) == "2020-12-31 10:00:00"


def test_a_type_is_known_by_what_it_is_and_not_by_how_it_is_called(source: Database) -> None:
    made(
        source,
        "CREATE TYPE interval_pair AS (a int, b int); CREATE DOMAIN padded AS bpchar; CREATE TYPE date AS (a int)",
        "CREATE TABLE a (pair interval_pair, real interval day to second, f bpchar, p padded, c char(3), "
        "d public.date, m money, i int[])",
    )
    kinds = {name: (column.type.kind, column.type.size) for name, column in columns(source, "a").items()}
    assert kinds == {
        "pair": (Kind.OTHER, None),
        "real": (Kind.INTERVAL, None),
        "f": (Kind.TEXT, None),
        "p": (Kind.TEXT, None),
        "c": (Kind.TEXT, 3),
        "d": (Kind.OTHER, None),
        "m": (Kind.NUMERIC, 19),
        "i": (Kind.JSON, None),
    }


def test_a_check_of_a_length_of_time_is_told_and_not_made_a_check_of_its_text(source: Database) -> None:
    made(source, "CREATE TABLE a (i interval CHECK (i < '3 days'))")
    schema = translated(source, "sqlite")
    assert "CHECK" not in created(schema, "a")
    assert schema.not_carried == ("check a_i_check of a",)


def test_a_domain_over_one_that_is_not_null_is_not_null(source: Database) -> None:
    made(
        source,
        "CREATE DOMAIN given AS text NOT NULL; CREATE DOMAIN based AS given CHECK (VALUE <> '')",
        "CREATE TABLE a (b based, c text)",
    )
    assert [column.nullable for column in columns(source, "a").values()] == [False, True]
    with open_postgresql(target_of(source)) as opened:
        (plan,) = opened.tables()
    assert [field.nullable for field in plan.source.fields] == [False, True]


def test_a_column_is_numbered_by_what_it_does_without_a_value(source: Database) -> None:
    made(
        source,
        "CREATE SEQUENCE s; CREATE DOMAIN counted AS bigint DEFAULT nextval('s')",
        "CREATE TABLE a (serial serial, own int GENERATED ALWAYS AS IDENTITY, owner int, domained counted, "
        "more int DEFAULT nextval('s') + 1, wide numeric DEFAULT nextval('s'), late int DEFAULT nextval('s'::text))",
        "CREATE SEQUENCE owned OWNED BY a.owner",
        "SELECT setval('s', 41, false), setval('a_serial_seq', 6)",
    )
    columns_ = columns(source, "a")
    numbered = {name: column.following for name, column in columns_.items() if column.numbered}
    assert numbered == {"serial": 7, "own": 1, "domained": 41, "late": None}
    assert {name for name, column in columns_.items() if column.default} == {"more", "wide"}
    lost = [phrase for phrase in translated(source, "sqlite").not_carried if "a.owner" in phrase]
    assert lost == []


def test_a_domain_in_a_key_gives_numbers_in_the_copy(source: Database) -> None:
    made(
        source,
        "CREATE SEQUENCE s START 5; CREATE DOMAIN counted AS int DEFAULT nextval('s')",
        "CREATE TABLE a (id counted PRIMARY KEY)",
    )
    assert "AUTOINCREMENT" in created(translated(source, "sqlite"), "a")
    assert "AUTO_INCREMENT" in created(translated(source, "mysql"), "a")


PARTED = (
    "CREATE TABLE one (id int PRIMARY KEY)",
    "CREATE TABLE parted (id int NOT NULL, one_id int) PARTITION BY RANGE (id)",
    "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE high PARTITION OF parted FOR VALUES FROM (10) TO (20)",
    "INSERT INTO parted VALUES (1), (2), (11)",
)


def test_a_key_that_not_all_partitions_have_is_no_key(source: Database) -> None:
    made(source, *PARTED, "ALTER TABLE ONLY parted ADD CONSTRAINT parted_key PRIMARY KEY (id)")
    assert (table(source, "parted").primary_key, table(source, "parted").primary_name) == ((), None)
    schema = translated(source, "sqlite")
    assert "PRIMARY KEY" not in created(schema, "parted")
    assert "primary key parted_key of parted: not all partitions have it" in schema.not_carried


def test_the_rows_of_all_partitions_are_counted(source: Database) -> None:
    made(source, *PARTED, "ANALYZE low; ANALYZE high")
    assert plan_of(translated(source, "sqlite"), "parted").rows == 3


def test_what_partitions_alone_have_is_told(source: Database) -> None:
    made(
        source,
        *PARTED,
        "ALTER TABLE low ADD PRIMARY KEY (id); CREATE TABLE refers (id int CONSTRAINT to_low REFERENCES low)",
        "ALTER TABLE parted ADD CONSTRAINT everywhere FOREIGN KEY (one_id) REFERENCES one",
        "ALTER TABLE low ADD CONSTRAINT only_here FOREIGN KEY (one_id) REFERENCES one",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER here BEFORE INSERT ON low FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER anywhere AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION f()",
    )
    assert set(translated(source, "sqlite").not_carried) == {
        "partitions of parted",
        "function f",
        "foreign key only_here of parted: it is of some partitions alone, or to one",
        "index low_pkey of low",
        "foreign key to_low of refers: it is of some partitions alone, or to one",
        "trigger here of low",
        "trigger anywhere of parted",
    }
    chosen = translated(source, "sqlite", lambda name: name.name == "one")
    assert chosen.not_carried == ("function f",)


def test_who_may_not_read_all_rows_is_told_what_to_ask_for(source: Database) -> None:
    made(source, "CREATE TABLE a (id int, n numeric)", "INSERT INTO a VALUES (1, 1), (2, 12345678901234567890)")
    with role("framefox_narrow_user") as url:
        reading = Target(url + source.name)
        with pytest.raises(PermissionDeniedError, match="permission denied for table a") as denied:
            found(reading, digits=15)
        assert "GRANT pg_read_all_data" in (denied.value.hint or "")
        source.execute("GRANT SELECT ON a TO framefox_narrow_user; ALTER TABLE a ENABLE ROW LEVEL SECURITY")
        source.execute("CREATE POLICY p ON a USING (id = 1)")
        with pytest.raises(PermissionDeniedError, match="row-level security") as denied:
            found(reading, digits=15)
        assert "BYPASSRLS" in (denied.value.hint or "")
        source.execute("DROP POLICY p ON a; REVOKE ALL ON a FROM framefox_narrow_user")


def test_a_table_stays_as_it_was_read_until_the_copy_ends(source: Database) -> None:
    made(source, "CREATE TABLE a (id int)")
    with (
        open_source(target_of(source)) as opened,
        opened.inspect() as find,
        connect_server("postgresql", source.name) as other,
    ):
        other.execute("ALTER TABLE a ADD n int")  # after the snapshot, before it is asked
        assert [column.name for column in find().tables[0].columns] == ["id"]
        with pytest.raises(Exception, match="lock timeout"):
            other.execute("SET lock_timeout = '100ms'; DROP TABLE a")
