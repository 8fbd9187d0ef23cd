"""A history of migrations as text or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from framefox_tasks.report._status import COLOURS, closing, make_table, migration_data, status_data
from framefox_tasks.report._terminal import say
from framefox_tasks.results import HistoryEntry, MigrationHistory

_WIDTH = 80
_WRITTEN_BY_TEMPLATE = ("Revision ID:", "Revises:", "Create Date:", "Schema:")


def show_history(history: MigrationHistory, *, verbose: bool, as_json: bool) -> None:
    """Print a history as a table, or a paragraph for each migration, and a closing line; or as JSON."""
    if as_json:
        say(json.dumps(_data(history), indent=2, ensure_ascii=False))
        return
    lines = _paragraphs(history) if verbose else _table(history)
    for line in (*lines, *_closing(history)):
        say(line)


def _closing(history: MigrationHistory) -> Iterator[str]:
    if history.status.error:
        yield from wrap(f"The database cannot be asked: {history.status.error}", _WIDTH, break_long_words=False)
    else:
        yield from closing(history.status)


def _data(history: MigrationHistory) -> dict[str, Any]:
    """As the data of a status, with more on each migration."""
    migrations = [
        {
            **migration_data(history.status, entry.migration),
            "docstring": entry.docstring,
            "labels": list(entry.labels),
            "depends_on": list(entry.depends_on),
            "created": entry.created,
            "kept": entry.kept,
        }
        for entry in history.entries
    ]
    return {**status_data(history.status), "migrations": migrations}


def _state(entry: HistoryEntry) -> str:
    notes = [note for note, holds in (("head", entry.migration.is_head), ("no file", entry.kept)) if holds]
    return f"{entry.migration.state} ({', '.join(notes)})" if notes else entry.migration.state


def _table(history: MigrationHistory) -> Iterator[str]:
    from rich.console import Console
    from rich.text import Text

    if not history.entries:
        return
    labelled = any(entry.labels for entry in history.entries)
    names = ["Version", "Description", *(["Branch"] if labelled else []), "Status"]
    table = make_table("Migrations", *names, folded=("Description", "Branch"))
    for entry in history.entries:
        revision = entry.migration.revision
        cells = [Text(revision.revision), Text(revision.description)]
        cells += [Text(", ".join(entry.labels))] if labelled else []
        table.add_row(*cells, Text(_state(entry), COLOURS[entry.migration.state]))
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    with console.capture() as capture:
        console.print(table)
    yield from capture.get().splitlines()


def _paragraphs(history: MigrationHistory) -> Iterator[str]:
    for entry in history.entries:
        revision = entry.migration.revision
        yield from wrap(
            f"{revision.revision}  {revision.description}", _WIDTH, subsequent_indent="  ", break_long_words=False
        )
        for name, value in _facts(history, entry):
            # A path stays in one piece, so that it can be copied.
            yield from wrap(
                f"  {name:<11}{value}",
                _WIDTH,
                subsequent_indent=" " * 13,
                break_long_words=False,
                break_on_hyphens=False,
            )
        text = _text(entry.docstring)
        if text:
            yield ""
        for line in text:
            yield from wrap(line, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False) or [
                ""
            ]
        yield ""


def _facts(history: MigrationHistory, entry: HistoryEntry) -> Iterator[tuple[str, str]]:
    revision = entry.migration.revision
    yield "status", _state(entry)
    yield "file", history.status.target.project.shown(revision.path)
    yield "follows", ", ".join(revision.down_revisions) or "nothing"
    for name, values in (("depends on", entry.depends_on), ("branch", entry.labels)):
        if values:
            yield name, ", ".join(values)
    if entry.created:
        yield "written", entry.created


def _text(docstring: str) -> list[str]:
    """The docstring without its first line, which is the description, and without what the template writes."""
    lines = [line for line in docstring.splitlines()[1:] if not line.startswith(_WRITTEN_BY_TEMPLATE)]
    return "\n".join(lines).strip("\n").splitlines()
