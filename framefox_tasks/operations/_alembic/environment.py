"""Running a project's env.py, whatever it looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from framefox_tasks.dialects import dialect_of
from framefox_tasks.dialects.base import sqlalchemy_engine, sqlalchemy_url
from framefox_tasks.errors import ConfigError, FramefoxTasksError, MigrationError
from framefox_tasks.model import Target
from framefox_tasks.operations._alembic.config import TARGET
from framefox_tasks.operations._alembic.failures import describe, failure_in
from framefox_tasks.operations._alembic.options import completed

Work = Callable[[Any, MigrationContext], Any]


def run_environment(
    target: Target,
    config: Config,
    scripts: ScriptDirectory,
    work: Work,
    *,
    metadata: Sequence[MetaData] = (),
    migrates: bool = False,
    **options: Any,
) -> None:
    """Run env.py with the work to do, as Alembic's commands do.

    Args:
        target: The database that env.py must connect to.
        config: See make_config.
        scripts: The history of migrations.
        work: Gets the current revisions and the migration context, gives the steps to run.
        metadata: The target metadata, for an env.py that passes none.
        migrates: The work changes the database.
        options: More of EnvironmentContext's, such as as_sql.

    Raises:
        ConfigError: env.py connects to another database than the target.
        FramefoxTasksError: The connection fails, or env.py does.
    """
    environment = EnvironmentContext(config, scripts, fn=work, **options)
    original = environment.configure
    configure = partial(_configure, original, target, metadata)
    environment.configure = configure  # type: ignore[method-assign]
    with ExitStack() as stack:
        stack.enter_context(_translated(target))
        stack.enter_context(_application(target))
        if migrates:
            stack.enter_context(dialect_of(target).migration_guard(target))
        _offer_connection(config, target, stack)
        stack.enter_context(environment)
        scripts.run_env()


def _configure(
    original: Callable[..., None],
    target: Target,
    metadata: Sequence[MetaData],
    *arguments: Any,
    **theirs: Any,
) -> None:
    names = ("connection", "url", "dialect_name", "dialect_opts")
    theirs.update(zip(names, arguments, strict=False))
    connection = theirs.get("connection")
    if isinstance(connection, Connection):
        _check_same_database(target, connection)
    original(**completed(target, theirs, dialect=target.address.dialect, metadata=metadata))


def _check_same_database(target: Target, connection: Connection) -> None:
    connected = Target(connection.engine.url.render_as_string(hide_password=False), target.project)
    if connected.identity != target.identity:
        raise ConfigError(
            f"env.py connects to {connected.label}, the settings name {target.label}.",
            hint="Let env.py take its URL from config.get_main_option('sqlalchemy.url'), "
            "or set DATABASE_URL to the same database.",
        )


class _Attributes(dict[str, Any]):
    """Config.attributes that opens a connection only for an env.py that asks for one."""

    def __init__(self, given: dict[str, Any], connect: Callable[[], Connection]) -> None:
        super().__init__(given)
        self._connect = connect

    def __missing__(self, key: str) -> Connection:
        if key != "connection":
            raise KeyError(key)
        self[key] = self._connect()
        connection: Connection = self[key]
        return connection

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self or key == "connection" else default


def _offer_connection(config: Config, target: Target, stack: ExitStack) -> None:
    def connect() -> Connection:
        connection = stack.enter_context(sqlalchemy_engine(target, dialect_of(target)).connect())
        # The older form of Alembic's own recipe calls connect() on whatever it is handed.
        connection.connect = lambda: nullcontext(connection)  # type: ignore[attr-defined]
        return connection

    config.attributes = _Attributes(config.attributes, connect)


def _application(target: Target) -> AbstractContextManager[Any]:
    """The Flask application's context, for an env.py that needs it, as Flask-Migrate's does."""
    env_py = target.project.migrations_folder / "env.py"
    if "current_app" not in env_py.read_text(encoding="utf-8", errors="replace"):
        return nullcontext()
    from flask.cli import NoAppException, ScriptInfo

    try:
        context: AbstractContextManager[Any] = ScriptInfo().load_app().app_context()
    except NoAppException as exc:
        raise ConfigError(
            f"env.py needs the Flask application: {' '.join(str(exc).split())}",
            hint="Set FLASK_APP, for example FLASK_APP=package:create_app.",
        ) from exc
    return context


@contextmanager
def _translated(target: Target) -> Iterator[None]:
    project = target.project
    try:
        yield
    except FramefoxTasksError:
        raise
    except CommandError as exc:
        raise MigrationError(str(exc), hint="See where the database stands: doit database_status") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated or not exc.statement:
            raise dialect_of(target).translate(exc.orig, target) from exc
        raise MigrationError(f"The database {target.label} refused a statement. {describe(exc)}") from exc
    except (Exception, SystemExit) as exc:
        place = failure_in(exc, project, [project.migrations_folder, *project.versions, project.root])
        if place is None:
            raise
        raise MigrationError(f"env.py failed. {place}", hint="Correct it and run the command again.") from exc


def run_as_env(target: Target, metadata: Callable[[], Sequence[MetaData]]) -> None:
    """What our own env.py does: connect to the target, configure Alembic and run the migrations.

    Works below our operations, which complete the options themselves, and below the plain `alembic` command.
    """
    from alembic import context

    ours = TARGET in context.config.attributes
    dialect = dialect_of(target)
    found = () if ours else metadata()
    complete = partial(completed, target, dialect=target.address.dialect, metadata=found)
    if context.is_offline_mode():
        url = sqlalchemy_url(target, dialect)
        offline = {"url": url, "literal_binds": True, "dialect_opts": {"paramstyle": "named"}}
        context.configure(**(offline if ours else complete(offline)))
        with context.begin_transaction():
            context.run_migrations()
        return
    guard = nullcontext() if ours else dialect.migration_guard(target)
    with guard, sqlalchemy_engine(target, dialect).connect() as connection:
        online = {"connection": connection}
        context.configure(**(online if ours else complete(online)))
        with context.begin_transaction():
            context.run_migrations()
