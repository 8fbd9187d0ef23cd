"""What a user may do, as far as that can be read from the grants."""

from __future__ import annotations

from collections.abc import Sequence

from framefox_tasks.databases.mysql.grants import allowed, missing
from framefox_tasks.databases.mysql.session import Session

_NEEDED = frozenset({"SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX"})
_SHOWS = {"TRIGGER": "triggers", "EVENT": "events", "EXECUTE": "procedures and functions"}


def lacking(control: Session, databases: Sequence[str]) -> str:
    """The first thing that the user may not do in these databases; empty if there is none, or it cannot be known."""
    grants = _grants(control)
    for database in databases:
        if lacks := missing(grants, database, _NEEDED):
            return f"{lacks[0]} in {database}"
    return ""


def unseen(session: Session) -> tuple[list[str], bool]:
    """What of a database the user would not see if it were there; and whether he surely sees all of its tables."""
    grants, database = _grants(session), session.target.name
    hidden = [_SHOWS[privilege] for privilege in missing(grants, database, frozenset(_SHOWS))]
    return hidden, "SELECT" in allowed(grants, database, frozenset({"SELECT"}))


def _grants(session: Session) -> list[str]:
    return [str(row[0]) for row in session.rows("SHOW GRANTS")]
