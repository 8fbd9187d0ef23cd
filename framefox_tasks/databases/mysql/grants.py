"""Grants as the server shows them."""

from __future__ import annotations

import re

_GRANT = re.compile(r"GRANT (?P<privileges>.+?) ON (?P<database>\*|`(?:[^`]|``)+`)\.\* TO ", re.DOTALL)
_ROLE = re.compile(r"GRANT [`'][^`']*[`'](?:@\S+)? TO |GRANT .* ON .* TO `?PUBLIC", re.IGNORECASE)


def missing(grants: list[str], database: str, needed: frozenset[str]) -> list[str]:
    """Which of these privileges they do not give in a database; none where a role may give them."""
    if any(_ROLE.match(grant) for grant in grants):
        return []
    return sorted(needed - allowed(grants, database, needed))


def allowed(grants: list[str], database: str, needed: frozenset[str]) -> set[str]:
    """Which privileges they give in a database."""
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
