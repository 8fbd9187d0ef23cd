"""The list of a fleet, from wherever the settings have it: what it says of each target."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from glob import iglob
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any

from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.model import Project, Target
from framefox_tasks.settings import Settings
from framefox_tasks.settings.fleet import FleetSettings, Row, is_file, is_function, is_query
from framefox_tasks.url import SCHEMES

_NAME = "name"
_URL = "url"


def rows_of(settings: Settings, fleet: FleetSettings) -> list[Row]:
    """What the list of the fleet says of each target: its `name`, its `url` where it gives one, and what else it has.

    Raises:
        ConfigError: The list cannot be read, or is empty.
    """
    options = fleet.options
    if options.schemas:
        found = _queried(settings.target, options.schemas, "fleet.schemas")
    elif isinstance(options.targets, tuple):
        found = [_row(item, "fleet.targets") for item in options.targets]
    elif is_function(options.targets):
        found = _called(options.targets, settings.target.project)
    elif is_query(options.targets):
        found = _queried(settings.target, options.targets, "fleet.targets")
    elif is_file(options.targets):
        found = _in_file(fleet, options.targets, settings.target.project.path(options.targets))
    else:
        found = _matched(options.targets, settings.target)
    if not found:
        raise ConfigError(
            "The list of the fleet names no database.",
            hint="See `targets:` of the fleet. A new database is made with: doit fleet_create --name=NAME",
        )
    return found


def _queried(target: Target, query: str, key: str) -> list[Row]:
    try:
        columns, rows = database_of(target).rows(target, query)
    except FramefoxTasksError as exc:
        raise ConfigError(
            f"{key}: the query cannot be run on {target.label}: {exc.message}",
            hint="Try the query there, and whether the database is reached: doit database_status",
        ) from exc
    names = [column.lower() for column in columns]
    if len(names) == 1:
        names = [_NAME]
    if _NAME not in names:
        raise ConfigError(
            f"{key}: the query gives no column `name`, but {', '.join(names) or 'nothing'}.",
            hint="Select it under that name: SELECT customer AS name ...",
        )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _row(item: object, key: str) -> Row:
    if isinstance(item, Mapping):
        row = {str(name).lower(): value for name, value in item.items()}
        return row if _NAME in row else {_NAME: _name_in(str(row.get(_URL) or "")), **row}
    if isinstance(item, Target):
        return {_NAME: item.address.database, _URL: item.url}
    if isinstance(item, tuple) and len(item) == 2:
        return {_NAME: item[0], _URL: item[1]}
    if not isinstance(item, str):
        raise ConfigError(
            f"{key} gives a {type(item).__name__}, which names no database.",
            hint="Give texts, mappings with `name`, or pairs of a name and a URL.",
        )
    return {_NAME: _name_in(item), _URL: item} if "://" in item else {_NAME: item}


def _name_in(url: str) -> str:
    """The name of a target of which a URL alone is known: that of the database, of a file without its suffix."""
    return PurePath(url.partition("?")[0].rstrip("/").rpartition("/")[2]).stem


def _called(name: str, project: Project) -> list[Row]:
    module, _, function = name.partition(":")
    for folder in (*project.import_paths, project.root):
        if (path := str(project.path(folder))) not in sys.path:
            sys.path.insert(0, path)
    try:
        given: Iterable[Any] = getattr(import_module(module), function)()
        return [_row(item, "fleet.targets") for item in given]
    except FramefoxTasksError:
        raise
    except Exception as exc:  # whatever the project's function raises; its text may hold a password
        raise ConfigError(
            f"fleet.targets: {name} cannot be called: {type(exc).__name__}.",
            hint=f'See why: python -c "from {module} import {function}; print(list({function}()))"',
        ) from exc


def _in_file(fleet: FleetSettings, shown: str, path: Path) -> list[Row]:
    if not shown.lower().endswith(".csv"):
        return [_row(item, shown) for item in fleet.listed_in(path)]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [str(name).strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows: list[Row] = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or "it is no CSV in UTF-8"
        raise ConfigError(f"{shown} cannot be read: {reason}", hint="See `targets:` of the fleet.") from None
    if not {_NAME, _URL} & set(names):
        raise ConfigError(
            f"{shown} has neither a column `name` nor `url`, but {', '.join(names) or 'nothing'}.",
            hint="Name its columns in the first line.",
        )
    return [_row({key: value for key, value in row.items() if value not in (None, "")}, shown) for row in rows]


def _matched(pattern: str, target: Target) -> list[Row]:
    """The files that a glob matches, each named by what of its path the pattern leaves open."""
    root = target.project.path("")
    parts = PurePath(pattern).parts
    fixed = PurePath(*parts[: next(index for index, part in enumerate(parts) if any(sign in part for sign in "*?["))])
    scheme = target.address.backend if target.address.is_file else next(n for n, s in SCHEMES.items() if s.is_file)
    files = sorted(path for path in iglob(str(root / pattern), recursive=True) if Path(path).is_file())  # noqa: PTH207 - hidden files stay out
    start = len(str(root / fixed)) + 1
    # Text, as there may be many thousands.
    return [{_NAME: _without_suffix(path[start:]), _URL: f"{scheme}:///{_quoted(path)}"} for path in files]


def _without_suffix(path: str) -> str:
    name, dot, suffix = path.rpartition(".")
    return name if dot and "/" not in suffix else path


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/:")
