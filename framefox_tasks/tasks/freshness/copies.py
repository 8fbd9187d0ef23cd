"""Named copies: whether the source has changed since the last copy, without reading it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from time import sleep, time_ns
from typing import Any

from framefox_tasks.databases import database_of
from framefox_tasks.migrations.up_to_date import migration_files
from framefox_tasks.model import NamedCopy, Target
from framefox_tasks.settings import configured
from framefox_tasks.tasks.freshness.history import applied, read_history
from framefox_tasks.tasks.freshness.state import at_recorded_heads, failure_text

Values = Mapping[str, Any]

_SETTLED = 50_000_000  # nanoseconds: after these, another write gives a file another time, on any usual file system
_PATIENCE = 10


def comparable(copy: NamedCopy) -> bool:
    """Whether a copy can be up to date: only from one file to another, whose state shows a change."""
    both = copy.source.address.is_file and copy.target().address.is_file
    return both and not copy.options.tables_from_entities


def source_state(source: Target) -> list[Any] | None:
    """The state of a SQLite database, by which a later run sees a change; None while others keep writing.

    It must be asked before the copy reads: what is written after this is then missed by the copy or seen later, but
    never both unseen and missed.
    """
    # The last to close a database in WAL mode moves what is in the WAL: better now than after the copy, which changes
    # nothing else.
    database_of(source).revision(source)
    for _ in range(_PATIENCE):
        state = database_of(source).change_marker(source)
        if state is None or not 0 <= time_ns() - max(int(state[1]), int(state[3])) < _SETTLED:
            return state
        sleep(_SETTLED / 1e9)
    return None


def copy_state(target: Target) -> list[Any] | None:
    """The state of a SQLite copy, by which a later run sees a change; None for another database."""
    return database_of(target).change_marker(target)


def copy_values(copy: NamedCopy, stamp: str, state: list[Any] | None) -> dict[str, Any]:
    """The values that a copy leaves to the next run; never a URL, which may hold a password.

    Args:
        copy: The copy.
        stamp: The time that it was made at.
        state: What source_state said before it.
    """
    values: dict[str, Any] = {"stamp": stamp}
    if state:
        values |= {"asked": _asked(copy), "source": state, "left": copy_state(copy.target(stamp))}
    return values


def _asked(copy: NamedCopy) -> str:
    asked = (copy.source.identity, copy.to, copy.options, copy.options.salt, copy.keep, copy.source.project)
    return sha256(repr(asked).encode()).hexdigest()


def copy_unchanged(name: str, values: Values, upgraded: Values) -> tuple[bool, str]:
    """Up to date when the source is as it was before the last copy, and that copy is there and unchanged.

    Args:
        name: The copy.
        values: What its last run left.
        upgraded: What the last upgrade of the copy left.
    """
    try:
        copy = configured().copies.named(name)
        if not comparable(copy) or "source" not in values:
            return False, ""
        if values.get("asked") != _asked(copy):
            return False, "its settings changed"
        target = copy.target(values["stamp"])
        if not database_of(target).exists(target):
            return False, f"{target.label} is gone"
        if database_of(copy.source).change_marker(copy.source) != values["source"]:
            return False, f"{copy.source.label} has changed"
        if copy_state(target) not in (values["left"], upgraded.get("left")):
            return False, f"{target.label} was changed"
    except Exception:  # noqa: BLE001 - the task runs into it, and reports it
        return False, ""
    return True, f"{copy.source.label} has not changed since {target.label}"


def copy_at_head(name: str, task: Any, values: Values, copied: Values) -> tuple[bool, str]:
    """Up to date when a copy is at the heads that its last upgrade found. See at_head.

    Args:
        name: The copy.
        task: doit's task that upgrades it.
        values: What the last run of that left.
        copied: What the last copy left.
    """
    try:
        return at_recorded_heads(task, values, configured().copies.named(name).target(copied.get("stamp", "")))
    except Exception as exc:  # noqa: BLE001 - the task runs into it
        return False, failure_text(exc)


def nothing_to_lose(task: Any, values: Values) -> tuple[bool, str]:  # noqa: ARG001 - as UptodateCheck calls it
    """Up to date when an upgrade has nothing to do, or nothing to lose: the database is missing or holds no tables."""
    try:
        target = configured().target
        dialect = database_of(target)
        if not dialect.exists(target) or not dialect.holds_tables(target):
            return True, f"{target.label} holds no tables"
        history = read_history(migration_files(target.project))
        at_head = set(history) <= applied(history, dialect.revision(target))
    except Exception as exc:  # noqa: BLE001 - the copy runs into it, or is made without need
        return False, failure_text(exc)
    return at_head, "no migration is pending" if at_head else ""
