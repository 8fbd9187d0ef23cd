"""A status as tables or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any

from framefox_tasks.report._terminal import say
from framefox_tasks.report._text import each_left_alone, left_alone
from framefox_tasks.results import Drift, Forecast, Interruption, MigrationState, Status, Upgraded

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


COLOURS = {"CURRENT": "green", "APPLIED": "", "PENDING": "yellow", "UNKNOWN": ""}


def show_status(status: Status, forecasts: Sequence[Forecast] = (), *, as_json: bool, verbose: bool = False) -> None:
    """Print a status as tables and a closing line, or as JSON; verbose lists what is left alone."""
    if as_json:
        tasks = [{"task": item.task, "up_to_date": item.up_to_date, "reason": item.reason} for item in forecasts]
        say(json.dumps({**status_data(status), "tasks": tasks}, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    with console.capture() as capture:
        _print_database(console, status)
        _print_migrations(console, status)
        _print_forecasts(console, forecasts)
    others = left_alone(status.left_alone, certain=status.certain)
    others += each_left_alone(status.left_alone) if verbose and status.certain else []
    for line in (*capture.get().splitlines(), *others, *closing(status)):
        say(line)


def status_data(status: Status) -> dict[str, Any]:
    """A status as JSON data. Keys are added to this format, never changed or removed; `format` counts its versions."""
    target = status.target
    host, _, port = target.server.rpartition(":")
    return {
        "format": 1,
        "database": {
            "dialect": target.address.dialect,
            "name": target.name,
            "host": host or None,
            "port": int(port) if port.isdecimal() else None,
            "exists": status.exists,
            "error": status.error,
            "server_version": status.server_version,
            "size_bytes": status.size,
        },
        "current": list(status.current),
        "heads": list(status.heads),
        "unknown": list(status.unknown),
        "branches": list(status.whereabouts.branches) if status.whereabouts else [],
        "pending": status.pending,
        "up_to_date": status.up_to_date,
        "left_alone": list(status.left_alone),
        "left_alone_certain": status.certain,
        "edited": [one.revision.revision for one in status.edited],
        "interrupted": _interruption_data(status.interrupted),
        "drift": _drift_data(status.drift),
        "protected": status.protected,
        "elsewhere": status.elsewhere,
        "migrations": [migration_data(status, item) for item in status.migrations],
    }


def _drift_data(drift: Drift | None) -> dict[str, Any] | None:
    if drift is None:
        return None
    return {"error": drift.error, "found": [{"text": one.text, "undo": one.undo} for one in drift.found]}


def _interruption_data(found: Interruption | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "revision": found.revision,
        "description": found.description,
        "direction": "upgrade" if found.upgrades else "downgrade",
        "since": found.since,
        "by": found.by,
        "running": found.runs,
        "statements_done": found.done,
        "last_statement": found.last,
        "unsure_statement": found.unsure,
        "not_resumable": found.not_resumable,
    }


def migration_data(status: Status, item: MigrationState) -> dict[str, Any]:
    """A migration as JSON data; see status_data."""
    return {
        "revision": item.revision.revision,
        "description": item.revision.description,
        "file": status.target.project.shown(item.revision.path),
        "down_revisions": list(item.revision.down_revisions),
        "status": item.state,
        "is_head": item.is_head,
    }


def make_table(title: str, *columns: str, folded: Container[str]) -> Table:
    """A table whose columns are as wide as what stands in them, but for those that are folded."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column not in folded, overflow="fold" if column in folded else "ellipsis")
    return table


def _print_database(console: Console, status: Status) -> None:
    from rich.text import Text

    columns = ("Component", "Status", "Details")
    table = make_table("Database Status", *columns, folded=columns)
    state = {True: "Exists", False: "Does not exist", None: "Unknown"}[status.exists]
    table.add_row("Database", state, Text(status.target.name))
    if status.error:
        table.add_row("Connection", "Failed", Text(status.error))
    elif status.exists:
        table.add_row("Connection", "Established", "OK")
    table.add_row("Type", status.server, Text(_place(status)))
    if status.protected:
        table.add_row("Protection", "Protected", Text(status.protected))
    console.print(table)


def _place(status: Status) -> str:
    if status.target.server:
        return status.target.server
    return f"{status.target.name}, {_size(status.size)}" if status.size is not None else status.target.name


def _size(size: int) -> str:
    amount, units = float(size), ["bytes", "KB", "MB", "GB", "TB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


def _print_migrations(console: Console, status: Status) -> None:
    from rich.text import Text

    if not status.migrations:
        return
    table = make_table("Migration Status", "Version", "Description", "Status", folded=["Description"])
    several = len(status.heads) > 1
    for item in status.migrations:
        state = f"{item.state} (head)" if several and item.is_head else item.state
        table.add_row(Text(item.revision.revision), Text(item.revision.description), Text(state, COLOURS[item.state]))
    console.print(table)


def _print_forecasts(console: Console, forecasts: Sequence[Forecast]) -> None:
    from rich.text import Text

    if not forecasts:
        return
    table = make_table("Tasks", "Task", "Next run", "Why", folded=["Why"])
    states = {True: ("up to date", ""), False: ("runs", "yellow"), None: ("depends", "")}
    for item in forecasts:
        table.add_row(Text(item.task), Text(*states[item.up_to_date]), Text(item.reason))
    console.print(table)


def edited_lines(result: Status | Upgraded) -> list[str]:
    """The migrations that were edited after they had been applied."""
    lines = [
        f"The migration {one.revision.revision} was edited after it was applied on {one.time[:10]}: "
        f"{result.target.project.shown(one.revision.path)}"
        for one in result.edited
    ]
    accept = "What it does now was not done here. If that is as it should be: doit database_resolve --accept-edit"
    return [*lines, accept] if lines else []


def closing(status: Status) -> list[str]:
    """Where the database stands, and the next command."""
    return [*edited_lines(status), *_drift_lines(status.drift), *_standing(status)]


def _drift_lines(drift: Drift | None) -> list[str]:
    """What was changed by hand, and what undoes it."""
    if drift is None:
        return []
    at = ", ".join(drift.current)
    if drift.error:
        return [f"What was changed by hand is not known: {drift.error}"]
    if not drift.found:
        return [f"Nothing was changed by hand since {at}."] if at else []
    lines = [f"Changed by hand, against what the migrations make up to {at}:"]
    for one in drift.found:
        lines += [f"  {one.text}", f"    undo: {one.undo or 'not with one statement'}"]
    return lines


def _standing(status: Status) -> list[str]:
    if status.exists is False:
        return ["The database does not exist. Create it and apply all migrations with: doit database_upgrade"]
    if status.error:
        return ["The database cannot be asked."]
    if status.interrupted:
        return _interrupted(status.interrupted)
    if status.elsewhere:
        return status.elsewhere.splitlines()
    if status.unknown:
        return _away(status)
    if len(status.heads) > 1 and not status.lasting:
        return [f"There are {len(status.heads)} heads. Join them with: doit database_create_migration --merge"]
    if status.pending:
        none = "No migrations applied, " if not status.current else ""
        return [f"{none}{status.pending} pending. Apply with: doit database_upgrade"]
    return [_all_well(status)]


def _away(status: Status) -> list[str]:
    """The database is at a revision without a file."""
    lines = [f"The database is at a revision that has no file: {', '.join(status.unknown)}."]
    if status.whereabouts is None:
        return lines
    if status.whereabouts.branches:
        lines.append(f"It {status.whereabouts.sentence}")
    return [*lines, *status.whereabouts.advice.splitlines()]


def _interrupted(found: Interruption) -> list[str]:
    """A migration runs, or was interrupted; and the ways on."""
    if found.runs:
        return [f"{found.title} is running: {found.begun}.", *found.state.splitlines()]
    lines = [f"{found.title} was interrupted: {found.begun}.", *found.state.splitlines()]
    return [*lines, *found.ways.splitlines()]


def _all_well(status: Status) -> str:
    return "The database is up to date." if status.migrations else "There are no migrations yet."
