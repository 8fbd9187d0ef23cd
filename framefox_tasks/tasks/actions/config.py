"""The action of debug_config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from framefox_tasks import report
from framefox_tasks.commands import of_database
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.migrations.diagnosis import diagnose, packages
from framefox_tasks.results import Diagnosed
from framefox_tasks.settings import database_names, read_once
from framefox_tasks.settings.effective import EffectiveSettings, effective_settings
from framefox_tasks.tasks.state_file import STATE_FILE, is_writable


def show(settings: None, *, format: str) -> None:  # noqa: A002, ARG001 - the option's name; they may be wrong
    """debug_config."""
    found = effective_settings(Path.cwd())
    report.show_config(found.settings, _diagnosis(found), as_json=format == "json")


def _diagnosis(found: EffectiveSettings) -> tuple[Diagnosed, ...]:
    first, _, hint = found.error.partition("\n")
    told = Diagnosed("settings", not found.error, first or "can be used", hint)
    writable = is_writable(Path(STATE_FILE))
    where = "can be written" if writable else "cannot be written: what a run finds out is forgotten"
    state = Diagnosed("state", writable, f"{STATE_FILE} {where}", "" if writable else "Another place: --db-file=FILE")
    rest = diagnose(found.loaded.target) if found.loaded else tuple(packages())
    return (told, state, *rest, *(each for name in database_names() for each in _of_database(name)))


def _of_database(name: str) -> Iterator[Diagnosed]:
    """The diagnosis of one of several databases."""
    try:
        target = read_once(name).target
    except FramefoxTasksError as exc:
        yield Diagnosed(f"{name}: settings", False, exc.message, exc.hint or "")
        return
    of_all = {each.name for each in packages()}
    for each in diagnose(target):
        if each.name not in of_all:
            yield replace(each, name=f"{name}: {each.name}", hint=of_database(each.hint, name))
