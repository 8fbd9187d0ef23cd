"""The databases, all with the same verbs. A new one is a file, what belongs to it, and one line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from framefox_tasks.dialects.base import Dialect
from framefox_tasks.model import Target

_REGISTRY = {
    "sqlite": "framefox_tasks.dialects.sqlite:SQLite",
    "postgresql": "framefox_tasks.dialects.postgresql:PostgreSQL",
    "mysql": "framefox_tasks.dialects.mysql:MySQL",
}


def dialect_of(target: Target) -> Dialect:
    """The dialect that serves a target.

    Raises:
        ConfigError: The target's URL cannot be used.
    """
    return _load(target.address.dialect)


@cache
def _load(name: str) -> Dialect:
    module, _, attribute = _REGISTRY[name].partition(":")
    dialect: Dialect = getattr(import_module(module), attribute)()
    return dialect


__all__ = ["Dialect", "dialect_of"]
