"""PostgreSQL."""

from __future__ import annotations

import time
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from framefox_tasks.databases import remedies, reuse
from framefox_tasks.databases.drivers import quote_identifier, quoted_table
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.databases.verbs import Standing
from framefox_tasks.errors import (
    ConnectionFailedError,
    DatabaseExistsError,
    DatabaseInUseError,
    FramefoxTasksError,
)
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ATTEMPTS = 3
_TEMPLATE_WAIT_SECONDS = 20.0
_MARK = "framefox_tasks.protected"
_IS_MARKED = f"""
SELECT 1 FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE d.datname = current_database() AND s.setrole = 0 AND '{_MARK}=on' = ANY (s.setconfig)
"""  # noqa: S608 - nothing of a user's
# One that this user may not read is not of a run of this user.
_ELSEWHERE = """
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version_num'
WHERE pg_catalog.to_regclass(pg_catalog.quote_ident(%s)) IS NULL AND c.relname = %s AND c.relkind IN ('r', 'p')
AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
ORDER BY 1
"""
_SEARCH_PATH = "-csearch_path="
_TEMPLATE = "template1"
_OUTSIDE = 0  # of any transaction, as libpq says
DIRECT: WeakSet[Any] = WeakSet()  # connections that were found to have no pooler in between
_MAINTENANCE: dict[tuple[object, ...], str] = {}
_FORCE_SINCE = 130000  # DROP DATABASE ... WITH (FORCE), PostgreSQL 13


_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class PostgreSQLVerbs(ServerVerbs):
    """The verbs for PostgreSQL. Codes are SQLSTATEs: PostgreSQL documentation, appendix A."""

    name = "postgresql"
    title = "PostgreSQL"
    default_schema_query = "SELECT pg_catalog.current_schema()"
    default_port = 5432
    drivers = ("psycopg", "psycopg2", "pg8000")
    async_drivers = ("psycopg", "asyncpg")
    sync_options = MappingProxyType(
        {
            "asyncpg.ssl": {
                **dict.fromkeys(("true", "1", "yes", "on"), "sslmode=require"),
                **dict.fromkeys(("false", "0", "no", "off"), "sslmode=disable"),
                **{word: f"sslmode={word}" for word in _SSL_MODES},
                "": None,
            },
            "asyncpg.timeout": {"": "connect_timeout"},
            "asyncpg.command_timeout": {"": None},
            "asyncpg.server_settings": {"": None},
            "asyncpg.direct_tls": {"": None},
            # Of asyncpg's own cache of prepared statements, and of SQLAlchemy's dialect for it.
            "asyncpg.prepared_statement_cache_size": None,
            "asyncpg.prepared_statement_name_func": None,
            "asyncpg.statement_cache_size": None,
            "asyncpg.max_cached_statement_lifetime": None,
            "asyncpg.max_cacheable_statement_size": None,
            "asyncpg.async_fallback": None,
        }
    )
    extra = "postgresql"
    has_schemas = True
    has_enum_types = True
    keeps_sessions = True
    sets_aside = True
    compares_keys = True
    # Partitions and tables that inherit (pg_inherits), and members of an extension (pg_depend, deptype e).
    dependent_tables = """
    SELECT nspname, relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid)
    OR EXISTS (
        SELECT 1 FROM pg_catalog.pg_depend
        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid AND deptype = 'e'
    )
    """

    light_drivers = MappingProxyType({"psycopg": "psycopg", "psycopg2": "psycopg2"})
    argument_names = MappingProxyType({"username": "user", "password": "password", "database": "dbname"})
    missing_database = frozenset({"3D000"})
    missing_table = frozenset({"42P01", "3F000"})
    existing_database = frozenset({"42P04", "23505"})  # 23505: two creators at once
    # Schema, table (also index, sequence, view), column, type or constraint, function.
    existing_object = frozenset({"42P06", "42P07", "42701", "42710", "42723"})
    denied = frozenset({"42501"})
    refused_login = frozenset({"28000", "28P01"})
    remedies = MappingProxyType(
        {
            remedies.LOCK_TIMEOUT: frozenset({"55P03"}),
            remedies.STATEMENT_TIMEOUT: frozenset({"57014"}),
            remedies.READ_ONLY: frozenset({"25006"}),
            remedies.DEADLOCK: frozenset({"40P01"}),
            remedies.TOO_MANY_CONNECTIONS: frozenset({"53300"}),
            remedies.DISK_FULL: frozenset({"53100"}),
        }
    )
    grant_hint = (
        "ALTER ROLE {user} CREATEDB to create databases, ALTER DATABASE {database} OWNER TO {user} to change it"
    )

    identity_query = "SELECT pg_postmaster_start_time()"  # to the microsecond
    names_query = "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate"
    own_schemas = "NOT IN ('pg_catalog', 'information_schema')"

    def error_code(self, exc: BaseException | None) -> Any:
        """The SQLSTATE, where the driver tells it."""
        return getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None)

    def error_text(self, exc: BaseException | None) -> str:
        """The server's message without the client library's preamble."""
        # libpq writes what else there is to say of an error on an indented line.
        return " ".join(str(exc).replace("\n\t", ". ").split()).removeprefix("connection failed: ")

    def exists(self, target: Target) -> bool:
        """Whether the database is there.

        libpq gives no code when a connection is refused, and the text is translated: so after a failure the catalogue
        of another database is asked. Others may have made the database between the two: then it is tried again.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with self.connection(target, target.name):
                    return True
            except ConnectionFailedError as exc:
                if not self.is_listed(target, exc):
                    return False
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError  # pragma: no cover - the last attempt has returned or raised

    def reused_as(self, target: Target, keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """One database; schemas alike, as what is asked of one names it.

        None is made of template1 as long as anybody is connected to that.
        """
        options = str(keywords.get("options", ""))
        if "." in target.project.version_table and options.startswith(_SEARCH_PATH) and " -" not in options:
            keywords = {name: value for name, value in keywords.items() if name != "options"}
        return keywords, {} if keywords.get("dbname") == _TEMPLATE else keywords

    def keeps_session(self, connection: Any, keywords: Mapping[str, Any], *, again: bool) -> bool:
        """That of psycopg 3, in a schema, or in the same database once more."""
        if not hasattr(connection, "pgconn"):  # of another driver
            return False
        from framefox_tasks.databases.postgresql.renewal import is_kept

        return is_kept(connection, keywords, again=again)

    def renewed(self, connection: Any, before: Mapping[str, Any], keywords: Mapping[str, Any]) -> Any:
        """In another schema."""
        from framefox_tasks.databases.postgresql.renewal import renewed

        return renewed(connection, before, keywords)

    def is_settled(self, connection: Any) -> bool:
        """Outside of a transaction, and not behind a pooler, which may have no other session to give."""
        try:
            if int(connection.info.transaction_status) != _OUTSIDE:
                connection.cursor().execute("ROLLBACK")
            if connection not in DIRECT:
                cursor = connection.cursor()
                cursor.execute("SELECT pg_catalog.pg_backend_pid()")
                if cursor.fetchone()[0] != connection.info.backend_pid:  # a pooler makes one up
                    reuse.refuse()
                    return False
                if hasattr(connection, "prepare_threshold"):
                    connection.prepare_threshold = None  # a plan fails once a migration has changed what it gives
                DIRECT.add(connection)
            return int(connection.info.transaction_status) == _OUTSIDE
        except (AttributeError, connection.Error):
            return False

    def is_ready(self, connection: Any, database: str | None, *, is_sure: bool) -> bool:  # noqa: ARG002 - of one database
        """Whether it answers."""
        try:
            if not is_sure:
                connection.cursor().execute("SELECT 1")
        except connection.Error:
            return False
        return True

    def is_listed(self, target: Target, failure: ConnectionFailedError) -> bool:
        """Whether a database that could not be connected to is there, by the catalogue of another one."""
        try:
            maintenance = self.maintenance(target)
        except FramefoxTasksError:
            if "does not exist" in failure.message and f'database "{target.name}"' in failure.message:
                return False
            raise failure from None
        query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
        return self._row(target, maintenance, query, (target.name,)) is not None

    def _require(self, target: Target) -> None:
        if not self.exists(target):
            raise self.missing(target)

    def maintenance(self, target: Target) -> str:
        """The first of the databases that every server has which this user may connect to; found once in a process."""
        address = target.address
        login = (address.host, address.port, address.username, address.password, address.query)
        if login not in _MAINTENANCE:
            _MAINTENANCE[login] = self._maintenance(target)
        return _MAINTENANCE[login]

    def _maintenance(self, target: Target) -> str:
        with suppress(ConnectionFailedError), self.connection(target, "postgres"):
            return "postgres"
        with self.connection(target, _TEMPLATE):
            return _TEMPLATE

    def create(self, target: Target) -> None:
        """Create the database, as soon as nobody is connected to the template that the server makes it from."""
        deadline = time.monotonic() + _TEMPLATE_WAIT_SECONDS
        while True:
            try:
                return super().create(target)
            except DatabaseInUseError as exc:
                if self.exists(target):
                    raise DatabaseExistsError(f"The database {target.label} exists already.") from exc
                if time.monotonic() >= deadline:
                    raise DatabaseInUseError(
                        f"The database {target.label} cannot be created while others are connected to its template: "
                        f"{self.error_text(exc.__cause__)}",
                        hint="Close their connections, and try again.",
                    ) from exc
            time.sleep(0.2)

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:
        """Drop the database; with force_disconnect end other sessions first."""
        name = quote_identifier(target, self, target.name)
        reuse.close_idle(target.name)
        with self.connection(target, self.maintenance(target)) as connection:
            cursor = connection.cursor()
            force = ""
            if force_disconnect and can_force(cursor):
                force = " WITH (FORCE)"
            elif force_disconnect:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (target.name,),
                )
            cursor.execute(f"DROP DATABASE {name}{force}")

    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """What a driver's error means, as one of ours."""
        if self.error_code(exc) == "55006":
            return DatabaseInUseError(
                f"Others are connected to the database {target.label}: {self.error_text(exc)}",
                hint="Close their connections, or end them with: doit database_drop --yes --force-disconnect",
            )
        if self.error_code(exc) is None and "FATAL:" in str(exc):
            # libpq gives no code for a refused connection, but the server has answered.
            return ConnectionFailedError(
                f"{target.server} refused the connection to the database {target.name}: "
                f"{target.address.hide(self.error_text(exc))}",
                hint="Check the user and the password in DATABASE_URL or config/orm.yaml, and the user's rights.",
            )
        return super().translate(exc, target)

    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in the version table."""
        try:
            return super().revision(target)
        except ConnectionFailedError:
            self._require(target)
            raise

    def standing(self, target: Target) -> Standing:
        """Its revisions, and whether it has a journal."""
        try:
            return super().standing(target)
        except ConnectionFailedError:
            self._require(target)
            raise

    def standings(self, targets: Sequence[Target]) -> list[Standing | FramefoxTasksError]:
        """Schemas of one database are asked together, over one connection."""
        if len(targets) > 1 and all("." in target.project.version_table for target in targets):
            from framefox_tasks.databases.postgresql.schemas import standings

            return standings(self, targets)
        return super().standings(targets)

    def in_schema(self, target: Target, schema: str) -> Target:
        """By the search_path of its connections."""
        from framefox_tasks.databases.postgresql.schemas import in_schema

        return in_schema(target, schema)

    def create_schema(self, target: Target) -> None:
        """The schema of its version table."""
        from framefox_tasks.databases.postgresql.schemas import create_schema

        create_schema(self, target)

    def drop_schema(self, target: Target) -> None:
        """The schema of its version table."""
        from framefox_tasks.databases.postgresql.schemas import drop_schema

        drop_schema(self, target)

    def journal_query(self, target: Target, name: str) -> str:  # noqa: ARG002 - the shared signature
        """By a function that logs no error."""
        table = quoted_table(name, '"').replace("'", "''")
        return f"SELECT pg_catalog.to_regclass('{table}') IS NOT NULL"

    def clear_revision(self, target: Target) -> bool:
        """Empty the version table."""
        self._require(target)
        return super().clear_revision(target)

    def revisions_elsewhere(self, target: Target) -> dict[str, tuple[str, ...]]:
        """The revisions in the version tables of other schemas, where none is in the search_path."""
        name = target.project.version_table
        if "." in name:
            return {}
        with self.connection(target, target.name) as connection:
            cursor = connection.cursor()
            cursor.execute(_ELSEWHERE, (name, name))
            found: dict[str, tuple[str, ...]] = {}
            for schema, table in cursor.fetchall():
                cursor.execute(f"SELECT version_num FROM {table}")  # noqa: S608 - quoted by the server
                found[f"{schema}.{name}"] = tuple(sorted(row for (row,) in cursor.fetchall()))
            return found

    def is_marked(self, target: Target) -> bool:
        """Whether the settings of the database hold the mark."""
        try:
            return self._row(target, target.name, _IS_MARKED) is not None
        except ConnectionFailedError:
            self._require(target)
            raise

    def set_mark(self, target: Target, *, marked: bool) -> None:
        """Put the mark among the settings of the database: neither pg_dump nor a copy by TEMPLATE takes them along."""
        self._require(target)
        change = f"SET {_MARK} = 'on'" if marked else f"RESET {_MARK}"
        with self.connection(target, target.name) as connection:
            connection.cursor().execute(f"ALTER DATABASE {quote_identifier(target, self, target.name)} {change}")

    def rights(self, target: Target) -> dict[str, bool]:
        """In the schema that new tables go to, if the database is there; and on the server."""
        found: dict[str, bool] = {}
        if self.exists(target):
            query = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
            found["change tables"] = bool(self._row(target, target.name, query)[0])
        query = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        return {**found, "create databases": bool(self._row(target, self.maintenance(target), query)[0])}

    def server_version(self, target: Target) -> str:
        """The server's version, as 15.4."""
        try:
            return str(self._row(target, target.name, "SHOW server_version")[0]).partition(" ")[0]
        except ConnectionFailedError:
            self._require(target)
            raise


def can_force(cursor: Any) -> bool:
    """Whether DROP DATABASE can end the sessions of others by itself."""
    cursor.execute("SHOW server_version_num")
    return int(cursor.fetchone()[0]) >= _FORCE_SINCE


VERBS = PostgreSQLVerbs()
