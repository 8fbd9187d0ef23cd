"""What a copy does with whole databases: it makes them, gives them a name, and drops them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic, sleep
from typing import Any

from framefox_tasks.databases.postgresql import database_settings
from framefox_tasks.databases.postgresql.session import literal, other_database, quoted, session, telling
from framefox_tasks.errors import DatabaseInUseError, PermissionDeniedError
from framefox_tasks.model import Target

_LONGEST = 63  # bytes of a name
_LEAVING = 1.0  # seconds that a session which has ended may take to be gone; the server itself waits five more
_NOTICING = 1.0  # seconds
_MARK = "Made by a copy that has not ended; the next copy to {} removes it."
_USUAL = "pg_default"
_PROVIDERS = {"i": "icu", "b": "builtin"}
_DATABASE = """
SELECT d.oid, pg_catalog.pg_get_userbyid(d.datdba), current_user, pg_catalog.pg_has_role(d.datdba, 'USAGE'),
    pg_catalog.pg_encoding_to_char(d.encoding), pg_catalog.to_jsonb(d),
    pg_catalog.shobj_description(d.oid, 'pg_database'),
    (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace)
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""
_SESSIONS = """
SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' AND pid <> ALL(%s)
"""
RELATIONS = """
SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))
"""


def beside(name: str, suffix: str) -> str:
    """A name for a database that belongs to another, not longer than PostgreSQL takes."""
    if len((name + suffix).encode()) <= _LONGEST:
        return name + suffix
    digest = sha256(name.encode()).hexdigest()[:8]
    room = _LONGEST - len(suffix) - len(digest) - 1
    return f"{name.encode()[:room].decode(errors='ignore')}_{digest}{suffix}"


@dataclass(frozen=True)
class Described:
    """A database as the catalogue knows it."""

    oid: int
    owner: str
    user: str  # who looks
    is_mine: bool
    encoding: str
    row: dict[str, Any]
    comment: str | None
    tablespace: str

    def placed(self) -> list[str]:
        """Options of CREATE DATABASE that give another the same owner, on the same disk.

        The usual disk is not named: who may make databases there may still not name it.
        """
        elsewhere = [f"TABLESPACE {quoted(self.tablespace)}"] if self.tablespace != _USUAL else []
        return [f"OWNER {quoted(self.owner)}", *elsewhere]

    def locale(self) -> list[str]:
        """Options of CREATE DATABASE that give another the same order of texts."""
        found = [f"LC_COLLATE {literal(self.row['datcollate'])}", f"LC_CTYPE {literal(self.row['datctype'])}"]
        provider = _PROVIDERS.get(self.row.get("datlocprovider", "c"))
        locale = self.row.get("datlocale") or self.row.get("daticulocale")  # of PostgreSQL 17, 15
        if provider and locale:
            found += [f"LOCALE_PROVIDER {provider}", f"{provider.upper()}_LOCALE {literal(locale)}"]
        return found


class Maintenance:
    """A connection to another database of the target's server.

    Args:
        connection: Of psycopg 3, with autocommit.
        target: The database that the copy is for.
    """

    def __init__(self, connection: Any, target: Target) -> None:
        self.connection = connection
        self.target = target
        self.mark = _MARK.format(target.name)

    def described(self, name: str) -> Described | None:
        """A database, None where there is none of that name."""
        row = self._execute(_DATABASE, name).fetchone()
        return None if row is None else Described(*row)

    def lock(self) -> bool:
        """Take the lock of a running copy to this target, until the session ends; False where another has it.

        The server may need a moment to notice that a killed copy has gone.
        """
        digest = sha256(f"framefox_tasks copy to {self.target.name}".encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        until = monotonic() + _NOTICING
        while (
            not (taken := self._execute("SELECT pg_try_advisory_lock(%s)", key).fetchone()[0]) and monotonic() < until
        ):
            sleep(0.05)
        return bool(taken)

    def check_rights(self, held: Described | None) -> None:
        """See that the user may make databases, and replace the target.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user, may_create, may_all = self._execute(
            "SELECT current_user, rolcreatedb, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
        ).fetchone()
        if not may_create and not may_all:
            raise PermissionDeniedError(
                f"The user {user} may not create databases on {self.target.server}, where the copy is made beside "
                f"{self.target.name}.",
                hint=f"Ask an administrator for: ALTER ROLE {quoted(user)} CREATEDB, or for an empty database of that "
                "name that the user owns, which is then filled itself. Rows alone need neither: --data-only",
            )
        if held and not held.is_mine and not may_all:
            raise PermissionDeniedError(
                f"The database {self.target.label} belongs to {held.owner}, and the user {user} may not replace it.",
                hint=f"Ask an administrator for: ALTER DATABASE {quoted(self.target.name)} OWNER TO {quoted(user)}",
            )

    def others(self, name: str, *mine: int) -> list[int]:
        """The sessions that use a database, but for some."""
        return [pid for (pid,) in self._execute(_SESSIONS, name, list(mine))]

    def tables(self, name: str) -> int:
        """How many tables, views and sequences a database holds."""
        with session(other_database(self.target, name), "target", plain=True) as connection:
            return int(connection.execute(RELATIONS).fetchone()[0])

    def make(self, name: str, like: Described | None) -> None:
        """Make an empty database, and mark it as a copy that has not ended."""
        options = ["TEMPLATE template0", "ENCODING 'UTF8'", *(like.placed() if like else [])]
        template = self.described("template0")
        if like and like.encoding == "UTF8":
            options += like.locale()
        elif template and template.encoding != "UTF8":
            options += ["LC_COLLATE 'C'", "LC_CTYPE 'C'"]  # the one locale that goes with every encoding
        self._execute(f"CREATE DATABASE {quoted(name)} {' '.join(options)}", about=f"to create {name}")
        self._execute(f"COMMENT ON DATABASE {quoted(name)} IS {literal(self.mark)}")

    def unmark(self, name: str) -> None:
        """Let no copy take a database for its own."""
        self._execute(f"COMMENT ON DATABASE {quoted(name)} IS NULL")

    def drop(self, name: str) -> None:
        """Drop a database of the copy; who still uses it has to leave."""
        self.wait_until_left(name, disconnect=True)
        self._execute(f"DROP DATABASE IF EXISTS {quoted(name)}", about=f"to drop {name}")

    def wait_until_left(self, name: str, *, disconnect: bool) -> None:
        """Wait for sessions to be gone, and end them if asked to."""
        until = monotonic() + _LEAVING
        while (pids := self.others(name)) and monotonic() < until:
            if disconnect:
                with suppress(PermissionDeniedError):  # what is not gone is told by who needs the database
                    self._execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", pids)
            sleep(0.005)

    def swap(self, staging: str, held: Described | None, old: str) -> None:
        """Give the target's name to the staging database, and another to what has it: both or neither.

        Raises:
            DatabaseInUseError: Somebody is connected to one of the two.
        """
        name = quoted(self.target.name)
        comment = literal(held.comment) if held and held.comment else "NULL"
        steps = [f"COMMENT ON DATABASE {quoted(staging)} IS {comment}"]
        if held:
            found = database_settings.steps(
                self.connection,
                held.oid,
                quoted(staging),
                limit=held.row["datconnlimit"],
                granted=held.row["datacl"] is not None,
            )
            steps += [sql for _, sql in found]
            steps += [
                f"COMMENT ON DATABASE {name} IS {literal(self.mark)}",
                f"ALTER DATABASE {name} RENAME TO {quoted(old)}",
            ]
        steps += [f"ALTER DATABASE {quoted(staging)} RENAME TO {name}"]
        # The rows that were loaded without waiting for the disk are on it when this is.
        steps = ["SET synchronous_commit = on", "BEGIN", *steps, "COMMIT"]
        self._execute("; ".join(steps), about="to rename databases")

    def _execute(self, sql: str, *values: object, about: str = "") -> Any:
        import psycopg

        try:
            with telling(self.target, "target", self.connection, about=about):
                return self.connection.execute(sql, values or None)
        except BaseException as exc:
            with suppress(psycopg.Error):
                if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    self.connection.execute("ROLLBACK")
            if getattr(exc.__cause__, "sqlstate", None) == "55006":
                raise in_use(self.target) from exc
            raise


def in_use(target: Target) -> DatabaseInUseError:
    """The error for a target that others are connected to."""
    return DatabaseInUseError(
        f"Others are connected to the database {target.label}, which the copy is to replace; it was not changed.",
        hint="Close their connections, or end them with: --force-disconnect",
    )
