"""What the tasks need, each part looked at for itself: what is wrong with one does not end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from sys import version_info

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import driver_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Project, Target
from framefox_tasks.results import Diagnosed

_PACKAGES = ("framefox-tasks", "sqlalchemy", "alembic", "doit", "sqlmodel", "framefox", "eralchemy2", "pygraphviz")
_MODULES = {"pysqlite": "", "mysqldb": "mysqlclient", "mysqlconnector": "mysql-connector-python"}
_ENV_KINDS = (
    ("framefox_tasks", "of framefox_tasks"),
    ("flask", "Flask-Migrate's"),
    ("from framefox", "Framefox's"),
    ("async_engine", "the project's own, asynchronous"),
)


def diagnose(target: Target) -> tuple[Diagnosed, ...]:
    """What of a database and its project is as the tasks need it. Nothing is changed.

    Args:
        target: The database; neither it nor its server need be there.
    """
    return (*_database(target), *_sources(target), *packages())


def packages() -> Iterator[Diagnosed]:
    """The versions of what is installed."""
    yield Diagnosed("python", None, ".".join(map(str, version_info[:3])))
    for name in _PACKAGES:
        if found := _version(name):
            yield Diagnosed(name, None, found)


def _version(package: str) -> str:
    try:
        return version(package) if package else ""
    except PackageNotFoundError:
        return ""


def _tried(name: str, find: Callable[[], Diagnosed]) -> Diagnosed:
    """What is found; of an error of ours its message, and of another one its class, as its text may hold a password."""
    try:
        return find()
    except FramefoxTasksError as exc:
        return Diagnosed(name, False, " ".join(exc.message.split()), exc.hint or "")
    except Exception as exc:  # noqa: BLE001 - whatever a driver or the project raises
        return Diagnosed(name, False, type(exc).__name__)


def _database(target: Target) -> Iterator[Diagnosed]:
    database = database_of(target)
    driver = _tried("driver", lambda: Diagnosed("driver", True, _driver(target)))
    yield driver
    if not driver.ok:
        return
    there: list[bool] = []

    def reached() -> Diagnosed:
        there.append(database.exists(target))
        return Diagnosed("server", True, f"{target.server} answers" if target.server else "none: it is a file")

    server = _tried("server", reached)
    yield server
    if not server.ok:
        return
    if not there[0]:
        create = "Create it with: doit database_create"
        yield Diagnosed("database", False, f"{target.label} does not exist", create)
    else:
        yield Diagnosed("database", True, f"{target.label} exists")
        yield _tried("version", lambda: Diagnosed("version", None, database.described(database.server_version(target))))
    yield _tried("rights", lambda: _rights(target))
    if there[0]:
        yield _tried("revision", lambda: Diagnosed("revision", None, ", ".join(database.revision(target)) or "none"))


def _driver(target: Target) -> str:
    driver = driver_of(target, database_of(target))
    package = _MODULES.get(driver, driver)
    return f"{driver} {_version(package)}".strip()


def _rights(target: Target) -> Diagnosed:
    found = database_of(target).rights(target)
    told = ", ".join(f"may {'' if may else 'not '}{what}" for what, may in found.items())
    lacking = [what for what, may in found.items() if not may]
    hint = f"Ask whoever keeps the database to let this user {' and '.join(lacking)}." if lacking else ""
    return Diagnosed("rights", not lacking, told or "not known", hint)


def _sources(target: Target) -> Iterator[Diagnosed]:
    project = target.project
    yield _tried("entities", lambda: _entities(target))
    yield _tried("migrations", lambda: _migrations(target))
    yield Diagnosed("env.py", (project.migrations_folder / "env.py").is_file(), _env_kind(project))


def _entities(target: Target) -> Diagnosed:
    from framefox_tasks.migrations.metadata import declared_schema

    tables = declared_schema(target).tables
    where = target.project.metadata or ", ".join(map(str, target.project.entities)) or "env.py"
    return Diagnosed("entities", bool(tables), f"{len(tables)} table{'s' * (len(tables) != 1)}, of {where}")


def _migrations(target: Target) -> Diagnosed:
    from framefox_tasks.migrations.alembic.history import History

    history = History(target)
    count, heads = len(history.revisions), ", ".join(history.heads)
    where = ", ".join(map(target.project.shown, target.project.versions))
    one = len(history.heads) < 2 or target.project.all_heads
    merge = "" if one else "Join them with: doit database_create_migration --merge"
    return Diagnosed("migrations", one, f"{count} in {where}, at head {heads or 'none'}", merge)


def _env_kind(project: Project) -> str:
    path = project.migrations_folder / "env.py"
    if not path.is_file():
        return f"{project.shown(path)} is missing"
    text = path.read_text(encoding="utf-8", errors="replace")
    return next((kind for mark, kind in _ENV_KINDS if mark in text), "the project's own")
