"""From the entries of a dump to the statements that a copy runs, before and after its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from framefox_tasks.databases.postgresql.dependencies import Key, Relations
from framefox_tasks.databases.postgresql.dump import DumpEntry
from framefox_tasks.databases.postgresql.session import quoted
from framefox_tasks.databases.rows import Statement

# The kinds that pg_dump puts behind the rows.
_POST = {
    *("CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH", "STATISTICS", "TRIGGER", "RULE"),
    *("EVENT TRIGGER", "POLICY", "ROW SECURITY", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"),
}
_RELATIONS = {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "SEQUENCE OWNED BY"}
_OWNED = {
    **dict.fromkeys(("CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT"), "constraint"),
    **dict.fromkeys(("INDEX", "INDEX ATTACH"), "index"),
    "TRIGGER": "trigger",
    "RULE": "rule",
    "POLICY": "policy",
    "DEFAULT": "default",
    "STATISTICS": "statistics",
    "PUBLICATION TABLE": "publication",
}
_PERIOD = re.compile(r" FOREIGN KEY \([^()]*\bPERIOD [^()]*\) REFERENCES ")
_OPTIONAL_IN_PART = {"FUNCTION", "PROCEDURE", "AGGREGATE", "TRIGGER", "TYPE", "EVENT TRIGGER", "PUBLICATION", "CAST"}
"""What may use a table that is not copied without saying so in a way that could be looked up."""
_OPTIONAL = {"POLICY", "USER MAPPING"}
"""What names roles, which the server of the copy need not have."""
_KEY = re.compile(r"ALTER TABLE ONLY (.+?)\s+ADD CONSTRAINT (.+) (PRIMARY KEY|UNIQUE) (\([^()]*\));?", re.DOTALL)
_OVERLAPS = "WITHOUT OVERLAPS"
_COMMENT = re.compile(
    r"COMMENT ON (?:(?:TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE|SEQUENCE|INDEX) (?P<self>.*)"
    r"|COLUMN (?P<column>.*)\.(?:\w+|\"(?:[^\"]|\"\")*\")"
    r"|(?:CONSTRAINT|TRIGGER|RULE|POLICY) .*? ON (?P<owner>.*)) IS ",
)


@dataclass
class Definitions:
    """Statements, sorted as CopySchema has them; the keys stand before what is last."""

    before: list[Statement] = field(default_factory=list)
    after: dict[object, list[Statement]] = field(default_factory=dict)
    keys: list[Statement] = field(default_factory=list)
    last: list[Statement] = field(default_factory=list)


def define(found: Iterable[DumpEntry], relations: Relations) -> Definitions:
    """Sort the entries of a dump, without those of relations that the copy does not have."""
    result, post = Definitions(), False
    without = _Without(relations)
    for entry in found:
        if without(entry):
            continue
        post = post or entry.kind in _POST
        if entry.kind == "FK CONSTRAINT":
            result.last.append(_foreign_key(entry, relations))
            continue
        statement = _statement(entry, in_part=bool(relations.without))
        if not post:
            result.before.append(statement)
            continue
        key = _KEY.fullmatch(entry.sql) if entry.kind == "CONSTRAINT" else None
        key = None if key and _OVERLAPS in key[4] else key  # a unique index of its columns is another
        if key and relations.owner("constraint", (entry.schema, entry.name)) not in relations.partitioned:
            # Unlike the constraint, its index can be made beside others of the table.
            result.after[entry] = [Statement(f"CREATE UNIQUE INDEX {key[2]} ON {key[1]} {key[4]}", statement.about)]
            sql = f"ALTER TABLE ONLY {key[1]} ADD CONSTRAINT {key[2]} {key[3]} USING INDEX {key[2]}"
            result.keys.append(Statement(sql, statement.about))
            continue
        place = _place(entry, relations)
        (result.last if place is None else result.after.setdefault(place, [])).append(statement)
    return result


def _place(entry: DumpEntry, relations: Relations) -> object | None:
    """Which list of those that run beside each other; None for the end.

    Constraints of one table lock each other out, and so stand in one list; its indexes do not.
    """
    if entry.kind not in ("CONSTRAINT", "INDEX"):
        return None
    key = (entry.schema, entry.name)
    owner = relations.owner(_OWNED[entry.kind], key)
    if owner is None or owner in relations.views:  # the view may be made at the end itself
        return None
    return owner if entry.kind == "CONSTRAINT" else key


def _statement(entry: DumpEntry, *, in_part: bool) -> Statement:
    optional = entry.kind in _OPTIONAL or (in_part and entry.kind in _OPTIONAL_IN_PART)
    optional = optional or entry.sql.startswith(("COMMENT ON POLICY ", "COMMENT ON SCHEMA public "))
    sql = entry.sql
    if entry.kind == "SCHEMA":
        sql = re.sub(r"^CREATE SCHEMA (?!IF NOT)", "CREATE SCHEMA IF NOT EXISTS ", sql)
    name = f"{entry.schema}.{entry.name}" if entry.schema not in ("", "public") else entry.name
    return Statement(sql, f"{entry.kind.lower()} {name}", optional)


def _foreign_key(entry: DumpEntry, relations: Relations) -> Statement:
    """A foreign key; rows that were written with triggers switched off need not keep it.

    It is valid for rows to come then, as NOT VALID says; a table with partitions cannot have that.
    """
    owner = relations.owner("constraint", (entry.schema, entry.name)) or (entry.schema, entry.name.partition(" ")[0])
    label = owner[1] if owner[0] in ("", "public") else ".".join(owner)
    about = f"foreign key {entry.name.removeprefix(owner[1]).strip()} of {label}"
    if owner in relations.partitioned:
        return Statement(entry.sql, about, optional=True)
    sql = entry.sql.rstrip(";")
    # Nobody looks whether rows keep one that is NOT VALID or NOT ENFORCED, nor before the copy one of a PERIOD.
    as_it_is = sql.endswith(("NOT VALID", "NOT ENFORCED")) or _PERIOD.search(sql)
    return Statement(entry.sql, about, unvalidated="" if as_it_is else f"{sql} NOT VALID")


class _Without:
    """Says which entries belong to what the copy does not have."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._gone: set[Key] = {relation.key for relation in relations.without}
        self._names = {_plain(quoted(relation.schema, relation.name)) for relation in relations.without}
        self._indexes = {
            _plain(quoted(*key))
            for (kind, key), owner in relations.owners.items()
            if kind == "index" and owner in self._gone
        }

    def __call__(self, entry: DumpEntry) -> bool:
        if entry.kind == "COMMENT":
            return entry.name.startswith("EXTENSION ") or self._is_of(entry.sql)  # an extension brings its own
        key = (entry.schema, entry.name)
        if entry.kind in _RELATIONS:
            return key in self._gone
        if entry.kind == "TABLE ATTACH":
            return key in self._gone
        if key in self._relations.without_keys and entry.kind == "FK CONSTRAINT":
            return True
        owner = self._relations.owner(_OWNED.get(entry.kind, ""), key)
        return owner in self._gone or (entry.kind == "ROW SECURITY" and key in self._gone)

    def _is_of(self, comment: str) -> bool:
        found = _COMMENT.match(comment)
        if found is None:
            return False
        name = _plain(found["self"] or found["column"] or found["owner"])
        return name in self._names or name in self._indexes


def _plain(name: str) -> str:
    """A qualified name without the quotes that it may have or not."""
    return name.replace('""', "\0").replace('"', "").replace("\0", '"')


def refreshments(found: Iterable[DumpEntry], relations: Relations) -> Iterator[Statement]:
    """Statements that fill the materialized views, in an order in which each reads full ones."""
    filled = {relation.key: relation for relation in relations.kept if relation.relkind == "m" and relation.populated}
    for entry in found:
        relation = filled.get((entry.schema, entry.name))
        if entry.kind == "MATERIALIZED VIEW" and relation:
            yield Statement(
                f"REFRESH MATERIALIZED VIEW {quoted(relation.schema, relation.name)}",
                f"rows of materialized view {relation.label}",
            )
