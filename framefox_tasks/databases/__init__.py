"""Everything that knows a database by its name: a folder for each, all with the same rooms.

A new one is one folder and one line here; one of another package is an entry point of the group
`framefox_tasks.databases`, whose name is the scheme of its URLs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from framefox_tasks.url import ENTRY_POINTS, SCHEMES

if TYPE_CHECKING:
    from framefox_tasks.databases.verbs import Database
    from framefox_tasks.model import Target

_REGISTRY = {
    "postgresql": "framefox_tasks.databases.postgresql:PostgreSQL",
    "mysql": "framefox_tasks.databases.mysql:MySQL",
    "sqlite": "framefox_tasks.databases.sqlite:SQLite",
}
NAMES = tuple(_REGISTRY)
"""The databases that come with the package, by SQLAlchemy's names."""


def database_of(target: Target) -> Database:
    """The database that serves a target.

    Raises:
        ConfigError: The target's URL cannot be used.
    """
    return database_named(target.address.dialect)


@cache
def database_named(name: str) -> Database:
    """The database of a name, which may be another scheme of its URLs, as `mariadb`.

    Raises:
        KeyError: There is none.
    """
    dialect = SCHEMES[name].dialect
    if dialect in _REGISTRY:
        module, _, attribute = _REGISTRY[dialect].partition(":")
        database: Database = getattr(import_module(module), attribute)()
        return database
    from importlib.metadata import entry_points

    (found,) = entry_points(group=ENTRY_POINTS, name=dialect)
    return found.load()()  # type: ignore[no-any-return]  # what an entry point of this group is, its package promises


__all__ = ["NAMES", "database_named", "database_of"]
