"""Fleets in servers: the schemas of one PostgreSQL database, and several databases of each server."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from support.databases import Database, MakeDatabase
from support.fleets import Fleet, most_at_once

from framefox_tasks import (
    DatabaseExistsError,
    MigrationError,
    Settings,
    Target,
    create,
    create_target,
    fleet_status,
    list_targets,
    load_settings,
    upgrade_all,
)
from framefox_tasks.databases import database_of
from framefox_tasks.fleet.create import hub
from framefox_tasks.fleet.groups import grouped
from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.standing import standings

pytestmark = pytest.mark.server
DIALECT = "postgresql"


@pytest.fixture
def shared(fleet: Fleet, make_database: MakeDatabase) -> Database:
    """A database whose schemas are the fleet."""
    database = make_database("postgresql")
    database.create()
    query = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 't%' ORDER BY 1"
    (fleet.path / "config").mkdir(exist_ok=True)
    (fleet.path / "config/orm.yaml").write_text(f'database:\n  url: "{database.url}"\nfleet:\n  schemas: "{query}"\n')
    return database


def statuses(fleet: Fleet) -> Counter[str]:
    settings = fleet.settings
    return Counter(one.state for one in fleet_status(list_targets(settings), settings.target).standings)


def test_schemas_of_one_database(fleet: Fleet, shared: Database) -> None:
    shared.execute(*(f'CREATE SCHEMA "t{number:03}"' for number in range(120)))  # more than one query asks for
    shared.execute('CREATE SCHEMA "t of ""Anna"""')
    assert statuses(fleet) == {"behind": 121}
    some = [one for one in list_targets(fleet.settings) if one.name in ("t000", "t007", 't of "Anna"')]
    with ThreadPoolExecutor(1) as executor:
        outcomes = list(upgrade_all(some, executor=executor))
    assert [(one.ended, one.steps, one.message) for one in outcomes] == [("done", 3, "")] * 3
    tables = "SELECT table_schema, count(*) FROM information_schema.tables WHERE table_name LIKE '____' GROUP BY 1"
    assert dict(shared.execute(tables)) == {"t000": 3, "t007": 3, 't of "Anna"': 3}
    assert statuses(fleet) == {"behind": 118, "at head": 3}
    # One that is locked does not keep the others from being asked.
    with closing(shared.connect()) as holder:
        holder.autocommit = False
        holder.execute('LOCK TABLE "t007".alembic_version IN ACCESS EXCLUSIVE MODE')
        found = {one.name: one for one in fleet_status(some, fleet.settings.target).standings}
    assert {name: one.state for name, one in found.items()} == {
        "t000": "at head",
        "t007": "unreachable",
        't of "Anna"': "at head",
    }
    assert "lock" in found["t007"].message
    # A new one, and one that is there.
    made = create_target(fleet.settings, "t_new")
    assert (made.current, made.label) == (("cccc",), f"schema t_new of {fleet.settings.target.label}")
    with pytest.raises(DatabaseExistsError, match="schema t_new exists already"):
        create_target(fleet.settings, "t_new")
    shared.execute('DROP SCHEMA "t000" CASCADE')
    outline = outline_of(fleet.settings.target)
    gone = {one.name: one.state for one in standings(some, outline, outline.heads)}
    assert gone["t000"] == "missing"


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_databases_of_a_server(fleet: Fleet, make_database: MakeDatabase, dialect: str) -> None:
    databases = [make_database(dialect) for _ in range(4)]
    first = databases[0]
    template = first.url.replace(first.name, "{name}")
    names = ", ".join(one.name for one in databases)
    hub = make_database(dialect, "hub")
    fleet.configure(f"targets: [{names}]", f'url: "{template}"', f'template: "{hub.url}"', "per_server: 1")
    settings = load_settings(fleet.path, {})
    assert statuses(fleet) == {"missing": 4}
    for database in databases[:2]:  # of the template that is made for them
        made = create_target(settings, database.name)
        assert made.message.startswith("from hub_")
        assert database.revision() == ["cccc"]
    databases[0].execute("UPDATE alembic_version SET version_num = 'bbbb'")
    databases[0].execute("DROP TABLE cccc")
    outcomes = list(upgrade_all(list_targets(settings), jobs=2, per_server=1))
    assert Counter(one.ended for one in outcomes) == {"done": 1, "nothing": 1, "failed": 2}
    assert databases[0].revision() == ["cccc"]
    assert "cccc" in databases[0].tables()


@pytest.mark.parametrize(("per_server", "seconds", "most"), [(1, 0.5, {1}), (2, 3, {2}), (None, 3, {2, 3})])
def test_so_many_of_one_server_are_under_way(
    fleet: Fleet, make_database: MakeDatabase, per_server: int | None, seconds: float, most: set[int]
) -> None:
    databases = [make_database("postgresql") for _ in range(3)]
    targets = [Target(one.url, fleet.settings.target.project) for one in databases]
    for one in databases:
        one.create()
    with ThreadPoolExecutor(1) as executor:
        assert {one.ended for one in upgrade_all(targets, executor=executor)} == {"done"}
    file = fleet.noted(seconds)
    assert {one.ended for one in upgrade_all(targets, jobs=3, per_server=per_server)} == {"done"}
    assert most_at_once(file) in most  # a process may take a second to start


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_the_list_is_a_query_in_a_server(fleet: Fleet, make_database: MakeDatabase, dialect: str) -> None:
    main = make_database(dialect)
    create(Target(main.url))
    main.execute("CREATE TABLE tenant (Name varchar(20), tier numeric(4, 1), since date, url text)")
    main.execute("INSERT INTO tenant VALUES ('bolt', 2.5, '2026-01-31', NULL), ('acme', NULL, NULL, NULL)")
    main.execute("INSERT INTO tenant VALUES ('own', 1, NULL, 'sqlite:///own.db'), ('100%', 3, NULL, NULL)")
    (fleet.path / "config/orm.yaml").write_text(
        f'database:\n  url: "{main.url}"\nfleet:\n  url: "sqlite:///tenants/{{name}}.db"\n'
        "  groups: [{name: old, where: \"since < '2026-02-01'\"}, {name: large, where: tier > 2}, {name: rest}]\n"
        "  targets: \"SELECT * FROM tenant WHERE name LIKE '%' ORDER BY name\"\n"
    )
    settings = fleet.settings
    targets = list_targets(settings)
    urls = {one.name: one.target.name for one in targets if one.target}
    assert urls == {"100%": "tenants/100%.db", "acme": "tenants/acme.db", "bolt": "tenants/bolt.db", "own": "own.db"}
    assert settings.fleet
    found = {
        group.name: [one.name for one in members] for group, members in grouped(targets, settings.fleet.options.groups)
    }
    assert found == {"old": ["bolt"], "large": ["100%"], "rest": ["acme", "own"]}


def test_a_login_that_is_refused_is_told_for_its_target(fleet: Fleet, make_database: MakeDatabase) -> None:
    secret = "tr0ub4dor"  # noqa: S105 - of no user
    database = make_database("mysql")
    create(Target(database.url))
    refused = database.url.replace("root@", f"nobody_of_a_test:{secret}@")
    fleet.tenants(["acme"], at="bbbb")
    fleet.configure(f"targets: [acme, {{name: refused, url: '{refused}'}}]", 'url: "sqlite:///tenants/{name}.db"')
    status = {one.name: one for one in fleet_status(fleet.targets, fleet.settings.target).standings}
    assert status["refused"].state == "unreachable"
    assert "refused the login" in status["refused"].message
    assert status["refused"].hint
    outcomes = {one.name: one for one in upgrade_all(fleet.targets, jobs=1)}
    assert (outcomes["acme"].ended, outcomes["refused"].ended) == ("done", "failed")
    assert secret not in f"{status}{outcomes}"


def test_a_new_schema_is_made_of_the_one_that_is_kept(fleet: Fleet, shared: Database) -> None:
    """The history runs once for all: with the rows that it writes, keys, sequences and views."""
    ran = fleet.path / "ran"
    fleet.history.add(
        "dddd",
        "cccc",
        upgrade="op.execute('CREATE TABLE line (id SERIAL PRIMARY KEY, of INTEGER REFERENCES aaaa, text TEXT)')\n"
        "    op.execute('INSERT INTO aaaa VALUES (7)')\n"
        "    op.execute(\"INSERT INTO line (of, text) VALUES (7, 'it''s 100% \\\\ é')\")\n"
        "    op.execute('CREATE VIEW seen AS SELECT text FROM line')\n"
        f"    with open({str(ran)!r}, 'a') as file:\n        file.write('x')",
    )
    settings = load_settings(fleet.path, {})
    try:
        for name in ("t1", 't of "Anna"'):
            made = create_target(settings, name)
            assert made.message == "from the schema that is kept of an empty one"
            assert made.current == ("dddd",)
            assert shared.execute(f'SELECT * FROM "{name.replace(chr(34), chr(34) * 2)}".seen') == [("it's 100% \\ é",)]
        shared.execute("INSERT INTO t1.line (of) VALUES (7)")
        assert shared.execute("SELECT id FROM t1.line ORDER BY id") == [(1,), (2,)]
        assert len(shared.execute("SELECT 1 FROM pg_constraint WHERE conrelid = 't1.line'::regclass")) == 2
        assert ran.read_text() == "x"
        with pytest.raises(DatabaseExistsError, match="schema t1 exists already"):
            create_target(settings, "t1")
        assert statuses(fleet) == {"at head": 2}
        shared.execute("ALTER TABLE t1.aaaa ADD COLUMN extra INTEGER")
    finally:
        forget(shared, settings)


def test_a_schema_that_a_migration_names_is_made_by_the_migrations(fleet: Fleet, shared: Database) -> None:
    schema = "op.get_bind().exec_driver_sql('SELECT current_schema()').scalar()"
    body = f'op.execute("COMMENT ON TABLE aaaa IS \'" + {schema} + "\'")'
    fleet.history.add("dddd", "cccc", upgrade=body)
    settings = load_settings(fleet.path, {})
    try:
        made = create_target(settings, "t1")
        assert made.message.startswith(
            "by 4 migrations: nothing is kept to make it of: a function, or a text, of a migr"
        )
        assert shared.execute("SELECT obj_description('t1.aaaa'::regclass)") == [("t1",)]
    finally:
        forget(shared, settings)


def forget(shared: Database, settings: Settings) -> None:
    kept = Target(f"{shared.url}_schemas", settings.target.project)
    database_of(kept).forget_state(kept)


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_new_database_is_made_of_the_one_that_is_kept(
    fleet: Fleet, make_database: MakeDatabase, dialect: str
) -> None:
    """Where the fleet names no template: the history runs once for all, with the rows that it writes."""
    ran = fleet.path / "ran"
    fleet.history.add(
        "dddd",
        "cccc",
        upgrade='op.execute("INSERT INTO aaaa VALUES (7)")\n'
        f"    with open({str(ran)!r}, 'a') as file:\n        file.write('x')",
    )
    first, second = databases = [make_database(dialect) for _ in range(2)]
    fleet.configure(f"targets: [{first.name}, {second.name}]", f'url: "{first.url.replace(first.name, "{name}")}"')
    settings = load_settings(fleet.path, {})
    try:
        for database in databases:
            made = create_target(settings, database.name)
            assert made.message == "from the schema that is kept of an empty database"
            assert (database.revision(), made.current) == (["dddd"], ("dddd",))
            assert {"aaaa", "bbbb", "cccc"} < database.tables()
            assert database.execute("SELECT * FROM aaaa") == [(7,)]
        assert ran.read_text() == "x"
    finally:
        database_of(settings.target).forget_state(settings.target)
        database_of(Target(first.url)).forget_state(hub(Target(first.url, settings.target.project), settings))


def test_a_history_that_reaches_beyond_its_database_is_run_for_each(fleet: Fleet, make_database: MakeDatabase) -> None:
    fleet.history.add("dddd", "cccc", upgrade='op.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1")')
    database = make_database("postgresql")
    fleet.configure(f"targets: [{database.name}]", f'url: "{database.url.replace(database.name, "{name}")}"')
    made = create_target(load_settings(fleet.path, {}), database.name)
    assert made.message.startswith("by 4 migrations: nothing is kept to make it of: ")
    assert "ALTER ROLE" in made.message
    assert database.revision() == ["dddd"]


def test_a_new_one_whose_migrations_fail_is_removed_again(
    fleet: Fleet, make_database: MakeDatabase, shared: Database
) -> None:
    """Where the history is run for each: the database, and the schema, are not left half-made."""
    beyond = 'op.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1")\n    raise ValueError("poisoned")'
    fleet.history.add("dddd", "cccc", upgrade=beyond)
    with pytest.raises(MigrationError, match="poisoned"):
        create_target(fleet.settings, "t_new")
    assert not shared.execute("SELECT 1 FROM pg_namespace WHERE nspname = 't_new'")
    database = make_database("postgresql")
    fleet.configure(f"targets: [{database.name}]", f'url: "{database.url.replace(database.name, "{name}")}"')
    with pytest.raises(MigrationError, match="poisoned"):
        create_target(load_settings(fleet.path, {}), database.name)
    assert not database.exists()


SEEN = "op.execute(\"INSERT INTO public.seen SELECT pg_backend_pid(), current_schema(), current_setting('work_mem')\")"


@pytest.mark.parametrize(
    ("body", "sessions"),
    [
        pytest.param(
            "op.execute(\"SET work_mem = '77MB'\")\n    op.execute('CREATE TEMPORARY TABLE mine (id INTEGER)')\n"
            "    op.execute('CREATE TABLE eeee (id INTEGER)')",
            1,
            id="what it has set is put back",
        ),
        pytest.param(
            "op.execute('RESET search_path')\n    op.execute('CREATE TABLE eeee (id INTEGER)')",
            1,
            id="RESET goes back to its own schema",
        ),
        pytest.param(
            "op.get_bind().connection.cursor().execute('SET search_path TO DEFAULT')\n"
            "    op.execute('CREATE TABLE eeee (id INTEGER)')",
            1,
            id="and so on a cursor of the driver",
        ),
        pytest.param("op.execute('RESET ALL; CREATE TABLE eeee (id INTEGER)')", 4, id="among other statements"),
        pytest.param(
            "try:\n        op.execute('RESET ALL; CREATE TABLE eeee (id INTEGER)')\n"
            "    except Exception:\n        pass",
            4,
            id="whose refusal it would not notice",
        ),
        pytest.param(
            "op.execute('SELECT public.back()')\n    op.execute('CREATE TABLE eeee (id INTEGER)')",
            4,
            id="in a function",
        ),
        pytest.param(
            "with op.get_context().autocommit_block():\n        op.execute('SELECT public.back()')\n"
            "        op.execute('CREATE TABLE eeee (id INTEGER)')",
            1,
            id="in a function that is committed at once",
        ),
    ],
)
def test_schemas_share_a_session_and_nothing_else(fleet: Fleet, shared: Database, body: str, sessions: int) -> None:
    names = [f"t{number}" for number in range(4)]
    for name in names:
        shared.execute(f"CREATE SCHEMA {name}")
    shared.execute("CREATE TABLE public.seen (pid INTEGER, schema TEXT, memory TEXT)")
    shared.execute(
        "CREATE FUNCTION public.back() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''RESET search_path''; END'"
    )
    fleet.history.add("dddd", "cccc", upgrade=f"{SEEN}\n    {body}")
    (fleet.path / "migrations/env.py").write_text("from framefox_tasks.env import run_migrations\n\nrun_migrations()\n")
    outcomes = list(upgrade_all(list_targets(fleet.settings), jobs=1))
    assert [(one.name, one.ended, one.message) for one in outcomes] == [(name, "done", "") for name in names]
    tables = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'eeee' ORDER BY 1"
    assert [schema for (schema,) in shared.execute(tables)] == names
    seen = shared.execute("SELECT pid, schema, memory FROM public.seen")
    assert sorted(schema for _, schema, _ in seen) == names
    assert {memory for *_, memory in seen} == {"4MB"}
    # The first has its own session in any case; the one that finds out that it needs one is rolled back.
    assert len({pid for pid, *_ in seen}) == sessions
