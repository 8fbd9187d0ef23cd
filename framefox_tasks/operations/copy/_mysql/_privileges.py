"""What a user may do, as far as that can be read from the grants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from framefox_tasks.operations.copy._mysql._session import Session

_NEEDED = frozenset({"SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX"})
_GRANT = re.compile(r"GRANT (?P<privileges>.+?) ON (?P<database>\*|`(?:[^`]|``)+`)\.\* TO ", re.DOTALL)
_ROLE = re.compile(r"GRANT [`'][^`']*[`'](?:@\S+)? TO |GRANT .* ON .* TO `?PUBLIC", re.IGNORECASE)


def lacking(control: Session, databases: Sequence[str]) -> str:
    """The first thing that the user may not do in these databases; empty if there is none, or it cannot be known."""
    grants = [str(row[0]) for row in control.rows("SHOW GRANTS")]
    if any(_ROLE.match(grant) for grant in grants):
        return ""
    for database in databases:
        missing = _NEEDED - _allowed(grants, database)
        if missing:
            return f"{sorted(missing)[0]} in {database}"
    return ""


def _allowed(grants: Sequence[str], database: str) -> frozenset[str]:
    allowed: set[str] = set()
    for grant in grants:
        found = _GRANT.match(grant)
        if found and _matches(found["database"], database):
            privileges = {privilege.strip() for privilege in found["privileges"].upper().split(",")}
            allowed |= _NEEDED if any(one.startswith("ALL PRIVILEGES") for one in privileges) else privileges
    return frozenset(allowed)


def _matches(pattern: str, database: str) -> bool:
    if pattern == "*":
        return True
    parts = re.findall(r"\\.|.", pattern[1:-1].replace("``", "`"), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(text, database, re.IGNORECASE | re.DOTALL) is not None
