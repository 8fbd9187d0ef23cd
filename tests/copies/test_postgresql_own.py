"""What belongs to a database of PostgreSQL itself, and what only its catalogue has: a new copy has it too."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import databases
from support.copying import copy, made, role, target_of
from support.databases import Database

from framefox_tasks.model import CopyOptions

DIALECT = "postgresql"
pytestmark = pytest.mark.server
OWN = (
    "SELECT shobj_description(oid, 'pg_database'), datconnlimit, (SELECT array_agg(setconfig) FROM pg_db_role_setting "
    "WHERE setdatabase = d.oid AND setrole = 0) FROM pg_database d WHERE datname = current_database()"
)
MAY = "SELECT has_database_privilege({!r}, current_database(), {!r})"


@pytest.fixture(params=["pg_dump", "catalogue"])
def definitions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read by pg_dump, and without one on the path."""
    if request.param == "pg_dump":
        databases.pg_dump()
    else:
        monkeypatch.setenv("PATH", str(tmp_path))


def own(source: Database, *statements: str) -> Database:
    made(source, "CREATE TABLE t (id integer PRIMARY KEY)")
    for statement in statements:
        source.execute(statement.replace("@", f'"{source.name}"'))
    return source


CLOSED = (
    "COMMENT ON DATABASE @ IS 'it''s 100 % \"ours\"'",
    "ALTER DATABASE @ SET statement_timeout = '3min'",
    'ALTER DATABASE @ SET search_path = public, "$user"',
    "ALTER DATABASE @ SET framefox_tasks.protected = 'yes'",
    "ALTER DATABASE @ CONNECTION LIMIT 7",
    "REVOKE ALL ON DATABASE @ FROM PUBLIC",
)


def test_a_new_copy_has_the_settings_comment_and_grants_of_its_source(source: Database, target: Database) -> None:
    with role(f"{source.name}_in") as _, role(f"{source.name}_out") as _:
        own(source, *CLOSED, f'GRANT CONNECT ON DATABASE @ TO "{source.name}_in"')
        result = copy(target_of(source), target_of(target))
        assert result.notes == ()
        comment, limit, settings = target.execute(OWN)[0]
        assert (comment, limit) == ('it\'s 100 % "ours"', 7)
        assert settings == [["statement_timeout=3min", 'search_path=public, "$user"']]
        assert target.execute(MAY.format(f"{source.name}_in", "CONNECT")) == [(True,)]
        assert target.execute(MAY.format(f"{source.name}_out", "CONNECT")) == [(False,)]
        for database in (source, target):
            databases.drop_database("postgresql", database.name)


def test_a_copy_that_replaces_a_database_has_what_belonged_to_that(source: Database, target: Database) -> None:
    own(source, *CLOSED)
    own(target, "COMMENT ON DATABASE @ IS 'mine'", "ALTER DATABASE @ SET work_mem = '9MB'")
    copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True))
    assert target.execute(OWN) == [("mine", -1, [["work_mem=9MB"]])]


@pytest.mark.usefixtures("definitions")
def test_constraints_that_hold_for_new_values_alone_arrive(source: Database, target: Database) -> None:
    made(
        source,
        "CREATE COLLATION plain (LOCALE = 'C')",
        "CREATE DOMAIN price AS numeric CONSTRAINT known CHECK (VALUE <> 7)",
        'CREATE TABLE t (id integer PRIMARY KEY, p price, name text COLLATE "plain")',
        "INSERT INTO t VALUES (1, -5, 'x')",
        "ALTER DOMAIN price ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID",
    )
    result = copy(target_of(source), target_of(target))
    assert result.not_carried == ()
    query = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid <> 0 ORDER BY conname"
    assert target.execute(query) == source.execute(query)
    assert target.execute("SELECT p FROM t") == [(-5,)]
    with pytest.raises(Exception, match="positive"):
        target.execute("INSERT INTO t VALUES (2, -6, 'y')")
