"""Fixtures: miniature projects in a temporary folder, driven by `doit` in a process of its own, on real databases."""

from __future__ import annotations

import os
import pty
import select
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest

from framefox_tasks.url import redact

PROJECTS = Path(__file__).parent / "projects"
ROOT = Path(__file__).parent.parent
DIALECTS = ("sqlite", "postgresql", "mysql")
DEFAULT_SERVERS = {
    "postgresql": ("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432"),
    "mysql": ("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306"),
}


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a server or for a process of their own."""
    return (os.cpu_count() or 1) + 1


@dataclass(frozen=True)
class Run:
    """What a finished command said."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


_WRITES = count(1)


@dataclass
class MiniProject:
    """A project in a temporary folder."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def doit(self, *arguments: str, cwd: str = ".", stdin: str | None = None) -> Run:
        """Run doit, and give its exit code and output whatever they are."""
        return self.run(sys.executable, "-m", "doit", *arguments, cwd=cwd, stdin=stdin)

    def ok(self, *arguments: str) -> str:
        """Run doit, which must succeed without a word on stderr; give its stdout."""
        result = self.doit(*arguments)
        assert result.code == 0, result.all
        assert not result.err, result.err
        return result.out

    def fails(self, *arguments: str, code: int = 1) -> str:
        """Run doit, which must fail without a traceback; give its stderr."""
        result = self.doit(*arguments)
        assert result.code == code, result.all
        assert "Traceback" not in result.all, result.all
        return result.err

    def on_terminal(self, *arguments: str, answer: str) -> Run:
        """Run doit on a terminal of its own, and type the answer when it asks; everything shown is in `out`."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "doit", *arguments],
            cwd=self.path,
            env=self._environment(),
            preexec_fn=lambda: os.login_tty(follower),
        )
        os.close(follower)
        shown, asked = "", False
        while not shown.endswith(_CLOSED):
            if select.select([leader], [], [], 2)[0]:
                shown += _read(leader)
                if asked or "[y/N] " not in shown:
                    continue
            asked = "[y/N] " in shown
            if asked:  # again after two seconds: an interrupt that comes before the read is lost
                os.write(leader, answer.encode())
        os.close(leader)
        return Run(process.wait(timeout=60), shown.removesuffix(_CLOSED), "")

    def run(self, *command: str, cwd: str = ".", stdin: str | None = None) -> Run:
        result = subprocess.run(
            command,
            cwd=self.path / cwd,
            env=self._environment(),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Run(result.returncode, result.stdout, result.stderr)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR") if name in os.environ
        }
        # The commands of the environment that the tests run in, whether or not it is activated.
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        return {**kept, "COLUMNS": "80", **self.env}

    def write(self, path: str, text: str) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        # Python takes a module of the same size and second for unchanged; tests are faster than people.
        later = file.stat().st_mtime + next(_WRITES)
        os.utime(file, (later, later))
        return file

    def read(self, path: str) -> str:
        return (self.path / path).read_text(encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def versions(self) -> list[str]:
        """The names of the revision files, sorted."""
        return sorted(path.name for path in (self.path / "migrations/versions").glob("*.py"))

    def migration(self, revision: str, down: str | None, *, upgrade: str = "pass", downgrade: str = "pass") -> None:
        """Write a revision file by hand."""
        self.write(
            f"migrations/versions/{revision}_by_hand.py",
            f'"""migration {revision}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade() -> None:\n    {upgrade}\n\n\ndef downgrade() -> None:\n    {downgrade}\n",
        )


_CLOSED = "\0"


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode(errors="replace") or _CLOSED
    except OSError:  # how Linux tells that the other end is closed
        return _CLOSED


@dataclass(frozen=True)
class Database:
    """A database of a test's own, which need not exist yet."""

    dialect: str
    url: str
    name: str
    path: Path | None = None

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own, commit, and give the rows."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.close()

    def connect(self) -> Any:
        if self.path:
            return sqlite3.connect(f"{self.path.as_uri()}?mode=rw", uri=True)
        return connect_server(self.dialect, self.name)

    def exists(self) -> bool:
        if self.path:
            return self.path.exists()
        return self.name in server_databases(self.dialect)

    def tables(self) -> set[str]:
        if self.path:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        else:
            schema = "'public'" if self.dialect == "postgresql" else "DATABASE()"
            query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
        return {row[0] for row in self.execute(query)}

    def revision(self) -> list[str]:
        if "alembic_version" not in self.tables():
            return []
        return sorted(row[0] for row in self.execute("SELECT version_num FROM alembic_version"))


def server_url(dialect: str) -> str:
    variable, default = DEFAULT_SERVERS[dialect]
    return os.environ.get(variable) or default


def connect_server(dialect: str, database: str | None = None) -> Any:
    """A raw connection to a server, by way of the package's own URL parser."""
    from framefox_tasks.url import parse_url

    address = parse_url(server_url(dialect))
    if dialect == "postgresql":
        import psycopg

        return psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.username,
            password=address.password,
            dbname=database or "postgres",
            autocommit=True,
            connect_timeout=5,
        )
    import pymysql

    return pymysql.connect(
        host=address.host or "localhost",
        port=address.port or 3306,
        user=address.username,
        password=address.password or "",
        database=database,
        autocommit=True,
        connect_timeout=5,
    )


def server_databases(dialect: str) -> set[str]:
    query = "SELECT datname FROM pg_database" if dialect == "postgresql" else "SHOW DATABASES"
    connection = connect_server(dialect)
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}
    finally:
        connection.close()


def drop_database(dialect: str, name: str) -> None:
    connection = connect_server(dialect)
    try:
        if dialect == "postgresql":
            quoted = name.replace('"', '""')
            connection.cursor().execute(f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)')
        else:
            quoted = name.replace("`", "``")
            connection.cursor().execute(f"DROP DATABASE IF EXISTS `{quoted}`")
    finally:
        connection.close()


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where all that it needs is required to be there."""
    if os.environ.get("FRAMEFOX_TASKS_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def require_server(dialect: str) -> None:
    """Skip the test if the server does not answer, or fail it where servers are required."""
    try:
        connect_server(dialect).close()
    except Exception as exc:  # noqa: BLE001 - whatever the driver raises, it is told
        where = redact(server_url(dialect))
        reason = (
            f"no {dialect} server at {where} (set {DEFAULT_SERVERS[dialect][0]} to use another): {type(exc).__name__}"
        )
        missing(reason)


MakeDatabase = Callable[..., Database]


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """A function that names a new database of a dialect; it is dropped after the test."""
    made: list[Database] = []

    def make(dialect: str, name: str | None = None) -> Database:
        unique = f"{name or 'shop'}_{uuid.uuid4().hex[:10]}"
        if dialect == "sqlite":
            path = tmp_path / "project" / f"{unique}.db"
            database = Database(dialect, f"sqlite:///{quote(path.name)}", unique, path)
        else:
            require_server(dialect)
            database = Database(dialect, f"{server_url(dialect).rstrip('/')}/{quote(unique, safe='')}", unique)
        made.append(database)
        return database

    yield make
    for database in made:
        if database.path is None:
            drop_database(database.dialect, database.name)


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """A new database of each dialect in turn."""
    return make_database(request.param)


def copy_project(name: str, tmp_path: Path) -> MiniProject:
    """A miniature project of tests/projects, copied to a temporary folder."""
    path = tmp_path / "project"
    shutil.copytree(PROJECTS / name, path, dirs_exist_ok=True)
    return MiniProject(path)


@pytest.fixture
def shop(tmp_path: Path) -> MiniProject:
    """A small shop without migrations; SQLite unless DATABASE_URL is put into its env."""
    return copy_project("shop", tmp_path)


@pytest.fixture
def project(shop: MiniProject, database: Database) -> MiniProject:
    """The small shop, on each dialect in turn."""
    shop.env["DATABASE_URL"] = database.url
    return shop
