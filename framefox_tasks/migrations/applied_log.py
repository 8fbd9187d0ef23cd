"""The log of applied migrations, in a column of the version table: the checksum of each, and when it was applied.

Plain Alembic neither reads nor writes that column. What it deletes with a row is not known any more, and not told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from framefox_tasks.databases import database_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.migrations.checksum import checksum, differs
from framefox_tasks.migrations.checksum_cache import ChecksumCache
from framefox_tasks.model import Target
from framefox_tasks.results import Edited, Revision
from framefox_tasks.schema.cache import digest

_FORMAT = 1
SEED = "seed:"
"""What stands before the name of a file of seeds that was run: no revision begins so."""


@dataclass(frozen=True)
class Logged:
    """What is known of a migration that is applied.

    Attributes:
        checksum: That of its file when it was applied.
        bytes: A digest of the bytes of the file, which tells sooner that it is the same.
        time: When, in UTC.
    """

    checksum: str
    bytes: str
    time: str


Log = dict[str, Logged]
"""What is known of the migrations that are applied, by their revisions."""


def read(target: Target) -> Log:
    """The log of a database; empty where it keeps none."""
    journal = database_of(target).journal
    return _all(journal.log_texts(target) or () if journal else ())


def _all(texts: Iterable[str | None]) -> Log:
    log: Log = {}
    for text in texts:
        log |= _parsed(text)
    return log


def _parsed(text: str | None) -> Log:
    try:
        data = json.loads(text or "{}")
        if data.get("format") != _FORMAT:
            return {}
        return {revision: Logged(*known) for revision, known in data["applied"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # not of ours, or of a later version: it is not known


def written(log: Mapping[str, Logged]) -> str:
    """A log as it stands in the column, in ASCII characters."""
    applied = {revision: [known.checksum, known.bytes, known.time] for revision, known in log.items()}
    return json.dumps({"format": _FORMAT, "applied": applied}, separators=(",", ":"))


class Prepared(NamedTuple):
    """A log that is to be written.

    Attributes:
        log: What it holds.
        lacking: Whether the version table is there, and lacks the column for it.
        note: Why the version table gets none; empty where it does.
        notes: Whether a short journal may stand in the version table.
    """

    log: Log
    lacking: bool = False
    note: str = ""
    notes: bool = False


def prepare(target: Target, *, add: bool = True) -> Prepared:
    """The log of a database; with `add`, the column is added to a version table that is there without it."""
    journal = database_of(target).journal
    if journal is None:
        return Prepared({})
    try:
        found = journal.found_log(target, add=add)
    except FramefoxTasksError as exc:
        return Prepared({}, note=refused(exc.message))
    return Prepared(_all(found.texts), found.lacking, notes=found.notes)


def refused(reason: str) -> str:
    """What is said where the version table cannot hold the log."""
    return f"The checksums of migrations are not kept, so that it will not be told if one is edited: {reason}"


def logged(content: bytes, key: str, checksums: ChecksumCache) -> Logged | None:
    """What is to be known of a migration that is applied now, by its file and its digest; None if it is unreadable."""
    known = checksums.checksum(content, key)
    if known is None:
        return None
    return Logged(known, key, datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z")


def edited_in(log: Mapping[str, Logged], applied: Iterable[Revision]) -> tuple[Edited, ...]:
    """Those of the migrations that are applied whose files do something else now."""
    found = []
    for revision in applied:
        known = log.get(revision.revision)
        if known and _is_edited(known, revision):
            found.append(Edited(revision, known.time))
    return tuple(found)


def _is_edited(known: Logged, revision: Revision) -> bool:
    try:
        same = digest(revision.path.read_bytes()) == known.bytes
    except OSError:
        return False
    return not same and differs(known.checksum, checksum(revision.path))
