"""The groups of a fleet: which target is in which, and in which order they are changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from numbers import Real

from framefox_tasks.errors import ConfigError
from framefox_tasks.fleet.targets import FleetTarget
from framefox_tasks.model import FleetGroup

ALL = FleetGroup("all")
"""The one group of a fleet without groups."""


def grouped(targets: Sequence[FleetTarget], groups: Sequence[FleetGroup]) -> list[tuple[FleetGroup, list[FleetTarget]]]:
    """The groups in their order, each with its targets: each target is in the first that takes it.

    Args:
        targets: The whole fleet: what a group takes does not depend on what was chosen of it.
        groups: Those of the settings.

    Raises:
        ConfigError: The condition of a group cannot be evaluated.
    """
    left = list(targets)
    found = []
    for group in groups or (ALL,):
        meant = _meant(left, group) if group.where else left
        taken = meant[: group.take]
        names = set(map(id, taken))
        left = [one for one in left if id(one) not in names]
        found.append((group, taken))
    return found


def _meant(targets: Sequence[FleetTarget], group: FleetGroup) -> list[FleetTarget]:
    """Those that a condition is true for, by a table of what the list says of each."""
    columns = list(dict.fromkeys(str(name) for one in targets for name in one.row if name != "url")) or ["name"]
    names = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE target ({names})")
        marks = ", ".join("?" * len(columns))
        rows = ([_value(one.row.get(column)) for column in columns] for one in targets)
        connection.executemany(f"INSERT INTO target VALUES ({marks})", rows)  # noqa: S608 - question marks
        try:
            found = connection.execute(f"SELECT rowid FROM target WHERE {group.where}").fetchall()  # noqa: S608 - of the settings
        except sqlite3.Error as exc:
            raise ConfigError(
                f"The condition of the group {group.name} cannot be used: {exc}.",
                hint=f"It is SQL on what the list says of a target: {', '.join(columns)}.",
            ) from exc
    return [targets[number - 1] for (number,) in sorted(found)]


def _value(value: object) -> object:
    if value is None or isinstance(value, (str, bytes, int, float)):
        return value
    if isinstance(value, Real):
        return float(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def of_group(
    found: Sequence[tuple[FleetGroup, list[FleetTarget]]], name: str
) -> list[tuple[FleetGroup, list[FleetTarget]]]:
    """One group alone.

    Raises:
        ConfigError: There is none of this name.
    """
    if not any(group.name == name for group, _ in found):
        from difflib import get_close_matches

        names = [group.name for group, _ in found]
        near = get_close_matches(name, names, n=1)
        raise ConfigError(
            f"The fleet has no group {name}.",
            hint=f"Did you mean {near[0]}?" if near else f"It has {', '.join(names)}.",
        )
    return [(group, targets) for group, targets in found if group.name == name]
