"""The groups of a fleet: which target is in which, and in which order they are changed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from numbers import Real

from framefox_tasks.errors import ConfigError
from framefox_tasks.fleet.targets import FleetTarget
from framefox_tasks.model import FleetGroup

_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?"
_GREATEST = 2**63  # of what SQLite takes for an integer
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
    rows = [[_value(one.row.get(column)) for column in columns] for one in targets]
    names = ", ".join(
        f'"{column.replace(chr(34), chr(34) * 2)}"{_affinity(column, values)}'
        for column, values in zip(columns, zip(*rows, strict=True), strict=False)
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE target ({names})")
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO target VALUES ({marks})", rows)  # noqa: S608 - question marks
        try:
            found = connection.execute(f"SELECT rowid FROM target WHERE {group.where}").fetchall()  # noqa: S608 - of the settings
        except sqlite3.Error as exc:
            raise ConfigError(
                f"The condition of the group {group.name} cannot be used: {exc}.",
                hint=f"It is SQL on what the list says of a target: {', '.join(columns)}.",
            ) from exc
    return [targets[number - 1] for (number,) in sorted(found)]


def _affinity(column: str, values: Sequence[object]) -> str:
    """What has SQLite compare a column as numbers, also where they are texts, as all that a CSV file holds."""
    numbers = all(isinstance(one, (int, float)) or one is None or re.fullmatch(_NUMBER, str(one)) for one in values)
    return " NUMERIC" if numbers and column != "name" else ""


def _value(value: object) -> object:
    if isinstance(value, (Real, Decimal)) and not (isinstance(value, int) and abs(value) < _GREATEST):
        return float(value)
    if value is None or isinstance(value, (str, bytes, int)):
        return value
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
