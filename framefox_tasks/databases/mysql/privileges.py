"""What a user may do, as far as that can be read from the grants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from framefox_tasks.databases.mysql.session import Session

_NEEDED = frozenset({"SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX"})
_SHOWS = {"TRIGGER": "triggers", "EVENT": "events", "EXECUTE": "procedures and functions"}
_GRANT = re.compile(r"GRANT (?P<privileges>.+?) ON (?P<database>\*|`(?:[^`]|``)+`)\.\* TO ", re.DOTALL)
_ROLE = re.compile(r"GRANT [`'][^`']*[`'](?:@\S+)? TO |GRANT .* ON .* TO `?PUBLIC", re.IGNORECASE)


def lacking(control: Session, databases: Sequence[str]) -> str:
    """The first thing that the user may not do in these databases; empty if there is none, or it cannot be known."""
    grants = _grants(control)
    for database in databases:
        missing = _missing(grants, database, _NEEDED)
        if missing:
            return f"{missing[0]} in {database}"
    return ""


def unseen(session: Session) -> tuple[list[str], bool]:
    """What of a database the user would not see if it were there; and whether he surely sees all of its tables."""
    grants, database = _grants(session), session.target.name
    hidden = [_SHOWS[privilege] for privilege in _missing(grants, database, frozenset(_SHOWS))]
    return hidden, "SELECT" in _allowed(grants, database, frozenset({"SELECT"}))


def _grants(session: Session) -> list[str]:
    return [str(row[0]) for row in session.rows("SHOW GRANTS")]


def _missing(grants: list[str], database: str, needed: frozenset[str]) -> list[str]:
    if any(_ROLE.match(grant) for grant in grants):
        return []
    return sorted(needed - _allowed(grants, database, needed))


def _allowed(grants: list[str], database: str, needed: frozenset[str]) -> set[str]:
    allowed: set[str] = set()
    for grant in grants:
        found = _GRANT.match(grant)
        if found and _matches(found["database"], database):
            privileges = {privilege.strip() for privilege in found["privileges"].upper().split(",")}
            allowed |= needed if any(one.startswith("ALL PRIVILEGES") for one in privileges) else privileges
    return allowed


def _matches(pattern: str, database: str) -> bool:
    if pattern == "*":
        return True
    parts = re.findall(r"\\.|.", pattern[1:-1].replace("``", "`"), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(text, database, re.IGNORECASE | re.DOTALL) is not None
