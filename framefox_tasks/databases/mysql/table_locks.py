"""The locks of tables and rows that the statements of a migration wait for on MySQL and MariaDB."""

from __future__ import annotations

from contextlib import AbstractContextManager

from framefox_tasks.databases import remedies
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.table_locks import Ask
from framefox_tasks.model import Target

_REFUSED = 1205  # of both kinds of locks; only the statement is rolled back
_SESSION = (
    "SELECT CONNECTION_ID(), @@session.lock_wait_timeout <> @@global.lock_wait_timeout "
    "OR @@session.innodb_lock_wait_timeout <> @@global.innodb_lock_wait_timeout OR @@innodb_rollback_on_timeout"
)
_WAITS = "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {session} AND STATE LIKE 'Waiting for table%'"
# Which session holds a lock of a table only an instrument tells that is off by default: the transactions tell who may.
_OLDEST = (
    "SELECT GROUP_CONCAT(CONCAT('connection ', ID, ' (user ', USER, ', from ', HOST, ', since ', trx_started, ')') "
    "ORDER BY trx_started SEPARATOR ', ') FROM information_schema.INNODB_TRX "
    "JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id WHERE ID <> {session} AND DB = DATABASE()"
)
_ROWS = "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = {session} AND trx_state = 'LOCK WAIT'"


class MySQLTableLocks:
    """See the protocol TableLocks."""

    whole = False

    def asking(self, target: Target) -> AbstractContextManager[Ask]:
        """By a connection of the driver."""
        return VERBS.asking(target)

    def limit(self, seconds: float, *, local: bool) -> str:  # noqa: ARG002 - there is none of a transaction
        """In whole seconds, of both kinds of locks."""
        whole = max(1, round(seconds))
        return f"SET SESSION lock_wait_timeout = {whole}, innodb_lock_wait_timeout = {whole}"

    def unlimited(self, statement: str) -> bool:  # noqa: ARG002 - there is no such statement
        """None."""
        return False

    def is_refused(self, exc: BaseException) -> bool:
        """By its number. A deadlock has rolled back the transaction, not only the statement."""
        return bool(VERBS.error_code(exc) == _REFUSED)

    def is_deadlock(self, exc: BaseException) -> bool:
        """As a remedy knows it."""
        return VERBS.error_code(exc) in VERBS.remedies[remedies.DEADLOCK]

    def session(self, ask: Ask) -> tuple[int, bool]:
        """A timeout is set by env.py or in the URL; or the server rolls back more than the statement."""
        number, chosen = ask(_SESSION)
        return int(number), bool(chosen)

    def blockers(self, ask: Ask, session: int) -> str:
        """The transactions that are open in the database, of which one has the lock."""
        if ask(_WAITS.format(session=session)) is None and ask(_ROWS.format(session=session)) is None:
            return ""
        return ask(_OLDEST.format(session=session))[0] or "a session without a transaction"
