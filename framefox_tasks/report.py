"""Results as text or JSON. The only module that prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from framefox_tasks.results import (
    Created,
    Downgraded,
    Drawn,
    Dropped,
    Forecast,
    MetadataCleared,
    MetadataWritten,
    MigrationCreated,
    MigrationsCleared,
    Plan,
    Revision,
    Status,
    Step,
    Upgraded,
)

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str) -> None:
    """Print a line, at once. A reader that has gone, as in `| head`, does not stop the work."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The advice of the signal module's documentation: later output, Python's own at exit too, goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """Print a warning on stderr."""
    print(f"Warning: {text}", file=sys.stderr, flush=True)


def ask(question: str) -> bool:
    """Ask a question on the terminal; True if the answer is yes. End of input and an interrupt are a no."""
    say(question)
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        say("")
        return False


def show(result: object) -> None:
    """Print the result of an operation."""
    for line in _lines(result):
        say(line)


@singledispatch
def _lines(result: object) -> list[str]:
    raise TypeError(f"There is no text for {type(result).__name__}")


@_lines.register
def _(result: Created) -> list[str]:
    if result.created:
        return [f"Database created successfully: {result.target.label}"]
    return [f"The database {result.target.label} exists already."]


@_lines.register
def _(result: Dropped) -> list[str]:
    if result.dropped:
        return [f"Database dropped successfully: {result.target.label}"]
    return [f"The database {result.target.label} does not exist: nothing to drop."]


@_lines.register
def _(result: Step) -> list[str]:
    return [f"  {_revision(result.revision)}  ({result.seconds:.2f} s)"]


@_lines.register
def _(result: Upgraded) -> list[str]:
    if not result.steps:
        return ["The database is already up to date, no migrations to apply."]
    return ["Migrations applied successfully.", "Undo the last one with: doit database_downgrade"]


@_lines.register
def _(result: Downgraded) -> list[str]:
    if not result.steps:
        return ["No migration to revert."]
    return [f"Successfully reverted {_count(result.steps)}.", "Apply again with: doit database_upgrade"]


@_lines.register
def _(result: Plan) -> list[str]:
    if not result.pending:
        return [f"The database {result.target.label} is up to date, no migrations to apply."]
    title = f"{_count(result.pending)} would be applied to {result.target.label}:"
    return [title, *(f"  {_revision(revision)}" for revision in result.pending)]


@_lines.register
def _(result: MigrationCreated) -> list[str]:
    if result.path is None:
        return [*_by_hand(result, "doit database_create_migration --empty")] or [
            "No changes detected since the last migration."
        ]
    shown = result.target.project.shown(result.path)
    lines = [f"Migration file '{shown}' created successfully."]
    lines += [f"  {operation}" for operation in result.operations]
    if result.destructive:
        lines.append(f"Check before you apply it, this loses data: {', '.join(result.destructive)}.")
    if result.unnamed:
        lines.append(f"No later migration can drop a constraint without a name: {', '.join(result.unnamed)}.")
        lines.append("Give the metadata a naming_convention, or name them.")
    lines += _by_hand(result, shown)
    return [*lines, "Apply it with: doit database_upgrade"]


def _by_hand(result: MigrationCreated, where: str) -> list[str]:
    if not result.by_hand:
        return []
    title = f"Alembic does not compare these, write them by hand with {where}:"
    return [title, *(f"  {item}" for item in result.by_hand)]


@_lines.register
def _(result: MigrationsCleared) -> list[str]:
    table = "Version table cleared." if result.version_table_cleared else "There is no version table to clear."
    return [
        table,
        f"{_count(result.removed)} deleted.",
        "The tables are still there. Begin anew, without their data, with:",
        "doit database_drop --yes database_create_migration database_upgrade",
    ]


@_lines.register
def _(result: MetadataWritten) -> list[str]:
    if not result.changed:
        return ["The schema has not changed."]
    return [f"Schema of {_number(result.tables, 'table')} written to {result.project.shown(result.path)}"]


@_lines.register
def _(result: Drawn) -> list[str]:
    lines = [f"  {result.project.shown(path)}" for path in result.written]
    if not lines:
        return [f"{_number(result.tables, 'table')} drawn, every file is as it was."]
    return [f"{_number(result.tables, 'table')} drawn:", *lines]


@_lines.register
def _(result: MetadataCleared) -> list[str]:
    if not result.removed:
        return ["Nothing is cached."]
    return ["Metadata cache cleared:", *(f"  {result.project.shown(path)}" for path in result.removed)]


def _revision(revision: Revision) -> str:
    return f"{revision.revision}  {revision.description}".rstrip()


def _count(items: Any) -> str:
    return _number(len(items), "migration")


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def show_status(status: Status, forecasts: Sequence[Forecast] = (), *, as_json: bool) -> None:
    """Print a status as tables and a closing line, or as JSON."""
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
    for line in (*capture.get().splitlines(), *_closing(status)):
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
        "pending": status.pending,
        "up_to_date": status.up_to_date,
        "migrations": [
            {
                "revision": item.revision.revision,
                "description": item.revision.description,
                "file": target.project.shown(item.revision.path),
                "down_revisions": list(item.revision.down_revisions),
                "status": item.state,
                "is_head": item.is_head,
            }
            for item in status.migrations
        ],
    }


def _print_database(console: Console, status: Status) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Database", title_justify="left", title_style="bold")
    for column in ("Component", "Status", "Details"):
        table.add_column(column, overflow="fold")
    state = {True: "Exists", False: "Does not exist", None: "Unknown"}[status.exists]
    table.add_row("Database", state, Text(status.target.name))
    if status.error:
        table.add_row("Connection", "Failed", Text(status.error))
    elif status.exists:
        table.add_row("Connection", "Established", "OK")
    table.add_row("Type", _title(status), Text(_place(status)))
    console.print(table)


def _title(status: Status) -> str:
    version = status.server_version or ""
    dialect = status.target.address.dialect
    title = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}[dialect]
    if dialect == "mysql" and "MariaDB" in version:
        title, version = "MariaDB", version.partition("-")[0]
    return f"{title} {version}".rstrip()


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
    from rich.table import Table
    from rich.text import Text

    if not status.migrations:
        return
    table = Table(title="Migrations", title_justify="left", title_style="bold")
    table.add_column("Version", no_wrap=True)
    table.add_column("Description", overflow="fold")
    table.add_column("Status", no_wrap=True)
    several = len(status.heads) > 1
    colours = {"CURRENT": "green", "APPLIED": "", "PENDING": "yellow", "UNKNOWN": ""}
    for item in status.migrations:
        state = f"{item.state} (head)" if several and item.is_head else item.state
        table.add_row(Text(item.revision.revision), Text(item.revision.description), Text(state, colours[item.state]))
    console.print(table)


def _print_forecasts(console: Console, forecasts: Sequence[Forecast]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not forecasts:
        return
    table = Table(title="Tasks", title_justify="left", title_style="bold")
    table.add_column("Task", no_wrap=True)
    table.add_column("Next run", no_wrap=True)
    table.add_column("Why", overflow="fold")
    states = {True: ("up to date", ""), False: ("runs", "yellow"), None: ("depends", "")}
    for item in forecasts:
        table.add_row(Text(item.task), Text(*states[item.up_to_date]), Text(item.reason))
    console.print(table)


def _closing(status: Status) -> list[str]:
    if status.exists is False:
        return ["The database does not exist. Create it and apply all migrations with: doit database_upgrade"]
    if status.error:
        return ["The database cannot be asked."]
    if status.unknown:
        return [
            f"The database is at a revision that has no file: {', '.join(status.unknown)}.",
            "Restore the file, or switch to the branch that has it.",
        ]
    if len(status.heads) > 1:
        return [f"There are {len(status.heads)} heads. Join them with: doit database_create_migration --merge"]
    if status.pending:
        none = "No migrations applied, " if not status.current else ""
        return [f"{none}{status.pending} pending. Apply with: doit database_upgrade"]
    return [_all_well(status)]


def _all_well(status: Status) -> str:
    return "The database is up to date." if status.migrations else "There are no migrations yet."
