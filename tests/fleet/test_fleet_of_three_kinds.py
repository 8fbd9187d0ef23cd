"""A fleet of 200 databases of three kinds: groups, faults and resume, here and on a cluster with TLS."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing

import pytest
from support.clusters import make_certificate, running_cluster
from support.databases import Database, MakeDatabase, connect_server, file_copy
from support.fleets import Fleet
from support.projects import MiniProject

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]
COUNTS = {"sqlite": 130, "postgresql": 40, "mysql": 30}
AT_BBBB = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('bbbb')",
    "CREATE TABLE aaaa (id INTEGER NOT NULL PRIMARY KEY)",
    "CREATE TABLE bbbb (id INTEGER NOT NULL PRIMARY KEY)",
)
POISONED = ("sqlite_007", "postgresql_007", "mysql_007")
# Those of the names above have a table that no other has, and that the migration makes; the canary is others.
MADE_BY_HAND = "CREATE TABLE cccc (id INTEGER)"


class Mixed:
    """The fleet, with a row of its list for each database."""

    def __init__(self, fleet: Fleet, make_database: MakeDatabase) -> None:
        self.fleet = fleet
        self.names = [f"{dialect}_{number:03}" for dialect, count in COUNTS.items() for number in range(count)]
        self._bases = {dialect: make_database(dialect) for dialect in ("postgresql", "mysql")}
        fleet.tenants([name for name in self.names if name.startswith("sqlite")], at="bbbb")
        for dialect, base in self._bases.items():
            base.create()
            base.execute(*AT_BBBB)
            self._make_others(dialect, base)
        rows = [{"name": name, "url": self.url(name)} for name in self.names]
        (fleet.path / "tenants.yaml").write_text(json.dumps(rows), encoding="utf-8")
        fleet.configure(
            "targets: tenants.yaml",
            "groups: [{name: canary, take: 5, then: ask}, "
            "{name: servers, where: \"name NOT LIKE 'sqlite%'\"}, {name: rest}]",
            "jobs: 2",
            "per_server: 1",
            "stop_after: 0",
        )

    def _make_others(self, dialect: str, base: Database) -> None:
        with closing(connect_server(dialect, "postgres" if dialect == "postgresql" else base.name)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            for number in range(1, COUNTS[dialect]):
                name = f"{base.name}_{number:03}"
                if dialect == "postgresql":
                    cursor.execute(f"CREATE DATABASE {name} TEMPLATE {base.name}{file_copy()}")
                    continue
                cursor.execute(f"CREATE DATABASE {name}")
                cursor.execute(f"USE {name}")
                for statement in AT_BBBB:
                    cursor.execute(statement)
            if dialect == "mysql":
                connection.commit()

    def database(self, name: str) -> Database:
        dialect, _, number = name.partition("_")
        base = self._bases[dialect]
        suffix = "" if number == "000" else f"_{number}"
        return Database(dialect, base.url + suffix, base.name + suffix)

    def url(self, name: str) -> str:
        return f"sqlite:///tenants/{name}.db" if name.startswith("sqlite") else self.database(name).url

    def execute(self, name: str, statement: str) -> None:
        if name.startswith("sqlite"):
            self.fleet.history.rows(statement, f"tenants/{name}.db")
        else:
            self.database(name).execute(statement)

    def at(self, name: str) -> str:
        if name.startswith("sqlite"):
            return ", ".join(self.fleet.at(name))
        return ", ".join(row[0] for row in self.database(name).execute("SELECT version_num FROM alembic_version"))

    def counts(self) -> dict[str, int]:
        found = [self.at(name) for name in self.names]
        return {revision: found.count(revision) for revision in sorted(set(found))}


@pytest.fixture
def mixed(shop: MiniProject, make_database: MakeDatabase) -> tuple[Mixed, MiniProject]:
    shutil.rmtree(shop.path / "migrations")
    return Mixed(Fleet(shop.path), make_database), shop


def test_two_hundred_databases_of_three_kinds(mixed: tuple[Mixed, MiniProject]) -> None:
    fleet, shop = mixed
    # Without a terminal the question behind the canary is a no; then the next run goes on where that one stopped.
    said = shop.doit("fleet_upgrade")
    assert said.code == 2, said.all
    assert fleet.counts() == {"bbbb": 195, "cccc": 5}

    # The migration fails on one database of each kind: these are told, and the others go on.
    for name in POISONED:
        fleet.execute(name, MADE_BY_HAND)
    said = shop.doit("fleet_upgrade", "--yes", "--report=report.json")
    assert said.code == 1, said.all
    assert "200 targets: 192 done, 5 nothing to do, 3 failed" in said.out
    assert fleet.counts() == {"bbbb": 3, "cccc": 197}
    told = {one["name"]: one for one in json.loads((shop.path / "report.json").read_text())["targets"]}
    for name in POISONED:
        assert "The migration cccc (migration cccc) failed." in told[name]["message"]
        fleet.execute(name, "DROP TABLE cccc")
    # What MariaDB cannot roll back is journaled; where nothing was done of it, the next run goes on by itself.
    said = shop.doit("fleet_upgrade", "--yes", "--failed-first")
    assert said.code == 0, said.all
    assert "200 targets: 3 done, 197 nothing to do" in said.out
    assert fleet.counts() == {"cccc": 200}


def test_two_hundred_databases_of_three_kinds_on_a_cluster_with_tls(mixed: tuple[Mixed, MiniProject]) -> None:
    fleet, shop = mixed
    # One of each kind fails, and a worker dies in the migration of one of PostgreSQL.
    kill = (
        "import os, signal\n    name = op.get_bind().engine.url.database\n"
        f"    if name == '{fleet.database('postgresql_003').name}' and not os.path.exists('killed'):\n"
        "        open('killed', 'w').close()\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    op.create_table('cccc', sa.Column('id', sa.Integer))"
    )
    fleet.fleet.history.add("cccc", "bbbb", upgrade=kill)
    for name in POISONED:
        fleet.execute(name, MADE_BY_HAND)
    shop.env.update(make_certificate(shop.path))
    environment = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **shop.env}
    with running_cluster(shop.path, environment) as cluster:
        option = f"--cluster={cluster.address}"
        assert cluster.address.startswith("tls://127.0.0.1")
        said = shop.doit("fleet_upgrade", option)
        assert said.code == 2, said.all + cluster.log()
        assert fleet.counts() == {"bbbb": 195, "cccc": 5}
        said = shop.doit("fleet_upgrade", option, "--yes")
        assert said.code == 1, said.all + cluster.log()
        assert "200 targets: 191 done, 5 nothing to do, 4 failed" in said.out, said.all
        assert "postgresql_003: The worker was lost: KilledWorker" in said.out
        assert "Traceback" not in said.all
        assert fleet.counts() == {"bbbb": 4, "cccc": 196}

        # The next run, on the worker that is left, touches these four alone.
        for name in POISONED:
            fleet.execute(name, "DROP TABLE cccc")
        said = shop.doit("fleet_upgrade", option, "--yes", "--failed-first")
        assert said.code == 0, said.all + cluster.log()
        assert "200 targets: 4 done, 196 nothing to do" in said.out, said.all
    assert fleet.counts() == {"cccc": 200}
