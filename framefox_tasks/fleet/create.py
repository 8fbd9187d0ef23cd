"""Make a new target of a fleet, at the newest migration: a copy of a template, as the history need not be run again."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import other_database
from framefox_tasks.errors import ConfigError, DatabaseExistsError, FramefoxTasksError, ReplayError, ScratchError
from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.targets import fleet_of, named_target
from framefox_tasks.frozen import replace
from framefox_tasks.migrations.database import create
from framefox_tasks.migrations.upgrade import upgrade
from framefox_tasks.model import Target
from framefox_tasks.results import FleetOutcome
from framefox_tasks.schema.cache import CACHE, ignore_cache
from framefox_tasks.settings import Settings
from framefox_tasks.url import as_sqlalchemy_reads

_KEPT = "framefox_tasks_fleet"


def create_target(settings: Settings, name: str, *, lock_wait: float | None = None) -> FleetOutcome:
    """Make the database or the schema of a new target, at the newest migration.

    It is copied from the `template:` of the fleet, which is brought to the newest migration first. Where there is none,
    an empty database at the newest migration is kept: of files in the cache, of servers as for the databases of tests;
    for schemas one with such a schema. Where none can be made there the history is run. What was begun is removed
    where that fails.

    Args:
        settings: The settings of the project, with the fleet.
        name: What the list calls it, or will.
        lock_wait: As for upgrade.

    Raises:
        ConfigError: Nothing says which database it is.
        DatabaseExistsError: It is there already; it is left as it is.
        MigrationError: The history cannot be run.
    """
    start = time.perf_counter()
    one = named_target(name, settings)
    if one.target is None:
        raise ConfigError(f"{name} has no database.")
    how = _schema(one.target, settings, lock_wait) if one.schema else _database(one.target, settings, lock_wait)
    current = database_of(one.target).revision(one.target)
    return FleetOutcome(name, one.label, "done", current=current, seconds=time.perf_counter() - start, message=how)


def _schema(target: Target, settings: Settings, lock_wait: float | None) -> str:
    database = database_of(target)
    try:
        _schema_from_kept(target, settings)
    except (ScratchError, ReplayError) as exc:
        why = exc.message
    else:
        return "from the schema that is kept of an empty one"
    database.create_schema(target)
    try:
        done = upgrade(target, lock_wait=lock_wait)
    except BaseException:
        with suppress(FramefoxTasksError):
            database.drop_schema(target)
        raise
    return f"by {len(done.steps)} migrations: nothing is kept to make it of: {why}"


def _schema_from_kept(target: Target, settings: Settings) -> None:
    """Make a schema as the one at the newest migration is that a scratch database has, whose state is kept.

    Raises:
        DatabaseExistsError: It is there already.
        ScratchError: There is none, or it cannot be made of that.
        ReplayError: The history cannot be run there.
    """
    from framefox_tasks.migrations.alembic.replay import replay
    from framefox_tasks.migrations.history_digest import history_digest
    from framefox_tasks.migrations.upgrade import history_of

    if fleet_of(settings).options.url:
        raise ScratchError("`url:` of the fleet has a search_path of its own")
    database, shared = database_of(target), settings.target
    like = _unprotected(other_database(shared, f"{shared.name}_schemas", _scheme(shared)))
    live = database.in_schema(like, _KEPT)
    key = history_digest(live)
    with ExitStack() as stack:
        made = stack.enter_context(database.scratch(like, state=key))
        if not database.revision(database.in_schema(made, _KEPT)):
            database.equip(made, shared)
            one = database.in_schema(made, _KEPT)
            database.create_schema(one)
            replay(history_of(live), one)
            database.keep_state(like, made, key)
            if not database.exists(made):  # it is what is kept
                made = stack.enter_context(database.scratch(like, state=key))
        one = database.in_schema(made, _KEPT)
        if not database.revision(one):
            raise ScratchError(f"another run has just replaced what is kept on {target.server}")
        database.copy_to_schema(one, target)


def _database(target: Target, settings: Settings, lock_wait: float | None) -> str:
    database = database_of(target)
    if database.exists(target):
        raise DatabaseExistsError(
            f"The database {target.label} exists already; it is left as it is.",
            hint="Bring it to the newest migration with: doit fleet_upgrade",
        )
    template = _template(target, settings)
    if template is None:
        try:
            return _from_kept(target, settings)
        except (ScratchError, ReplayError) as exc:
            return _by_migrations(target, lock_wait, f"nothing is kept to make it of: {exc.message}")
    from framefox_tasks.copies import copy

    create(template, exist_ok=True, lock_wait=lock_wait)
    upgrade(template, lock_wait=lock_wait)
    copy(template, target)  # into its place when it is whole
    return f"from {template.label}"


def _from_kept(target: Target, settings: Settings) -> str:
    """Copy an empty database at the newest migration, which is made of the state that is kept.

    Raises:
        ScratchError: It cannot be made.
        ReplayError: The history cannot be run there.
    """
    from framefox_tasks.copies import copy
    from framefox_tasks.migrations.alembic.replay import replay
    from framefox_tasks.migrations.history_digest import history_digest
    from framefox_tasks.migrations.upgrade import history_of

    database, like = database_of(target), hub(target, settings)
    key = history_digest(like)
    with ExitStack() as stack:
        made = stack.enter_context(database.scratch(like, state=key))
        if not database.revision(made):
            replay(history_of(like), made)
            database.keep_state(like, made, key)
            if not database.exists(made):  # it is what is kept
                made = stack.enter_context(database.scratch(like, state=key))
        if not database.revision(made):
            raise ScratchError(f"another run has just replaced what is kept on {target.server}")
        copy(made, target)
    return "from the schema that is kept of an empty database"


def hub(target: Target, settings: Settings) -> Target:
    """The database by whose name the state is kept, one for all targets of a server: it need not be there."""
    address, default = target.address, settings.target.address
    name = default.database if default.dialect == address.dialect else _KEPT
    return _unprotected(other_database(target, name, _scheme(target)))


def _unprotected(target: Target) -> Target:
    """The same: it has no data, and a fleet makes its databases on the server of production."""
    return replace(target, protected=False)


def _scheme(target: Target) -> str:
    address = target.address
    return f"{address.backend}+{address.driver}" if address.driver else address.backend


def _by_migrations(target: Target, lock_wait: float | None, why: str) -> str:
    create(target, lock_wait=lock_wait)
    try:
        done = upgrade(target, lock_wait=lock_wait)
    except BaseException:
        with suppress(FramefoxTasksError):
            database_of(target).drop(target)
        raise
    return f"by {len(done.steps)} migrations: {why}"


def _template(target: Target, settings: Settings) -> Target | None:
    fleet = fleet_of(settings)
    if fleet.options.template:
        url = as_sqlalchemy_reads(fleet.url_of({}, fleet.options.template))
        return replace(settings.target, url=url, protected=False)
    if not target.address.is_file:
        return None
    project = target.project
    ignore_cache(project)
    path = project.path(f"{CACHE}/fleet/{outline_of(target).digest}.db")
    path.parent.mkdir(parents=True, exist_ok=True)
    return replace(target, url=f"{target.address.backend}:///{path}", protected=False)
