"""What belongs to the name of a database, and to nothing in it: its limits, settings and grants, and its comment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framefox_tasks.databases.postgresql.session import literal, quoted
from framefox_tasks.databases.rows import Statement

_SETTINGS = (
    "SELECT coalesce(r.rolname, ''), unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s "
    "LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = %s"
)
_GRANTS = (
    "SELECT coalesce(r.rolname, ''), e.privilege_type, e.is_grantable FROM pg_catalog.pg_database d, "
    "pg_catalog.aclexplode(d.datacl) e LEFT JOIN pg_catalog.pg_roles r ON r.oid = e.grantee "
    "WHERE d.oid = %s AND (e.grantee = 0 OR r.rolname IS NOT NULL)"
)
_OWN = """
SELECT oid, datconnlimit, datacl IS NOT NULL, pg_catalog.shobj_description(oid, 'pg_database')
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""
_LISTS = {"search_path", "datestyle", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}
"""These settings are lists of names, and each name is a value of its own."""
_MARK = "framefox_tasks."
"""What begins so marks the database itself, and no copy of it."""


def setting(key: str, value: str) -> str:
    """The value of a setting as SQL takes it."""
    return value if key.lower() in _LISTS and value else literal(value)


def steps(connection: Any, oid: int, name: str, *, limit: int, granted: bool) -> Iterator[tuple[str, str]]:
    """What gives another database the limits, settings and grants of one; the subject of each, and a statement.

    Args:
        connection: To any database of the server.
        oid: The number of the database.
        name: The other one, as SQL.
        limit: How many connections the one takes.
        granted: Whether anything was granted or revoked on it.
    """
    if limit != -1:
        yield "connection limit", f"ALTER DATABASE {name} CONNECTION LIMIT {limit}"
    for role, written in connection.execute(_SETTINGS, (oid,)).fetchall():
        key, _, value = written.partition("=")
        whose = f"ROLE {quoted(role)} IN DATABASE" if role else "DATABASE"
        yield f"setting {key}", f"ALTER {whose} {name} SET {quoted(key)} = {setting(key, value)}"
    if granted:
        yield "privileges of PUBLIC", f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"
        for role, privilege, with_grant in connection.execute(_GRANTS, (oid,)).fetchall():
            grantee = quoted(role) if role else "PUBLIC"
            option = " WITH GRANT OPTION" if with_grant else ""
            yield f"privilege of {grantee}", f"GRANT {privilege} ON DATABASE {name} TO {grantee}{option}"


def own_statements(connection: Any) -> list[Statement]:
    """Statements that give all this, and the comment, to the database that they are run in."""
    oid, limit, granted, comment = connection.execute(_OWN).fetchone()
    found = [
        step
        for step in steps(connection, oid, _PLACE, limit=limit, granted=granted)
        if not step[0].startswith(f"setting {_MARK}")
    ]
    if comment:
        found.append((COMMENT, f"COMMENT ON DATABASE {_PLACE} IS {literal(comment)}"))
    return [Statement(_in_place(sql), f"{what} of the database", optional=True) for what, sql in found]


COMMENT = "comment"
_PLACE = "\0"


def _in_place(sql: str) -> str:
    """A statement with the name of the database that it is run in."""
    form = literal(sql.replace("%", "%%").replace(_PLACE, "%I"))
    return f"DO {literal(f'BEGIN EXECUTE format({form}, current_database()); END')}"
