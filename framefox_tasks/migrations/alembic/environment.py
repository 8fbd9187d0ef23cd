"""The run of a project's env.py, in whatever form it is written."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from framefox_tasks.databases import database_of
from framefox_tasks.databases.engines import migration_engine
from framefox_tasks.databases.listening import Event, Listeners
from framefox_tasks.errors import ConfigError, EntityError, FramefoxTasksError, MigrationError
from framefox_tasks.migrations.alembic.caught_warnings import caught_warnings
from framefox_tasks.migrations.alembic.compare import help_compare_defaults, ignore_warnings
from framefox_tasks.migrations.alembic.config import is_async
from framefox_tasks.migrations.alembic.failures import describe, failure_in, raised_here
from framefox_tasks.migrations.alembic.flask import application_context
from framefox_tasks.migrations.alembic.keys_and_indexes import help_compare_keys
from framefox_tasks.migrations.alembic.options import complete_options
from framefox_tasks.migrations.alembic.ownership import KNOWN, declared_metadata
from framefox_tasks.migrations.alembic.rebuild import rebuilding
from framefox_tasks.migrations.alembic.transactions import Transactions
from framefox_tasks.migrations.locked import PROCESS
from framefox_tasks.model import Target
from framefox_tasks.schema.imports import watching
from framefox_tasks.url import SCHEMES

_LOG = logging.getLogger("alembic.runtime.migration")
Work = Callable[[Any, MigrationContext], Any]


def run_environment(
    target: Target,
    config: Config,
    scripts: ScriptDirectory,
    work: Work,
    *,
    metadata: Sequence[MetaData] = (),
    transactions: Transactions | None = None,
    told: list[str] | None = None,
    **options: Any,
) -> None:
    """Run env.py as Alembic's commands do.

    Args:
        target: The database that env.py must connect to.
        config: See make_config.
        scripts: The history of migrations.
        work: Gets the current revisions and the migration context, gives the steps to run.
        metadata: The target metadata, for an env.py that passes none.
        transactions: Those of work that changes the database.
        told: Gets the warnings of Python.
        options: More of EnvironmentContext's, such as as_sql.

    Raises:
        ConfigError: env.py connects to another database than the target.
        FramefoxTasksError: The connection fails, or env.py does.
    """
    environment = EnvironmentContext(config, scripts, fn=work, **options)
    if config.cmd_opts:
        # Many an env.py looks here for whether this is a comparison: neither a migration nor SQL.
        config.cmd_opts.autogenerate = not (transactions or options.get("as_sql"))
    configure = partial(_configure, environment, environment.configure, target, metadata, transactions)
    environment.configure = configure  # type: ignore[method-assign]
    with PROCESS, ExitStack() as stack:
        stack.enter_context(env_py_errors(target))
        stack.enter_context(database_of(target).connecting())
        stack.enter_context(warnings.catch_warnings())
        ignore_warnings()
        stack.enter_context(rebuilding())
        stack.enter_context(caught_warnings(target.project, told))
        stack.enter_context(_no_new_file(target))
        stack.enter_context(application_context(target))
        if transactions:
            guard = database_of(target).migration_guard(target, transactions.patience)
            transactions.adopt = stack.enter_context(guard)
        given = _AsyncAttributes if is_async(target.project) else _Attributes
        config.attributes = given(config.attributes, lambda: stack.enter_context(_connection(target)))
        stack.enter_context(environment)
        stack.enter_context(watching())
        scripts.run_env()


def _configure(
    environment: EnvironmentContext,
    original: Callable[..., None],
    target: Target,
    metadata: Sequence[MetaData],
    transactions: Transactions | None,
    *arguments: Any,
    **theirs: Any,
) -> None:
    names = ("connection", "url", "dialect_name", "dialect_opts")
    theirs.update(zip(names, arguments, strict=False))
    connection = theirs.get("connection")
    if isinstance(connection, Connection):
        _check_same_database(target, connection)
    options = complete_options(target, theirs, metadata=metadata, known=environment.config.attributes.get(KNOWN))
    if getattr(environment.config.cmd_opts, "autogenerate", False):
        _check_tables(options)
    try:
        original(**options)
    except KeyError as exc:
        if exc.args != (target.address.dialect,):
            raise
        raise ConfigError(
            f"Alembic does not know the database {exc}: no module that was imported has an implementation of it.",
            hint="It is a subclass of alembic.ddl.impl.DefaultImpl, and belongs beside the SQLAlchemy dialect.",
        ) from exc
    if options["compare_server_default"] is True:
        help_compare_defaults(environment.get_context())
    help_compare_keys(environment.get_context())
    used = environment.get_context().dialect.name
    if used not in SCHEMES or SCHEMES[used].dialect != target.address.dialect:
        raise _another_database(target, f"is for {used}")
    if transactions:
        transactions.watch(environment.get_context())


def _check_tables(options: Mapping[str, Any]) -> None:
    if not any(item.tables for item in declared_metadata(options)):
        raise EntityError(
            "env.py gives Alembic no table to compare with the database. Going on would drop every table.",
            hint="Set `entities:` or `metadata:` in config/orm.yaml, or target_metadata in env.py.",
        )


def _check_same_database(target: Target, connection: Connection) -> None:
    url = connection.engine.url
    connected = Target(url.render_as_string(hide_password=False), target.project)
    try:
        same = connected.identity == target.identity
    except ConfigError as exc:
        raise _another_database(target, f"connects to {url.render_as_string()}") from exc
    if not same:
        raise _another_database(target, f"connects to {connected.label}")


def _another_database(target: Target, what: str) -> ConfigError:
    return ConfigError(
        f"env.py {what}, the settings name {target.label}.",
        hint="Let env.py take its URL from config.get_main_option('sqlalchemy.url'), "
        "or set DATABASE_URL to the same database.",
    )


@contextmanager
def _no_new_file(target: Target) -> Iterator[None]:
    """SQLite creates a file on connecting: an env.py that names another database must leave none behind."""
    with _REFUSALS.joined(_Refusal(target)):
        yield


_REFUSALS = Listeners(lambda: (Event(Engine, "do_connect", "refuse"),))


class _Refusal:
    def __init__(self, target: Target) -> None:
        self._target = target

    def refuse(self, dialect: Any, record: Any, arguments: Sequence[Any], keywords: Any) -> None:  # noqa: ARG002 - SQLAlchemy's
        target = self._target
        file = str(arguments[0]) if arguments and dialect.name in SCHEMES and SCHEMES[dialect.name].is_file else ""
        if file in ("", ":memory:") or file.startswith("file:") or Path(file).exists():
            return
        if Path(file).resolve() == target.file:
            raise database_of(target).missing(target)
        raise _another_database(target, f"connects to {target.project.shown(file)}")


class _Attributes(dict[str, Any]):
    """Config.attributes that opens a connection only for an env.py that asks for one."""

    def __init__(self, given: dict[str, Any], connect: Callable[[], Connection]) -> None:
        super().__init__({name: value for name, value in given.items() if name != "connection"})  # an earlier run's
        self._connect = connect

    def __missing__(self, key: str) -> Connection:
        if key != "connection":
            raise KeyError(key)
        self[key] = self._connect()
        connection: Connection = self[key]
        return connection

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self or key == "connection" else default


class _AsyncAttributes(_Attributes):
    """Those of an env.py that can do without a connection, and could not await anything of this one."""

    def get(self, key: str, default: Any = None) -> Any:
        return dict.get(self, key, default)


@contextmanager
def _connection(target: Target) -> Iterator[Connection]:
    with migration_engine(target, database_of(target)).connect() as connection:
        # The older form of Alembic's own recipe calls connect() on the connection.
        connection.connect = lambda: nullcontext(connection)  # type: ignore[attr-defined]
        yield connection
        # An env.py that has run a statement before it passes the connection on leaves the commit to its opener.
        if connection.in_transaction():
            connection.commit()


@contextmanager
def env_py_errors(target: Target) -> Iterator[None]:
    """A context in which what env.py raises becomes one of our errors, with the line."""
    project = target.project
    try:
        yield
    except FramefoxTasksError:
        raise
    except CommandError as exc:
        raise MigrationError(str(exc), hint="See where the database stands: doit database_status") from exc
    except DBAPIError as exc:
        if is_connection_failure(exc):
            raise connection_failure(exc, target) from exc
        raise MigrationError(f"The database {target.label} refused a statement. {describe(exc)}") from exc
    except (Exception, SystemExit) as exc:
        folders = [project.migrations_folder, *project.versions, project.root]
        if raised_here(exc, folders):
            raise
        place = failure_in(exc, project, folders)
        if place is None:
            raise
        raise MigrationError(f"env.py failed. {place}", hint="Correct it and run the command again.") from exc


def is_connection_failure(exc: DBAPIError) -> bool:
    """Whether there is no connection, or none any more."""
    return exc.connection_invalidated or not exc.statement


def connection_failure(exc: DBAPIError, target: Target) -> Exception:
    """The error of a connection that fails, as one of ours."""
    dialect = database_of(target)
    try:
        dialect.revision(target)  # raises if the database does not exist, which not every driver's error says
    except FramefoxTasksError as clearer:
        return clearer
    assert exc.orig is not None  # noqa: S101 - the driver's error
    return dialect.translate(exc.orig, target)
