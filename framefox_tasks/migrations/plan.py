"""What an upgrade would do: its migrations, or the SQL of them."""

from __future__ import annotations

from framefox_tasks.databases import database_of
from framefox_tasks.errors import DatabaseNotFoundError
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Plan, Script


def plan(target: Target, *, revision: str = "head") -> Plan:
    """What an upgrade would run. A database that does not exist is taken as an empty one; nothing is changed.

    Raises:
        MigrationError: As for upgrade.
    """
    history = history_of(target)
    try:
        current = database_of(target).revision(target)
    except DatabaseNotFoundError:
        current = ()
    history.check_known(current)
    if revision == "head":
        history.check_single_head()
    return Plan(target, history.between(revision, current), history.heads)


def upgrade_sql(target: Target, *, revision: str = "head") -> Script:
    """The SQL that an upgrade of an empty database would send; no database is connected to.

    Args:
        target: Tells the dialect.
        revision: The revision to go to, or a range such as 1a2b3c:head to start from another than the first.

    Raises:
        MigrationError: The revision is not known, or a migration cannot do without a connection.
    """
    from framefox_tasks.migrations.alembic import run

    history = history_of(target)
    if revision.rpartition(":")[2] == "head":
        history.check_single_head()
    for part in filter(None, revision.split(":")):
        history.check_revision(part)
    sql, warnings = run.render_sql(history, revision)
    return Script(target, sql, history.heads, warnings)
