"""Whom the objects of a PostgreSQL copy belong to, and who may use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.copying import made, open_place, open_source, role, target_of
from support.databases import Database, connect_server, drop_database

from framefox_tasks.copies import copy
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import Copied

DIALECT = "postgresql"

AGAIN = CopyOptions(overwrite=True)
EVERY_KIND = """
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('sad'); CREATE DOMAIN s.yes AS boolean; CREATE TYPE s.pair AS (a int, b int);
CREATE TYPE s.span AS RANGE (subtype = int);
CREATE TABLE s.t (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, m s.mood, "a b" text);
CREATE INDEX ON s.t (m);
CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);
CREATE SEQUENCE "Odd name";
CREATE VIEW s.v AS SELECT id FROM s.t; CREATE MATERIALIZED VIEW s.mv AS SELECT id FROM s.t;
CREATE FUNCTION s.f(x int, y text DEFAULT 'a') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE s.g() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE s.total(int) (SFUNC = int4pl, STYPE = int);
CREATE OPERATOR s.<<<< (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int);
CREATE COLLATION s.c (LOCALE = 'C'); CREATE STATISTICS s.st ON id, m FROM s.t;
CREATE TEXT SEARCH CONFIGURATION s.words (COPY = simple);
"""
# Nobody can give away the functions that come with a type of ranges.
OWNERS = """
SELECT DISTINCT x.kind, x.name, x.owner::regrole::text FROM (
    SELECT 'relation' AS kind, relname::text AS name, relowner AS owner, oid FROM pg_class WHERE relkind <> 't'
  UNION ALL SELECT 'type', typname, typowner, oid FROM pg_type
  UNION ALL SELECT 'function', proname, proowner, oid FROM pg_proc
  UNION ALL SELECT 'schema', nspname, nspowner, oid FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'operator', oprname, oprowner, oid FROM pg_operator
  UNION ALL SELECT 'collation', collname, collowner, oid FROM pg_collation
  UNION ALL SELECT 'statistics', stxname, stxowner, oid FROM pg_statistic_ext
  UNION ALL SELECT 'configuration', cfgname, cfgowner, oid FROM pg_ts_config
) x WHERE x.oid >= 16384 AND name !~ 'pg_toast|^_?span' ORDER BY 1, 2
"""
# The order of the entries of a list of privileges says nothing.
PRIVILEGES = """
SELECT x.kind, x.name, e::text FROM (
    SELECT 'relation' AS kind, relname::text AS name, relacl AS acl, oid FROM pg_class
  UNION ALL SELECT 'column', attname, attacl, attrelid FROM pg_attribute
  UNION ALL SELECT 'type', typname, typacl, oid FROM pg_type
  UNION ALL SELECT 'function', proname, proacl, oid FROM pg_proc
  UNION ALL SELECT 'schema', nspname, nspacl, CASE nspname WHEN 'public' THEN 16384 ELSE oid END FROM pg_namespace
  UNION ALL SELECT 'default', concat(defaclobjtype, defaclnamespace::regnamespace), defaclacl, oid FROM pg_default_acl
) x, unnest(acl) e WHERE x.oid >= 16384 ORDER BY 1, 2, 3
"""


@pytest.fixture
def roles(source: Database, target: Database) -> Iterator[dict[str, str]]:
    """Users, and how a URL of theirs begins; what they own goes before they do."""
    names = [f"{source.name}_{name}" for name in ("app", "audit")]
    with ExitStack() as opened:
        yield {name: opened.enter_context(role(name)) for name in names}
        for database in (source, target):
            drop_database("postgresql", database.name)


def refreshed(source: Database, target: Database) -> Copied:
    return copy(target_of(source), target_of(target), options=AGAIN)


def by(url: str, database: Database, sql: str) -> list[tuple[object, ...]]:
    return Database("postgresql", url + database.name, database.name).execute(sql)


def test_a_copy_belongs_to_the_owner_of_what_it_replaces(
    source: Database, target: Database, roles: dict[str, str]
) -> None:
    app, _ = roles
    made(source, EVERY_KIND, "INSERT INTO s.t (m) VALUES ('sad')")
    made(target, f'ALTER DATABASE "{target.name}" OWNER TO "{app}"')
    result = refreshed(source, target)
    assert result.notes == ()
    found = target.execute(OWNERS)
    assert len(found) == len(source.execute(OWNERS)) > 25
    assert [row for row in found if row[-1] != app] == []
    assert by(roles[app], target, "SELECT count(*) FROM s.v, nextval('\"Odd name\"')") == [(1,)]


def test_roles_that_had_something_in_what_is_replaced_keep_it(
    source: Database, target: Database, roles: dict[str, str]
) -> None:
    app, audit = roles
    made(source, "CREATE TABLE one (id int); CREATE TABLE log (id int); CREATE TABLE more (id int)")
    source.execute(f'ALTER TABLE log OWNER TO "{audit}"')
    made(target, f'ALTER DATABASE "{target.name}" OWNER TO "{app}"')
    refreshed(source, target)
    assert {owner for *_, owner in target.execute(OWNERS)} == {app}
    target.execute(f'ALTER TABLE log OWNER TO "{audit}"')
    refreshed(source, target)
    owners = {name: owner for kind, name, owner in target.execute(OWNERS) if kind == "relation"}
    assert owners == {"one": app, "more": app, "log": audit}


def test_owners_and_privileges_are_as_in_the_source(source: Database, target: Database, roles: dict[str, str]) -> None:
    app, audit = roles
    made(
        source,
        EVERY_KIND,
        f'ALTER TABLE s.t OWNER TO "{app}"; ALTER SCHEMA s OWNER TO "{app}"; ALTER TYPE s.mood OWNER TO "{app}"',
        f'GRANT USAGE ON SCHEMA s TO "{audit}"; GRANT CREATE ON SCHEMA public TO "{app}"',
        f'GRANT SELECT, INSERT ON s.t TO "{audit}" WITH GRANT OPTION; GRANT DELETE ON s.t TO "{audit}"',
        f'GRANT UPDATE ("a b") ON s.t TO "{audit}"; GRANT ALL ON p TO "{audit}"; GRANT SELECT ON s.v TO PUBLIC',
        f'GRANT USAGE ON SEQUENCE s.t_id_seq, "Odd name" TO "{audit}"; REVOKE INSERT ON s.t FROM "{app}"',
        f'REVOKE ALL ON FUNCTION s.f FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.f TO "{audit}"',
        "REVOKE ALL ON TYPE s.yes FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f'ALTER DEFAULT PRIVILEGES FOR ROLE "{app}" GRANT SELECT ON TABLES TO "{audit}"',
        f'ALTER DEFAULT PRIVILEGES FOR ROLE "{app}" IN SCHEMA s GRANT USAGE ON SEQUENCES TO "{audit}", PUBLIC',
        f'ALTER DEFAULT PRIVILEGES FOR ROLE "{app}" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
    )
    result = copy(target_of(source), target_of(target))
    assert result.notes == ()
    assert target.execute(OWNERS) == source.execute(OWNERS)
    assert target.execute(PRIVILEGES) == source.execute(PRIVILEGES)
    assert by(roles[audit], target, "SELECT count(*) FROM s.t, s.f(1)") == [(0,)]


def test_a_role_that_is_not_there_is_told_in_a_line(source: Database, target: Database) -> None:
    name = f"{source.name} gone"
    with role(name):
        made(source, "CREATE TABLE one (id int); CREATE TABLE two (id int)")
        source.execute(f'ALTER TABLE two OWNER TO "{name}"; GRANT SELECT ON one TO "{name}"')
        source.execute(f'CREATE POLICY few ON one TO "{name}" USING (id < 9)')
        with open_source(target_of(source)) as opened:
            schema = opened.schema()
        source.execute(f'REASSIGN OWNED BY "{name}" TO CURRENT_USER; DROP OWNED BY "{name}"')
    place = open_place(target_of(target), overwrite=False, data_only=False, force_disconnect=False)
    with place, place.loader() as loader:
        statements = (*schema.before, *schema.last)
        refused = {one.about: why for one in statements if (why := loader.execute(one))}
    there = f'role "{name}" does not exist'
    assert refused == dict.fromkeys(("policy one few", f"what belongs to {name}", f"privileges of {name}"), there)


def test_a_user_who_may_not_give_is_told_and_has_the_copy(
    source: Database, target: Database, roles: dict[str, str]
) -> None:
    app, audit = roles
    made(source, f'CREATE TABLE one (id int); GRANT SELECT ON one TO "{app}"; CREATE TABLE two (id int)')
    source.execute(f'ALTER TABLE two OWNER TO "{audit}"; GRANT SELECT ON two TO "{app}"')
    with connect_server("postgresql") as connection:
        connection.execute(f'ALTER ROLE "{app}" CREATEDB')
    result = copy(Target(roles[app] + source.name), Target(roles[app] + target.name))
    notes = [note.partition(": must be ")[0] for note in result.notes]
    assert notes == ["what belongs to postgres", f"what belongs to {audit}"]
    assert by(roles[app], target, "SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)") == [(0, 0)]


def test_who_loses_privileges_is_named(source: Database, target: Database, roles: dict[str, str]) -> None:
    app, audit = roles
    made(source, "CREATE TABLE one (id int)")
    made(target, f'ALTER DATABASE "{target.name}" OWNER TO "{app}"')
    target.execute(f'CREATE TABLE one (id int); GRANT SELECT ON one TO "{audit}"')
    (note,) = refreshed(source, target).notes
    assert note.endswith(f"have none in the copy: {audit}")


def test_what_an_extension_brings_stays_with_it(source: Database, target: Database, roles: dict[str, str]) -> None:
    app, _ = roles
    made(source, "CREATE EXTENSION citext; CREATE TABLE one (id citext)")
    made(target, f'ALTER DATABASE "{target.name}" OWNER TO "{app}"')
    assert refreshed(source, target).notes == ()
    assert target.execute("SELECT typowner::regrole::text = current_user FROM pg_type WHERE typname = 'citext'") == [
        (True,)
    ]
    assert by(roles[app], target, "SELECT count(*) FROM one") == [(0,)]
