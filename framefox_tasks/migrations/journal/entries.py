"""What stands in a journal: its head, and an entry for each statement."""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from framefox_tasks.databases.journal import digest

_FORMAT = 1
_SHOWN = 2000
HEAD, UNSAFE, ABOUT, DONE = "migration", "unsafe", "about", "done"


@dataclass(frozen=True)
class Head:
    """The migration that runs.

    Attributes:
        revision: Its revision.
        description: The first line of its docstring.
        upgrades: Whether it is applied, and not reverted.
        before: What the version table holds while it runs.
        after: What it will hold.
        since: When it began, in UTC.
        by: Who runs it, and where.
    """

    revision: str
    description: str
    upgrades: bool
    before: tuple[str, ...]
    after: tuple[str, ...]
    since: str
    by: str

    def to_json(self) -> str:
        """As it is written."""
        return json.dumps({"format": _FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Head:
        """As it was written."""
        data = json.loads(text)
        data.pop("format", None)
        return cls(**{**data, "before": tuple(data["before"]), "after": tuple(data["after"])})


def new_head(
    revision: str,
    description: str,
    before: Iterable[str],
    after: Iterable[str],
    *,
    since: datetime,
    upgrades: bool,
) -> Head:
    """The head of a journal of this process, which has begun the migration at a time in UTC."""
    time = since.strftime("%Y-%m-%d %H:%M:%S")
    by = f"{_user()}@{platform.node()}, process {os.getpid()}"
    return Head(revision, description, upgrades, tuple(sorted(before)), tuple(sorted(after)), time, by)


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


@dataclass(frozen=True)
class JournalEntry:
    """A statement of the migration.

    Attributes:
        number: Which one it is, from 1 on.
        state: ABOUT before it runs, where that commits by itself; DONE after it.
        statement: Its text, cut where it is long.
        digest: That of the whole text and the parameters.
        reads: Whether it changes nothing.
        alone: Whether it commits by itself.
        settled: Whether a fingerprint tells if it was done.
        fingerprint: What it names, as that was before.
        result: What it gave, as values.encoded() has it.
    """

    number: int
    state: str
    statement: str
    digest: str
    reads: bool = False
    alone: bool = False
    settled: bool = False
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> tuple[int, str, str]:
        """As it is written."""
        data = {name: value for name, value in vars(self).items() if name not in ("number", "state") and value}
        return self.number, self.state, json.dumps(data)

    @classmethod
    def from_row(cls, number: int, state: str, text: str) -> JournalEntry:
        """As it was written."""
        return cls(number, state, **json.loads(text))

    def done(self, result: Mapping[str, Any]) -> JournalEntry:
        """The same, when it has run."""
        # Not by replace(): it is done for each statement.
        return JournalEntry(
            self.number,
            DONE,
            self.statement,
            self.digest,
            self.reads,
            self.alone,
            self.settled,
            self.fingerprint,
            result,
        )

    @property
    def line(self) -> str:
        """The statement on one line, for a message."""
        text = " ".join(self.statement.split())
        return text if len(text) <= 120 else f"{text[:117]}..."


def entry_of(number: int, statement: str, parameters: Any, *, reads: bool, settled: bool) -> JournalEntry:
    """The entry of a statement that is about to run."""
    return JournalEntry(
        number, ABOUT, statement[:_SHOWN], digest(f"{statement}\0{parameters!r}"), reads, settled=settled
    )


@dataclass(frozen=True)
class Found:
    """A journal as it was found.

    Attributes:
        head: The migration.
        entries: Its statements, in order.
        unsafe: Why it cannot be gone on with; empty where it can.
    """

    head: Head
    entries: tuple[JournalEntry, ...]
    unsafe: str = ""

    @property
    def unsure(self) -> JournalEntry | None:
        """The statement of which it is not known whether it was done."""
        return self.entries[-1] if self.entries and self.entries[-1].state == ABOUT else None

    @property
    def done(self) -> tuple[JournalEntry, ...]:
        """The statements that are done, without those that change nothing."""
        return tuple(entry for entry in self.entries if entry.state == DONE and not entry.reads)


def found_in(rows: Iterable[tuple[int, str, str]]) -> Found | None:
    """The journal in the rows of its table; None where no statement stands in it."""
    head, entries, unsafe = None, [], ""
    for number, state, text in rows:
        if state == HEAD:
            head = Head.from_json(text)
        elif state == UNSAFE:
            unsafe = str(json.loads(text))
        else:
            entries.append(JournalEntry.from_row(number, state, text))
    if head is None or not entries:
        return None
    last = entries[-1]
    if not unsafe and last.state == ABOUT and not last.settled:
        unsafe = "nothing tells whether its last statement was done"
    return Found(head, tuple(entries), unsafe)
