"""Copying within PostgreSQL: everything that a schema holds, and the text that rows travel in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import databases
from support.copy_rich import RICH
from support.copying import made, target_of
from support.databases import Database, connect_server, missing, server_url

from framefox_tasks.copies import copy
from framefox_tasks.databases.postgresql import dump
from framefox_tasks.databases.postgresql.read import plain_controls
from framefox_tasks.databases.postgresql.snapshot import open_source
from framefox_tasks.databases.rows import Field, Kind, Name, Side
from framefox_tasks.model import CopyOptions
from framefox_tasks.url import parse_url

DIALECT = "postgresql"


@pytest.fixture(params=["pg_dump", "catalogue"])
def definitions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Read by pg_dump, and without one on the path."""
    if request.param == "pg_dump":
        databases.pg_dump()
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    return str(request.param)


def dumped(database: Database, program: str) -> list[str]:
    """Everything that a database holds, as pg_dump tells it."""
    address = parse_url(server_url("postgresql"))
    login = ["-h", address.host or "", "-p", str(address.port or 5432), "-U", address.username or ""]
    command = [program, *login, "--inserts", database.name]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if not line.startswith("\\")]


@pytest.fixture
def pg_dump() -> str:
    return databases.pg_dump()


def test_everything_in_a_rich_database_arrives(
    source: Database, target: Database, pg_dump: str, definitions: str
) -> None:
    made(source, RICH)
    result = copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert definitions
    assert result.notes == ()
    assert result.not_carried == ()
    assert dumped(target, pg_dump) == dumped(source, pg_dump)
    assert target.execute("SELECT nextval('sales.numbers'), nextval('unused'), nextval('customer_id_seq')") == [
        (120, 7, 12)
    ]


def test_some_tables_come_without_what_needs_the_others(source: Database, target: Database, definitions: str) -> None:
    made(source, RICH)
    options = CopyOptions(tables=("customer", "sales.*", "event"))
    result = copy(target_of(source), target_of(target), options=options)
    assert definitions
    assert {table.name for table in result.tables} == {"customer", "sales.item", "sales.part", "event"}
    assert target.tables() == {"customer", "event", "event_2024", "event_other"}
    assert set(result.not_carried) == {
        "foreign key favourite_of of customer: it refers to product, which is not copied",
        "view rich_customer: it reads a table that is not copied",
        "view sales.over: it reads a table that is not copied",
        "materialized view totals: it reads a table that is not copied",
        "materialized view a_totals_again: it reads a table that is not copied",
    }
    assert target.execute("SELECT count(*) FROM event") == [(3,)]
    assert any("new_style" in note for note in result.notes)


def test_what_is_not_carried_is_told(source: Database, target: Database) -> None:
    made(source, "CREATE TABLE one (id int)", "SELECT lo_create(0)")
    assert copy(target_of(source), target_of(target)).not_carried == ("large objects: 1",)


def test_a_password_is_in_no_argument_of_pg_dump(source: Database, target: Database, tmp_path: Path) -> None:
    made(source, "CREATE TABLE one (id int)")
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    script = f'case "$1" in --version) exec /usr/bin/pg_dump --version;; esac\necho "$@" >> {seen}\n'
    program.write_text(f'#!/bin/sh\n{script}exec /usr/bin/pg_dump "$@"\n')
    program.chmod(0o755)
    if not Path("/usr/bin/pg_dump").exists():
        missing("no /usr/bin/pg_dump to watch")
    address = parse_url(source.url)
    url = f"postgresql://{address.username}:s3cret%3A%5C%20%27x@{address.host}:{address.port or 5432}/{source.name}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        copy(target_of(Database("postgresql", url, source.name)), target_of(target))
    told = seen.read_text()
    assert source.name in told
    assert "s3cret" not in told


TYPES = {
    "b": ("boolean", "true", "1"),
    "n": ("numeric", "'NaN'", "NaN"),
    "f": ("double precision", "0.1", "0.1"),
    "r": ("real", "'-Infinity'", "-Infinity"),
    "t": ("text", r"E'a\tb\nc\\d\be\ff\x0bg\rü'", "a\\tb\\nc\\\\d\be\ff\vg\\rü"),
    "c": ("char(5)", "'ab'", "ab"),
    "x": ("bytea", r"'\x00ff'", r"\\x00ff"),
    "d": ("date", "'infinity'", "infinity"),
    "h": ("time(3)", "'01:02:03.5'", "01:02:03.5"),
    "s": ("timestamp", "'2024-02-29 01:02:03.000001'", "2024-02-29 01:02:03.000001"),
    "z": ("timestamptz", "'2024-02-29 01:02:03+05'", "2024-02-28 20:02:03"),
    "i": ("interval", "'1 year 2 days 03:00'", "P1Y2DT3H"),
    "u": ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "k": ("bit(3)", "B'101'", "101"),
    "e": ("mood", "'happy'", "happy"),
    "y": ("yes", "true", "1"),
    "a": ("integer[]", "'{1,NULL}'", "{1,NULL}"),
    "m": ("money", "'-1234.5'", "-$1,234.50"),
    "null": ("integer", "NULL", r"\N"),
}


def typed(source: Database) -> Database:
    columns = ", ".join(f'"{name}" {native}' for name, (native, *_) in TYPES.items())
    values = ", ".join(value for _, value, _ in TYPES.values())
    return made(
        source,
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN yes AS boolean; CREATE TABLE every (" + columns + ")",
        f"INSERT INTO every VALUES ({values})",
    )


def lines(source: Database, side: Side, where: str = "", order: Sequence[str] = ()) -> list[str]:
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        return b"".join(reader.lines(side, where=where, order=order)).decode().splitlines()


def test_each_kind_has_its_text(source: Database) -> None:
    with open_source(target_of(typed(source))) as opened, opened.reader() as reader:
        (plan,) = opened.tables()
        block = b"".join(reader.lines(plan.source))
    found = dict(zip(TYPES, block.decode().removesuffix("\n").split("\t"), strict=True))
    assert found == {name: text for name, (_, _, text) in TYPES.items()}
    kinds = {field.name: field.kind for field in plan.source.fields}
    assert kinds["y"] == Kind.BOOLEAN
    assert kinds["e"] == Kind.ENUM
    assert kinds["a"] == kinds["m"] == Kind.NATIVE


def test_what_has_no_kind_is_read_as_another(source: Database) -> None:
    typed(source)
    side = Side(Name("every"), (Field("a", "integer[]", Kind.JSON), Field("m", "money", Kind.NUMERIC)))
    assert lines(source, side) == ["[1,null]\t-1234.50"]


def test_only_escapes_of_controls_become_characters() -> None:
    assert plain_controls(rb"\\b\b\\\f\\\\v\v") == b"\\\\b\b\\\\\f\\\\\\\\v\v"
    assert plain_controls(rb"a\tb\\n\N") == rb"a\tb\\n\N"


def test_rows_can_be_chosen_and_sorted_by_bytes(source: Database) -> None:
    made(source, "CREATE TABLE w (id int, t text)", "INSERT INTO w VALUES (1, 'b'), (2, 'B'), (3, 'ä'), (4, 'a')")
    side = Side(Name("w"), (Field("id", "integer", Kind.INTEGER), Field("t", "text", Kind.TEXT)))
    assert [line[0] for line in lines(source, side, order=["t"])] == ["2", "4", "1", "3"]
    assert lines(source, side, where="id > 3 -- all that") == ["4\ta"]


def test_rows_with_numbers_of_this_database_do_not_travel_in_binary(source: Database) -> None:
    made(
        source,
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE pair AS (a int, b int)",
        "CREATE TABLE plain (a int[], m mood, r int4range, x jsonb)",
        "CREATE TABLE enums (m mood[])",
        "CREATE TABLE pairs (p pair)",
        "CREATE TABLE regs (r regclass)",
    )
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        raw = {plan.label: reader.raw(plan.source) is not None for plan in opened.tables()}
    assert raw == {"plain": True, "enums": False, "pairs": False, "regs": False}


def test_raw_rows_are_counted_exactly(source: Database) -> None:
    made(source, "CREATE TABLE many AS SELECT i, repeat('x', 50) AS t FROM generate_series(1, 30000) i")
    source.execute("CREATE TABLE none (id int)")
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        sizes = {plan.label: [rows for _, rows in reader.raw(plan.source) or ()] for plan in opened.tables()}
    assert sum(sizes["many"]) == 30000
    assert len(sizes["many"]) > 5
    assert sum(sizes["none"]) == 0


def test_a_reader_that_stops_early_still_sees_the_snapshot(source: Database) -> None:
    made(source, "CREATE TABLE many AS SELECT i, repeat('x', 50) AS t FROM generate_series(1, 100000) i")
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        (plan,) = opened.tables()
        source.execute("DELETE FROM many")
        blocks = reader.lines(plan.source)
        next(blocks)
        blocks.close()
        assert reader.count(Name("many")) == 100000
        assert sum(block.count(b"\n") for block in reader.lines(plan.source)) == 100000


def test_a_table_without_columns_keeps_its_rows(source: Database, target: Database) -> None:
    made(source, "CREATE TABLE bare ()", "INSERT INTO bare SELECT FROM generate_series(1, 3)")
    source.execute("CREATE TABLE made (n int GENERATED ALWAYS AS (1 + 1) STORED)")
    source.execute("INSERT INTO made DEFAULT VALUES")
    copy(target_of(source), target_of(target))
    assert target.execute("SELECT (SELECT count(*) FROM bare), (SELECT sum(n) FROM made)") == [(3, 2)]


def test_a_table_is_not_emptied_while_it_is_copied(source: Database) -> None:
    made(source, "CREATE TABLE one (id int)", "INSERT INTO one VALUES (1)")
    with open_source(target_of(source)) as opened, connect_server("postgresql", source.name) as other:
        (plan,) = opened.tables()
        with pytest.raises(Exception, match="lock timeout"):
            other.execute("SET lock_timeout = '100ms'; TRUNCATE one")
        with opened.reader() as reader:
            assert list(reader.lines(plan.source)) == [b"1\n"]


def test_the_plan_of_a_table_is_whole(source: Database) -> None:
    made(source, RICH)
    with open_source(target_of(source)) as opened:
        plans = {plan.label: plan for plan in opened.tables()}
    item, part, product = plans["sales.item"], plans["sales.part"], plans["product"]
    assert item.primary_key == ("a", "b")
    assert item.uniques == (("b", "c"),)
    (key,) = part.foreign_keys
    assert (key.columns, key.table, key.referred, key.ondelete) == (
        ("x", "y"),
        Name("item", "sales"),
        ("a", "b"),
        "CASCADE",
    )
    assert "doubled" not in {field.name for field in product.source.fields}
    assert "event_2024" not in plans
    names = list(plans)
    assert names.index("sales.item") < names.index("sales.part")
    email = next(field for field in plans["customer"].source.fields if field.name == "email")
    assert re.search("email", email.native)
    assert not email.nullable


@pytest.mark.parametrize(("server", "version"), [(130004, 13), (140000, 15), (150002, 15), (170000, None)])
def test_where_debian_has_several_pg_dump_the_one_of_the_server_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: int, version: int | None
) -> None:
    for number in (9, 13, 15, 16):
        program = tmp_path / str(number) / "bin/pg_dump"
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    (tmp_path / "pg_wrapper").touch(0o755)
    (tmp_path / "pg_dump").symlink_to("pg_wrapper")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dump, "_VERSIONS", tmp_path)
    assert dump.pg_dump_for(server) == (f"{tmp_path}/{version}/bin/pg_dump" if version else None)


def test_a_pg_dump_that_was_replaced_is_asked_for_its_version_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for version, able in ((14, None), (16, str(program))):
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.2'\n")
        program.chmod(0o755)
        os.utime(program, (version, version))
        assert dump.pg_dump_for(150000) == able
