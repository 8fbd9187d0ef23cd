"""The targets of a fleet: each with its database, or with what keeps it from having one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.fleet.listing import rows_of
from framefox_tasks.frozen import Frozen, field, replace
from framefox_tasks.model import Target
from framefox_tasks.settings import Settings
from framefox_tasks.settings.fleet import FleetSettings, Row
from framefox_tasks.url import as_sqlalchemy_reads

_SIGNS = "/\\"
# What is of the project alone does the same for all targets.
_OF_ONE = r"\bdoit (?=database_(?!history|create_migration|clear_migration|metadata|schema|diagram)[a-z])"


class FleetTarget(Frozen):
    """One of many databases.

    Attributes:
        name: What the list calls it.
        row: What else the list says of it; never shown, as a URL may be in it.
        target: Its database; None where none can be told.
        error: Why not.
        schema: Whether it is a schema of a database that it shares with others.
    """

    name: str
    row: Row = field(repr=False)
    target: Target | None = None
    error: FramefoxTasksError | None = None
    schema: bool = False

    @property
    def label(self) -> str:
        """What to call its database in a message."""
        if self.target is None:
            return ""
        if self.target.address.is_file:  # as Target.name has it; of thousands only the text is looked at
            return str(self.target.file).removeprefix(_prefix(str(self.target.project.root.absolute())))
        return f"schema {self.name} of {self.target.label}" if self.schema else self.target.label


@lru_cache(maxsize=8)
def _prefix(root: str) -> str:
    return str(Path(root).resolve()) + os.sep


def fleet_of(settings: Settings) -> FleetSettings:
    """The fleet of the settings.

    Raises:
        ConfigError: They have none.
    """
    if settings.fleet is None:
        raise ConfigError(
            "config/orm.yaml describes no fleet.",
            hint='Write as in\n  fleet:\n    targets: "tenants/*.db"',
        )
    return settings.fleet


def list_targets(settings: Settings) -> list[FleetTarget]:
    """The targets of the fleet of a project, in the order of its list.

    Raises:
        ConfigError: There is no fleet, or its list cannot be read, or is empty.
    """
    fleet = fleet_of(settings)
    return list(once(_target(row, settings, fleet) for row in rows_of(settings, fleet)))


def named_target(name: str, settings: Settings) -> FleetTarget:
    """The target of a name that the list need not have yet: by the list, else by the template of URLs.

    Raises:
        ConfigError: Neither says which database it is.
    """
    fleet = fleet_of(settings)
    try:
        row = next((row for row in rows_of(settings, fleet) if str(row.get("name")) == name), None)
    except ConfigError:  # as where the list is still empty
        row = None
    if row is None and not (fleet.options.url or fleet.options.schemas):
        raise ConfigError(
            f"The list of the fleet has no {name}, and no template says which database that would be.",
            hint="Put it into the list, or write `url:` of the fleet, as in sqlite:///tenants/{name}.db",
        )
    found = _target(row or {"name": name}, settings, fleet)
    if found.error:
        raise found.error
    return found


def _target(row: Row, settings: Settings, fleet: FleetSettings) -> FleetTarget:
    name = str(row.get("name") or "").strip()
    schema = bool(fleet.options.schemas)
    try:
        return FleetTarget(name, row, _database(name, row, settings, fleet), schema=schema)
    except FramefoxTasksError as exc:
        return FleetTarget(_printable(name) or "(no name)", row, error=exc, schema=schema)


def _printable(name: str) -> str:
    """A name without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in name)


def _database(name: str, row: Row, settings: Settings, fleet: FleetSettings) -> Target:
    if not name or not name.isprintable() or "," in name:
        raise ConfigError(f"{name!r} cannot be the name of a target.", hint="It needs one, without a comma in it.")
    given, options = str(row.get("url") or ""), fleet.options
    if not given and not options.url and not options.schemas:
        raise ConfigError(
            f"The list of the fleet gives no URL for {name}.",
            hint="Give it there, or write `url:` of the fleet, as in sqlite:///tenants/{name}.db",
        )
    if not given and any(sign in str(value) for value in row.values() for sign in _SIGNS):
        raise ConfigError(
            f"What the list says of {name} holds a slash, and would lead out of its place in the URL.",
            hint="Give its URL in the list.",
        )
    url = settings.target.url
    if given or options.url:
        url = as_sqlalchemy_reads(fleet.url_of(row, given)) if given else fleet.url_of(row, options.url)
    target = replace(settings.target, url=url)
    _ = target.address
    return database_of(target).in_schema(target, name) if options.schemas else target


def once(targets: Iterable[FleetTarget]) -> Iterator[FleetTarget]:
    """The targets, those with an error that are in the list twice or lead to the database of another."""
    names: set[str] = set()
    databases: dict[tuple[str, str], str] = {}
    for one in targets:
        where = _where(one, one.target) if one.target else None
        other = databases.setdefault(where, one.name) if where else one.name
        if one.name in names:
            yield _refused(one, f"{one.name} is in the list of the fleet twice.")
        elif other != one.name:
            yield _refused(one, f"{one.name} leads to the same database as {other}.")
        else:
            yield one
        names.add(one.name)


def _where(one: FleetTarget, target: Target) -> tuple[str, str]:
    """What is the same for the same database; of a file that has several names, for each of them."""
    if target.address.is_file:
        with suppress(OSError):
            found = target.file.stat()
            if found.st_nlink > 1:
                return f"{found.st_dev}:{found.st_ino}", ""
    return target.identity, target.project.version_table if one.schema else ""


def _refused(one: FleetTarget, message: str) -> FleetTarget:
    return replace(one, error=ConfigError(message, hint="Take one of the two out of the list."))


def aimed(hint: str, target: Target | None) -> str:
    """A hint whose commands are for one target: as they stand, they would be for the default database.

    Args:
        hint: The hint.
        target: The target; None where its URL is not to be told.
    """
    if "doit database_" not in hint:
        return hint
    return re.sub(_OF_ONE, lambda _: f"{at(target)}doit ", hint)


def at(target: Target | None) -> str:
    """What to type before a task of a single database to have it work on this target."""
    if target is None or target.address.password or target.address.query:
        return "with its URL as DATABASE_URL, "
    return f"DATABASE_URL={target.address} "


def chosen(targets: Sequence[FleetTarget], only: str) -> list[FleetTarget]:
    """The targets that a choice names, as `acme,b*`.

    Raises:
        ConfigError: A part of it matches none.
    """
    patterns = [pattern.strip() for pattern in only.split(",") if pattern.strip()]
    if not patterns:
        return list(targets)
    names = {one.name for one in targets}
    meant: set[str] = set()
    for pattern in patterns:
        # A name that stands in the list is that one, whatever its signs would match.
        found = {pattern} if pattern in names else {name for name in names if fnmatchcase(name, pattern)}
        meant |= found
        if not found:
            from difflib import get_close_matches

            near = get_close_matches(pattern, [one.name for one in targets], n=1)
            raise ConfigError(
                f"No target of the fleet is called {pattern}.",
                hint=f"Did you mean {near[0]}?" if near else "See them all with: doit fleet_status --verbose",
            )
    return [one for one in targets if one.name in meant]
