"""Settings: .env, the process environment and config/orm.yaml, read into a Target.

The database is DATABASE_URL if that is set, else `database.url`, else the detailed form (`driver`, `host`, ...).
Where none of these names it, Alembic's configuration does, and then the Flask application.
This package is the only reader of the process environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any

from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.frozen import Frozen, replace
from framefox_tasks.model import (
    LOCK_TIMEOUT_SECONDS,
    LOCK_WAIT_SECONDS,
    PATIENCE_SECONDS,
    DiagramOptions,
    Project,
    Target,
)
from framefox_tasks.settings import _alembic, _several, _sources
from framefox_tasks.settings._copies import (
    URL_VARIABLE as URL_VARIABLE,
    Chain as Chain,
    Copies,
    count_of as count_of,
    positive as positive,
    readable,
)
from framefox_tasks.settings._database import database_url
from framefox_tasks.settings._diagram import diagram_options
from framefox_tasks.settings._entities import entity_paths
from framefox_tasks.settings._schema import (
    boolean,
    check_address,
    check_keys,
    check_options,
    check_scratch,
    seconds,
    seconds_in as seconds_in,
    text_of,
    texts_of,
)
from framefox_tasks.url import as_sqlalchemy_reads

if TYPE_CHECKING:
    from framefox_tasks.settings.fleet import FleetSettings

CONFIG_FILE = Path("config/orm.yaml")


class Settings(Frozen):
    """What is configured.

    Attributes:
        target: The database and its project.
        source: Where the database's URL was found: DATABASE_URL, or a key of config/orm.yaml.
        diagram: What is drawn of the schema, and how.
        copies: The named copies, and what every copy reads.
        environment: What APP_ENV or ENV says, in small letters; empty where neither is set.
        fleet: Many databases that are changed together; None where the settings name none.
        database: The name of the database among several; empty for the default one.
        databases: The names of those beside the default one.
    """

    target: Target
    source: str
    diagram: DiagramOptions
    copies: Copies
    environment: str = ""
    fleet: FleetSettings | None = None
    database: str = ""
    databases: tuple[str, ...] = ()


class _InUse(local):
    """The database that is the configured one, in each thread."""

    database = ""


_in_use = _InUse()


@contextmanager
def using(database: str) -> Iterator[None]:
    """A context in which one of several databases is the configured one; with an empty name the default one is."""
    before, _in_use.database = _in_use.database, database
    try:
        yield
    finally:
        _in_use.database = before


def in_use() -> str:
    """The name of the database that is the configured one; empty for the default one."""
    return _in_use.database


def configured() -> Settings:
    """The settings of the current folder and process environment, read once per process and database.

    Raises:
        ConfigError: See load_settings.
    """
    return read_once(in_use())


@cache
def read_once(database: str) -> Settings:
    """The settings of one of the databases.

    Raises:
        ConfigError: As for load_settings; or it shares a version table with one before it.
    """
    settings = load_settings(Path.cwd(), database=database)
    if database:
        _check_apart(settings)
    return settings


def _check_apart(settings: Settings) -> None:
    """Check that no other history is kept in the same version table: each would be at revisions of the other."""
    target, name = settings.target, settings.database
    for other in ("", *settings.databases[: settings.databases.index(name)]):
        try:
            found = read_once(other).target
        except FramefoxTasksError:
            continue  # whoever works with that one runs into it
        table = target.project.version_table
        shared = found.identity == target.identity and found.project.version_table == table
        if shared and found.project.versions != target.project.versions:
            raise ConfigError(
                f"{name} and {other or 'the default database'} are one database, {target.label}, and would keep their "
                f"revisions in one table, {table}.",
                hint=f"Write `version_table: {name}_version` under databases.{name} in config/orm.yaml.",
            )


@cache
def database_names() -> tuple[str, ...]:
    """The databases that are configured beside the default one; none where the settings cannot be read."""
    try:
        return read_once("").databases
    except FramefoxTasksError:
        pass  # that may be of the default one alone
    try:
        config = _sources.read_yaml(Path.cwd() / CONFIG_FILE, shown=str(CONFIG_FILE))
        _several.check(config, str(CONFIG_FILE))
        return _several.names(Path.cwd(), config)
    except FramefoxTasksError:
        return ()  # the tasks run into it, and report it


def load_settings(root: Path | str, environ: Mapping[str, str] | None = None, *, database: str = "") -> Settings:
    """Read the settings of the project in a folder.

    Args:
        root: The project's folder, which holds .env and config/orm.yaml.
        environ: Variables that win over .env; the process environment if not given.
        database: One of several databases by its name under `databases:`; the default one if empty.

    Raises:
        ConfigError: A file cannot be read, a key or a value is not known, a variable is not set, or no database is
            configured.
    """
    root = Path(root).absolute()
    environ = os.environ if environ is None else environ
    config = _sources.read_yaml(root / CONFIG_FILE, shown=str(CONFIG_FILE))
    variables = _sources.read_dotenv(root / ".env", environ, config)
    check_keys(config, str(CONFIG_FILE))
    _several.check(config, str(CONFIG_FILE))
    databases = _several.names(root, config)
    if database:
        config = _several.of(database, config, databases, str(CONFIG_FILE))
    options = config.get("database") or {}
    expand = _sources.Expander(variables, str(CONFIG_FILE))
    project = _project(root, config, expand, database)
    source, url = database_url(root, options, variables, expand, config=CONFIG_FILE, project=project, name=database)
    scratch = text_of("database.scratch_url", options.get("scratch_url"), expand)
    target = Target(
        url,
        project,
        check_options(options, expand),
        as_sqlalchemy_reads(scratch) if scratch else None,
        lock=config.get("lock") is None or boolean("lock", config["lock"], expand),
        **{
            key: seconds(key, config.get(key), expand, default)
            for key, default in (
                ("lock_wait", LOCK_WAIT_SECONDS),
                ("lock_timeout", LOCK_TIMEOUT_SECONDS),
                ("patience", PATIENCE_SECONDS),
            )
        },
        protected=boolean("protected", config.get("protected"), expand) or _is_production(variables),
    )
    check_address(target, source)
    check_scratch(target, f"database.scratch_url in {CONFIG_FILE}")
    return Settings(
        target,
        source,
        diagram_options(config, target.project, expand, str(CONFIG_FILE)),
        Copies(config, target, variables, expand, str(CONFIG_FILE)),
        next(filter(None, _environments(variables)), ""),
        _fleet_in(config, expand),
        database,
        databases,
    )


def _fleet_in(config: Mapping[str, Any], expand: _sources.Expander) -> FleetSettings | None:
    """The fleet; what reads it is imported only where there is one."""
    if config.get("fleet") is None:
        return None
    from framefox_tasks.settings.fleet import FleetSettings

    return FleetSettings(config, expand, str(CONFIG_FILE))


def load_project(root: Path | str, environ: Mapping[str, str] | None = None, *, database: str = "") -> Project:
    """Where the migrations and the entities of the project in a folder are, whether or not it has a database.

    Raises:
        ConfigError: As for load_settings, but not for want of a database.
    """
    root = Path(root).absolute()
    config = _sources.read_yaml(root / CONFIG_FILE, shown=str(CONFIG_FILE))
    variables = _sources.read_dotenv(root / ".env", os.environ if environ is None else environ, config)
    check_keys(config, str(CONFIG_FILE))
    _several.check(config, str(CONFIG_FILE))
    if database:
        config = _several.of(database, config, _several.names(root, config), str(CONFIG_FILE))
    return _project(root, config, _sources.Expander(variables, str(CONFIG_FILE)), database)


def all_projects(root: Path | str, environ: Mapping[str, str] | None = None) -> Mapping[str, Project]:
    """The project of each database in a folder by the name of the database; the default one has an empty name.

    Raises:
        ConfigError: See load_project.
    """
    root = Path(root).absolute()
    names = _several.names(root, _sources.read_yaml(root / CONFIG_FILE, shown=str(CONFIG_FILE)))
    return {name: load_project(root, environ, database=name) for name in ("", *names)}


def other_url_in_dotenv(root: Path | str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether .env and the environment name two databases: here the environment's counts, in Framefox .env's."""
    given = (os.environ if environ is None else environ).get("DATABASE_URL", "").strip()
    written = _sources.dotenv_value(Path(root) / ".env", "DATABASE_URL") if given else None
    return bool(written) and written != given


def _environments(variables: Mapping[str, str]) -> list[str]:
    return [variables.get(name, "").strip().lower() for name in ("APP_ENV", "ENV")]


def _is_production(variables: Mapping[str, str]) -> bool:
    return any(name in ("prod", "production") for name in _environments(variables))


def copy_chains() -> Mapping[str, Chain]:
    """The names of the configured copies, and what each is chained with.

    Of invalid settings, the names as far as they can be read: their tasks then report the error.
    """
    try:
        return configured().copies.chains
    except FramefoxTasksError:
        pass
    try:
        config = _sources.read_yaml(Path.cwd() / CONFIG_FILE, shown=str(CONFIG_FILE))
    except FramefoxTasksError:
        return {}
    return dict.fromkeys(readable(config), Chain())


def _project(root: Path, config: Mapping[str, Any], expand: _sources.Expander, database: str) -> Project:
    def names(key: str) -> tuple[str, ...]:
        return texts_of(key, config.get(key), expand)

    def name(key: str) -> str | None:
        return text_of(key, config.get(key), expand) or None

    migrations = name("migrations")
    engines = _alembic.databases(root) if database else {}
    section = database if engines.get(database) is False else _alembic.MAIN
    alembic = _alembic.read(root, migrations, section)
    if database and database not in engines:  # of Alembic's configuration it has where to import from
        alembic = replace(alembic, folder=f"migrations/{database}", versions=(), recursive=False)
    metadata = names("metadata")
    entities = entity_paths(root, names("entities"), alembic.import_paths)
    return Project(
        root=root,
        migrations=Path(migrations or alembic.folder or "migrations"),
        version_locations=alembic.versions,
        recursive_versions=alembic.recursive,
        import_paths=alembic.import_paths,
        entities=entities or (() if metadata or database else Project.entities),
        metadata=(metadata[0] if len(metadata) == 1 else metadata) or None,
        exclude_entities=names("exclude_entities"),
        ignore_tables=names("ignore_tables"),
        include_object=name("include_object"),
        version_table=name("version_table") or Project.version_table,
        all_heads=_all_heads(name("heads")),
        name=database,
        cache=Project.cache / "databases" / database if database else Project.cache,
        section=section,
        engine=database if engines.get(database) else "",
    )


def _all_heads(given: str | None) -> bool:
    if given not in (None, "one", "all"):
        raise ConfigError(
            f"heads must be one or all, not {given!r}.",
            hint="Write `heads: all` into config/orm.yaml where several branches of the history are meant to last.",
        )
    return given == "all"
