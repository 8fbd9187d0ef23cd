"""An empty database that is filled itself, in one transaction: for a user who may make none beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from framefox_tasks.databases.place import commit_in_doubt, run_all, target_not_empty
from framefox_tasks.databases.postgresql.place_rows import PostgreSQLRowsPlace
from framefox_tasks.databases.postgresql.privileges import COMMIT
from framefox_tasks.databases.postgresql.rows_loader import RowsLoader
from framefox_tasks.databases.postgresql.session import other_database, quoted, session, telling
from framefox_tasks.databases.postgresql.staging import RELATIONS
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.rows import Statement
from framefox_tasks.errors import FramefoxTasksError, PermissionDeniedError
from framefox_tasks.model import Target

_MAY = "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"


def is_needed(target: Target) -> bool:
    """Whether a database is there, and its user may make none beside it; what cannot be asked is told later."""
    try:
        with VERBS.asking(other_database(target, target.name)) as ask:
            return not ask(_MAY)[0]
    except FramefoxTasksError:
        return False


class PostgreSQLOwnPlace(PostgreSQLRowsPlace):
    """A place for a whole copy; see the protocol Place."""

    how = "made in it, in one transaction, since its user may make no database beside it"

    def __init__(self, target: Target, *, overwrite: bool) -> None:
        super().__init__(target)
        self._overwrite = overwrite

    def check(self) -> None:
        """See that the target is empty."""
        with session(self.target, "target") as connection:
            self._check_empty(connection)

    def _check_empty(self, connection: Any) -> None:
        with telling(self.target, "target", connection):
            held = int(connection.execute(RELATIONS).fetchone()[0])
            (user,) = connection.execute("SELECT current_user").fetchone()
        if held and not self._overwrite:
            raise target_not_empty(self.target, held, "tables, views or sequences")
        if held:
            raise PermissionDeniedError(
                f"The user {user} may not create databases on {self.target.server}, where the copy would be made "
                f"beside {self.target.name}; only an empty one can be filled without.",
                hint=f"Ask an administrator for: ALTER ROLE {quoted(user)} CREATEDB, or copy rows alone: --data-only",
            )

    def _begin(self) -> None:
        super()._begin()
        self._check_empty(self._connection)
        self._loader = _OwnLoader(self._connection, self.target)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Commit; see the protocol."""
        notes = run_all(self._loader, statements)
        with commit_in_doubt(self.target), telling(self.target, "target", self._connection):
            self._connection.execute("COMMIT")
        return notes


class _OwnLoader(RowsLoader):
    """A loader whose statements are part of the transaction too."""

    def execute(self, statement: Statement) -> str | None:
        """Run a statement, without what would end the transaction."""
        return super().execute(replace(statement, sql=statement.sql.replace(COMMIT, "")))
