"""The locks of tables that the statements of a migration wait for on PostgreSQL."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

from framefox_tasks.databases import remedies, reuse
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.table_locks import Ask
from framefox_tasks.model import Target

_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_REFUSED = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected
_SESSION = (
    "SELECT pg_catalog.pg_backend_pid(), count(*) FROM pg_catalog.pg_settings "
    "WHERE name = 'lock_timeout' AND source NOT IN ('default', 'configuration file')"
)
_SEEN = (
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('lock_timeout'), pg_catalog.current_database(), "
    "current_user, session_user, pg_catalog.inet_server_addr(), pg_catalog.inet_server_port()"
)
_BLOCKERS = (
    "SELECT string_agg(format('server process %s (user %s, from %s, since %s)', pid, coalesce(usename, '?'), "
    "coalesce(host(client_addr), 'a socket'), date_trunc('second', xact_start)), ', ') "
    "FROM pg_catalog.pg_stat_activity WHERE pid = ANY(pg_catalog.pg_blocking_pids({session}))"
)


class PostgreSQLTableLocks:
    """See the protocol TableLocks."""

    whole = True

    def asking(self, target: Target) -> AbstractContextManager[Ask]:
        """By a connection of the driver."""
        return VERBS.asking(target)

    def limit(self, seconds: float, *, local: bool) -> str:
        """In milliseconds."""
        return f"SET {'LOCAL ' if local else ''}lock_timeout = {int(seconds * 1000)}"

    def unlimited(self, statement: str) -> bool:
        """What is built concurrently waits for others and blocks nobody, and refused leaves an invalid index."""
        return _CONCURRENTLY.search(statement) is not None

    def is_refused(self, exc: BaseException) -> bool:
        """By the SQLSTATE."""
        return VERBS.error_code(exc) in _REFUSED

    def is_deadlock(self, exc: BaseException) -> bool:
        """As a remedy knows it."""
        return VERBS.error_code(exc) in VERBS.remedies[remedies.DEADLOCK]

    def session(self, ask: Ask) -> tuple[int, bool]:
        """The number of the server's process; a timeout is set by env.py, in the URL, or for the user or database."""
        if not reuse.keeps_sessions():
            number, chosen = ask(_SESSION)
            return int(number), bool(chosen)
        # To look through all settings takes longer than a small migration: once for all that have it alike.
        number, *alike = ask(_SEEN)
        return int(number), bool(reuse.kept(("lock_timeout", *alike), lambda: bool(ask(_SESSION)[1])))

    def blockers(self, ask: Ask, session: int) -> str:
        """As the server knows them."""
        return ask(_BLOCKERS.format(session=session))[0] or ""
