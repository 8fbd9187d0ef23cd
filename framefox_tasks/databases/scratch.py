"""Scratch databases: temporary ones of a target's kind, with a name of ours.

Its maker holds a lock of the server that is named like the database, from before it is made until it is dropped. A run
that is killed loses its lock, and the next run drops what it can lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from framefox_tasks.databases import reuse
from framefox_tasks.databases.drivers import other_database
from framefox_tasks.databases.facts import Fact
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.errors import FramefoxTasksError, ScratchError
from framefox_tasks.model import Target

PREFIX = "framefox_tasks_scratch_"
CACHE = ".framefox_tasks"
"""The folder of a project's cache, from its root."""
_COMMENTS = re.compile(r"/\*(?!!).*?\*/|--[^\n]*", re.DOTALL)
_LITERALS = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_BODY = re.compile(r"\s*(DO|CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE))\b", re.IGNORECASE)
_START = r"(?:\A|;|\bBEGIN|\bTHEN|\bELSE|\$\w*\$|')\s*"


class DriverWatch(Protocol):
    """What the drivers ask while a history is replayed. Both raise where it would leave the scratch database."""

    def connects(self, arguments: str) -> None:
        """Called with the arguments of a connection, as text."""

    def sends(self, statement: str) -> None:
        """Called with a statement."""


class ScratchServer(Protocol):
    """What a server knows of its scratch databases. The connections are raw ones, with autocommit."""

    def lock(self, connection: Any, name: str) -> bool:
        """Take the lock of a name; False where another has it."""

    def unlock(self, connection: Any, name: str) -> None:
        """Give it back."""

    def existing(self, connection: Any) -> list[str]:
        """The names of the scratch databases that this user may drop."""

    def make(self, connection: Any, name: str, live: Target, state: str) -> None:
        """Make a database with the character set and the collation of the live one, from a state if that is kept."""

    def drop(self, connection: Any, name: str) -> None:
        """Drop a database, if it is there."""


class Aside(Protocol):
    """What a scratch database holds beside what was set aside, on the connection that has done so."""

    def facts(self) -> list[Fact]:
        """All that its schema consists of."""

    def is_left(self) -> bool:
        """Whether it is set aside still: asked after the rollback, it means that something has committed."""


def new_name() -> str:
    """A name that no other scratch database has."""
    return f"{PREFIX}{uuid4().hex[:12]}"


@contextmanager
def server_scratch(verbs: ServerVerbs, server: ScratchServer, target: Target, state: str) -> Iterator[Target]:
    """An empty database on the target's server, or on that of its scratch_url.

    Raises:
        ScratchError: The server does not answer, the user may not make one, or the target is protected.
    """
    if not target.scratch_url and (target.protected or _is_marked(verbs, target)):
        by = "the settings" if target.protected else "a mark in it"
        raise ScratchError(
            f"no scratch database is made on the server of {target.label}, which is protected by {by}",
            hint="Name a server for scratch databases: database.scratch_url in config/orm.yaml.",
        )
    base = replace(target, url=target.scratch_url, scratch_url=None) if target.scratch_url else target
    name = new_name()
    with unavailable(base), ExitStack() as making:
        maintenance = verbs.maintenance(base)
        holder = making.enter_context(verbs.connection(base, maintenance))
        worker = making.enter_context(verbs.connection(base, maintenance))
        remove_leftovers(server, holder, worker)
        server.lock(holder, name)
        making.callback(server.drop, worker, name)
        server.make(worker, name, target, state)
        made = making.pop_all()
    address = base.address
    scheme = f"{address.backend}+{address.driver}" if address.driver else address.backend
    try:
        yield replace(other_database(base, name, scheme), scratch_url=None, echo=False)
    finally:
        reuse.close_idle(name)
        made.close()  # so that an error of a migration is not taken for one of these connections


def _is_marked(verbs: ServerVerbs, target: Target) -> bool:
    """Whether database_protect has left its mark in the target; one that is not there has none."""
    try:
        return verbs.exists(target) and verbs.is_marked(target)
    except FramefoxTasksError:
        return False  # it does not answer: then no scratch database is made either, or the message says why


@contextmanager
def unavailable(target: Target) -> Iterator[None]:
    """Whatever keeps a scratch database from being made, as a ScratchError."""
    try:
        yield
    except FramefoxTasksError as exc:
        where = target.server or target.name
        raise ScratchError(f"no scratch database can be made on {where}: {exc.message}", hint=exc.hint) from exc


def remove_leftovers(server: ScratchServer, holder: Any, worker: Any) -> None:
    """Drop the scratch databases whose maker is gone."""
    for name in server.existing(holder):
        if server.lock(holder, name):
            try:
                server.drop(worker, name)
            finally:
                server.unlock(holder, name)


def statement_text(statement: str) -> str:
    """A statement without its comments, and without its texts where it has no body in another language."""
    text = _COMMENTS.sub(" ", statement)
    return text if _BODY.match(text) else _LITERALS.sub("''", text)


def filled(tables: Sequence[str], source: str = "") -> str:
    """A query for the numbers of the tables that have rows, by their quoted names; empty where there are no tables."""
    return " UNION ALL ".join(
        f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {source}{name})"  # noqa: S608 - quoted
        for number, name in enumerate(tables)
    )


def starting(words: str) -> Callable[[str], re.Match[str] | None]:
    """A search for a statement that begins with a pattern: alone, among others, or in the body of a function."""
    return re.compile(f"{_START}({words})", re.IGNORECASE | re.DOTALL).search
