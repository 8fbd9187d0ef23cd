"""Everything that knows a database by its name: a folder for each, all with the same rooms.

A new one is one folder and one line here; one of another package is an entry point of the group
`framefox_tasks.databases`, whose name is the scheme of its URLs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from framefox_tasks.url import SCHEMES, is_scheme

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
    if not is_scheme(name):
        raise KeyError(name)
    scheme = SCHEMES[name]
    module, _, attribute = _REGISTRY.get(scheme.dialect, "").partition(":")
    database: Database = (scheme.added or getattr(import_module(module), attribute))()
    return database


__all__ = ["NAMES", "database_named", "database_of"]
