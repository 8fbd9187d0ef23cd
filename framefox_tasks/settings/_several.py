"""Several databases of one project: `databases:` of config/orm.yaml, and the sections of alembic.ini.

The default one is what the other settings say. Each of the others is an entry with its own URL, entities and history.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings import _alembic
from framefox_tasks.settings._schema import CONNECTION_KEYS, SHARED_KEYS, check_section, mapping

DEFAULT = "default"
"""What the default database is called among several."""
_KEYS = {
    "diagram",
    "entities",
    "exclude_entities",
    "heads",
    "ignore_tables",
    "include_object",
    "metadata",
    "migrations",
    "protected",
    "version_table",
}
_NAME = r"[A-Za-z][A-Za-z0-9_-]*"


def names(root: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The databases beside the default one: those of the settings, then those of alembic.ini.

    Raises:
        ConfigError: alembic.ini cannot be read, or `databases` is no mapping.
    """
    given = config.get("databases")
    return tuple(dict.fromkeys((*(given if isinstance(given, dict) else ()), *_alembic.databases(root))))


def check(config: Mapping[str, Any], shown: str) -> None:
    """Check the names of the databases, and the keys of each.

    Raises:
        ConfigError: Names what is wrong.
    """
    databases = mapping(config.get("databases"), "databases", shown)
    diagram = config.get("diagram")
    groups = diagram.get("groups") if isinstance(diagram, dict) else None
    for name in map(str, databases):
        if name == DEFAULT:
            raise ConfigError(
                f"{shown}: databases.{DEFAULT} is what `database:` is.",
                hint="Put it under `database:`, and its entities and migrations at the top level.",
            )
        # It becomes a part of the names of tasks and folders.
        if not re.fullmatch(_NAME, name) or name == "schema" or name.endswith("-live"):
            raise ConfigError(
                f"{shown}: databases: {name!r} cannot be the name of a database.",
                hint="Use letters, digits, - and _, and another name than schema.",
            )
        if isinstance(groups, dict) and name in groups:
            raise ConfigError(
                f"{shown}: {name} is a database, and a group of diagrams.", hint="Give one of them another name."
            )
        copies = config.get("copies")
        if isinstance(copies, dict) and name in copies:  # both would be the task database_copy:NAME
            raise ConfigError(f"{shown}: {name} is a database, and a copy.", hint="Give one of them another name.")
        check_section(databases, name, CONNECTION_KEYS | _KEYS, shown, below="databases.")


def of(name: str, config: Mapping[str, Any], known: tuple[str, ...], shown: str) -> dict[str, Any]:
    """The settings of one of several databases, as if it were the only one.

    Raises:
        ConfigError: There is none of this name.
    """
    if name not in known:
        raise ConfigError(
            f"There is no database {name!r} in {shown}.",
            hint=f"It names {', '.join(known)}." if known else "Name it under `databases:`.",
        )
    entry = mapping((config.get("databases") or {}).get(name), f"databases.{name}", shown)
    own = {key: value for key, value in entry.items() if key in _KEYS}
    shared = {key: value for key, value in config.items() if key in SHARED_KEYS}
    if config.get("backup") is not None:  # a copy that the settings name is of the default database
        copies = config.get("copies")
        named = isinstance(copies, dict) and str(config["backup"]) in copies
        shared["backup"] = "true" if named else config["backup"]
    diagram = {"folder": f"docs/database/{name}", **(own.pop("diagram", None) or {})}
    connection = {key: value for key, value in entry.items() if key in CONNECTION_KEYS}
    return {**shared, **own, "diagram": diagram, "database": connection}
