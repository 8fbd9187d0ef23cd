"""MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from framefox_tasks.databases import remedies
from framefox_tasks.databases.drivers import NOTES, journal_name, quote_identifier
from framefox_tasks.databases.mysql.certificates import one_ssl_context
from framefox_tasks.databases.mysql.grants import missing
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.databases.verbs import Standing
from framefox_tasks.model import Target

_NO_COLUMN = 1054
MARK = "framefox_tasks_protected"
"""The procedure by which a database is marked as protected. It is no part of the schema, and copies leave it out."""
_IS_MARKED = (
    "SELECT 1 FROM information_schema.ROUTINES "
    "WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME = %s AND ROUTINE_TYPE = 'PROCEDURE'"
)
_SET_MARK = f"CREATE PROCEDURE {MARK}() COMMENT 'This database is protected: doit database_protect' SELECT 1"


class MySQLVerbs(ServerVerbs):
    """The verbs for MySQL and MariaDB. Codes are error numbers of MySQL's server error reference."""

    name = "mysql"
    title = "MySQL"
    default_port = 3306
    drivers = ("pymysql", "mysqldb", "mysqlconnector")
    async_drivers = ("asyncmy", "aiomysql")
    sync_options = MappingProxyType(
        {
            f"{driver}.{name}": options
            for driver in ("aiomysql", "asyncmy")
            for name, options in {
                # Encrypted, whoever the server is: what a context without more checks is as well.
                "ssl": {**dict.fromkeys(("true", "1"), "ssl_check_hostname=false"), "false": "", "0": "", "": None},
                "echo": None,
                "minsize": None,
                "maxsize": None,
                "pool_recycle": None,
            }.items()
        }
    )
    extra = "mysql"
    transactional_ddl = False
    changes_by_join = True
    keys_hold_indexes = True
    replaces_keys = True
    fills_added_columns = True
    shows_bmp_only = True

    default_schema_query = "SELECT DATABASE()"
    alike_in_server = True
    quote = "`"
    light_drivers = MappingProxyType({"pymysql": "pymysql", "mysqldb": "MySQLdb"})
    missing_database = frozenset({1049, 1008})
    missing_table = frozenset({1146})
    existing_database = frozenset({1007})
    # Table, column, index, primary key, check or foreign key, MySQL's foreign key, procedure, trigger.
    existing_object = frozenset({1050, 1060, 1061, 1068, 1304, 1359, 1826, 3822})
    denied = frozenset({1044, 1142, 1227})
    refused_login = frozenset({1045, 1698})
    remedies = MappingProxyType(
        {
            remedies.LOCK_TIMEOUT: frozenset({1205}),
            remedies.STATEMENT_TIMEOUT: frozenset({1969, 3024}),
            remedies.READ_ONLY: frozenset({1290, 1792, 1836}),
            remedies.DEADLOCK: frozenset({1213}),
            remedies.TOO_MANY_CONNECTIONS: frozenset({1040, 1203}),
            remedies.DISK_FULL: frozenset({1021, 1114}),
        }
    )
    grant_hint = "GRANT ALL ON {database}.* TO {user}"

    identity_query = "SELECT @@hostname, @@port, @@datadir, @@server_id"
    names_query = "SHOW DATABASES"
    own_schemas = "= DATABASE()"

    def error_code(self, exc: BaseException | None) -> Any:
        """The error number."""
        code = exc.args[0] if exc and exc.args else None
        return getattr(exc, "errno", None) or (code if isinstance(code, int) else None)

    def error_text(self, exc: BaseException | None) -> str:
        """The server's message without its number."""
        return str(exc.args[-1]) if exc and exc.args else type(exc).__name__

    def is_already_there(self, exc: BaseException) -> bool:
        """Whether an error says that what is to be made exists. InnoDB has a number of its own for a foreign key."""
        return super().is_already_there(exc) or (self.error_code(exc) == 1005 and "errno: 121" in str(exc))

    def understands(self, arguments: dict[str, Any]) -> bool:
        """Only text arguments pass through as they are; the others SQLAlchemy converts."""
        return arguments.keys() <= {"host", "port", "user", "password", "database", "charset", "unix_socket"}

    @contextmanager
    def connection(self, target: Target, database: str | None, **more: Any) -> Iterator[Any]:
        """A raw driver connection with autocommit; see ServerVerbs."""
        with one_ssl_context(), super().connection(target, database, **more) as connection:
            yield connection

    def _autocommit(self, connection: Any) -> None:
        connection.autocommit(True)

    def reused_as(self, target: Target, keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ARG002
        """Any database of a server."""
        return keywords, {name: value for name, value in keywords.items() if name != "database"}

    def is_settled(self, connection: Any) -> bool:
        """Who has taken a named lock has given it back: here is no transaction, as each statement commits."""
        return bool(connection.open)

    def is_ready(self, connection: Any, database: str | None, *, is_sure: bool) -> bool:
        """By turning to the database."""
        try:
            if database is not None:
                connection.select_db(database)
            elif not is_sure:
                connection.cursor().execute("SELECT 1")
        except connection.Error:
            return False
        return True

    def create_statement(self, target: Target) -> str:
        """CREATE DATABASE with the character set of the URL, else utf8mb4: the server's default may still be latin1."""
        charset = dict(target.address.query).get("charset", "utf8mb4")
        return f"{super().create_statement(target)} CHARACTER SET {quote_identifier(target, self, charset)}"

    def standing(self, target: Target) -> Standing:
        """See Verbs. A short journal stands in the version table, where that has a column for it."""
        journal = self.journal_query(target, journal_name(target.project.version_table))
        with self.connection(target, target.name) as connection:
            try:
                rows = self._version_rows_on(
                    connection, target, f"SELECT version_num, {NOTES} IS NOT NULL OR ({journal})"
                )
            except Exception as exc:
                if self.error_code(exc) != _NO_COLUMN:
                    raise
                rows = None
        if not rows:
            return super().standing(target)
        return Standing(tuple(sorted(row[0] for row in rows)), any(row[1] for row in rows))

    def journal_query(self, target: Target, name: str) -> str:  # noqa: ARG002 - the shared signature
        """Of the catalogue."""
        schema, _, table = name.replace("'", "''").replace("\\", "\\\\").rpartition(".")
        where = f"'{schema}'" if schema else "DATABASE()"
        return (
            "SELECT COUNT(*) FROM information_schema.tables "  # noqa: S608 - escaped
            f"WHERE table_schema = {where} AND table_name = '{table}'"
        )

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:  # noqa: ARG002 - MySQL drops regardless
        """Drop the database; MySQL does so whoever is connected."""
        statement = f"DROP DATABASE {quote_identifier(target, self, target.name)}"
        with self.connection(target, None) as connection:
            connection.cursor().execute(statement)

    def is_marked(self, target: Target) -> bool:
        """Whether the procedure is there that is the mark."""
        return self._row(target, target.name, _IS_MARKED, (MARK,)) is not None

    def set_mark(self, target: Target, *, marked: bool) -> None:
        """Make a procedure that does nothing: a database has no settings, nor on every version a comment."""
        with self.connection(target, target.name) as connection:
            connection.cursor().execute(_SET_MARK if marked else f"DROP PROCEDURE IF EXISTS {MARK}")

    def rights(self, target: Target) -> dict[str, bool]:
        """By the grants of the user: databases are made by the names of scratch ones."""
        with self.connection(target, None) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW GRANTS")
            grants = [str(row[0]) for row in cursor.fetchall()]
        from framefox_tasks.databases.scratch import PREFIX

        needed = frozenset({"CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"})
        return {
            "change tables": not missing(grants, target.name, needed),
            "create databases": not missing(grants, f"{PREFIX}of_this", frozenset({"CREATE", "DROP"})),
        }

    def server_version(self, target: Target) -> str:
        """The server's version, as 8.4.0 or 10.11.6-MariaDB."""
        return "-".join(str(self._row(target, target.name, "SELECT VERSION()")[0]).split("-")[:2])

    def described(self, version: str | None) -> str:
        """MySQL 8.4.0, or MariaDB 10.11.6."""
        number, _, brand = (version or "").partition("-")
        return f"{brand} {number}" if brand == "MariaDB" else super().described(version)


VERBS = MySQLVerbs()
