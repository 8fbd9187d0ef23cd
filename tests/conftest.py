"""Fixtures: miniature projects and databases of a test's own; and what must be as before after a test."""

from __future__ import annotations

import gc
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings
from support import databases
from support.databases import (
    DEFAULT_SERVERS,
    DIALECTS,
    Database,
    MakeDatabase,
    drop_database,
    is_mariadb,
    require_server,
    server_url,
)
from support.programs import find_programs_themselves
from support.projects import MiniProject, copy_project
from support.servers import begin_run, end_run

# A run tries the examples of the run before, and none fails since the machine is busy: others with another profile.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# What waits for most of its time, for locks and for what was killed: one process runs it, while the others compute.
WAITING = (
    "tests/faults/",
    "tests/tasks/test_at_once.py",
    *(f"tests/copies/test_{name}.py" for name in ("lock_writes", "ranges_cluster", "safety_ending", "waiting")),
    *(f"tests/copies/test_{kind}_place.py" for kind in DIALECTS),
)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a server or for a process of their own."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, with what its processes inherit.

    A shell that starts pytest in the background has it ignore interrupts. And what one of these many processes has
    compiled need not be compiled by all others.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    find_programs_themselves()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    run = begin_run()
    if run is not None:
        config.add_cleanup(lambda: end_run(run))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the fixtures tell: tests that get a database of a server, a project to run commands in, a browser."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"make_database", "source", "target", "databases"}:
            values = getattr(item, "callspec", None) and repr(item.callspec.params)  # type: ignore[attr-defined]
            about = getattr(getattr(item, "module", None), "DIALECT", "")
            if any(f"'{server}" in f"{values} '{about}'" for server in DEFAULT_SERVERS):
                item.add_marker("server")
        if fixtures & {"shop", "project"}:
            item.add_marker("slow")
        if fixtures & {"browser", "installed"}:
            item.add_marker("browser")
    # Those that may take longest begin first, or one process would run them at the end while the others have ended.
    items.sort(key=lambda item: (item.get_closest_marker("timeout") is None, not item.location[0].startswith(WAITING)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what assumes MariaDB where the server is MySQL."""
    if item.get_closest_marker("mariadb"):
        require_server("mysql")
        if not is_mariadb():
            pytest.skip("this is of MariaDB, and the server is MySQL")


def pytest_collection_finish() -> None:
    """What is there now stays: the garbage collector need not look through it again, nor as often as it would."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_sessionfinish() -> None:
    """What is garbage is found now, and tells its warnings: pytest would look through all that is there five times."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    databases.unmarked = "" if item.get_closest_marker("server") else item.nodeid
    return (yield)


@pytest.fixture(autouse=True)
def imports(tmp_path: Path) -> Iterator[None]:
    """What a test imports of its own project is forgotten after it: the next project has modules of the same names."""
    modules, search_path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = search_path
    new = {name: sys.modules[name] for name in set(sys.modules) - modules}
    paths = {
        name: [getattr(module, "__file__", None), *getattr(module, "__path__", ())] for name, module in new.items()
    }
    for name, where in paths.items():
        if any(path and Path(path).is_relative_to(tmp_path) for path in where):
            del sys.modules[name]


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """A function that names a new database of a dialect; after the test it is dropped, with what is beside it."""
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
            drop_database(database.dialect, database.name)  # first, as it may refer to what is beside it
            for name in database.beside():
                drop_database(database.dialect, name)


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """A new database of each dialect in turn."""
    return make_database(request.param)


@pytest.fixture
def shop(tmp_path: Path) -> MiniProject:
    """A small shop without migrations; SQLite unless DATABASE_URL is put into its env."""
    return copy_project("shop", tmp_path)


@pytest.fixture
def project(shop: MiniProject, database: Database) -> MiniProject:
    """The small shop, on each dialect in turn."""
    shop.env["DATABASE_URL"] = database.url
    return shop
