"""What of a PostgreSQL database belongs to which table, and what a copy of some of its tables has to leave out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from framefox_tasks.databases.postgresql.columns import name_of
from framefox_tasks.databases.postgresql.queries import USERS, own
from framefox_tasks.databases.postgresql.session import quoted
from framefox_tasks.databases.schema import Chosen

Key = tuple[str, str]
"""Schema and name, the latter as pg_dump shows it."""

_OWNED = f"""
SELECT n.nspname, x.name, n.nspname, c.relname, c.relkind, x.kind, x.other FROM (
    SELECT conrelid AS relid, c.relname || ' ' || conname AS name, 'constraint' AS kind, confrelid AS other
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  UNION ALL SELECT indrelid, c.relname, 'index', 0 FROM pg_index JOIN pg_class c ON c.oid = indexrelid
  UNION ALL SELECT tgrelid, c.relname || ' ' || tgname, 'trigger', 0
    FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL SELECT ev_class, c.relname || ' ' || rulename, 'rule', 0
    FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
  UNION ALL SELECT polrelid, c.relname || ' ' || polname, 'policy', 0
    FROM pg_policy JOIN pg_class c ON c.oid = polrelid
  UNION ALL SELECT adrelid, c.relname || ' ' || attname, 'default', 0
    FROM pg_attrdef JOIN pg_class c ON c.oid = adrelid
    JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
  UNION ALL SELECT stxrelid, stxname, 'statistics', 0 FROM pg_statistic_ext
  UNION ALL SELECT inhrelid, c.relname, 'attach', 0 FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
  UNION ALL SELECT c.oid, p.pubname || ' ' || c.relname, 'publication', 0
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
) x JOIN pg_class c ON c.oid = x.relid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {USERS}
"""  # noqa: S608 - nothing but constants
_RELATIONS = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relispopulated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {USERS}
    AND {own("pg_class", "c.oid")}
ORDER BY n.nspname, c.relname
"""  # noqa: S608 - nothing but constants
# Tables, and their partitions; views that read them, and views that read these; sequences that only they use.
_WITHOUT = """
WITH RECURSIVE tree(oid) AS (
    SELECT unnest(%(oids)s::oid[]) UNION SELECT inhrelid FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    JOIN tree ON tree.oid = inhparent WHERE c.relispartition
), gone(oid) AS (
    SELECT oid FROM tree
  UNION
    SELECT r.ev_class FROM gone JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = gone.oid
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
)
SELECT oid FROM gone UNION
SELECT d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN gone ON gone.oid = d.refobjid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND NOT EXISTS (SELECT FROM pg_depend u JOIN pg_attrdef f ON u.classid = 'pg_attrdef'::regclass AND f.oid = u.objid
                    WHERE u.refobjid = d.objid AND f.adrelid NOT IN (SELECT oid FROM gone))
"""


@dataclass(frozen=True)
class DatabaseRelation:
    """A table, view or sequence."""

    schema: str
    name: str
    relkind: str
    populated: bool

    @property
    def key(self) -> Key:
        """As pg_dump shows it."""
        return self.schema, shown(self.name)

    @property
    def label(self) -> str:
        """As a user writes it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass
class Relations:
    """The relations of a database.

    Attributes:
        kept: Those that the copy has.
        without: Those that it does not.
        owners: The table that something belongs to, by kind and by name.
        without_keys: The foreign keys to a table that the copy does not have: what to call them, and that table.
    """

    kept: list[DatabaseRelation] = field(default_factory=list)
    without: list[DatabaseRelation] = field(default_factory=list)
    owners: dict[tuple[str, Key], Key] = field(default_factory=dict)
    views: set[Key] = field(default_factory=set)
    without_keys: dict[Key, tuple[str, str]] = field(default_factory=dict)

    def owner(self, kind: str, key: Key) -> Key | None:
        """The table that something belongs to."""
        return self.owners.get((kind, key))

    @property
    def partitioned(self) -> set[Key]:
        """The tables that have partitions."""
        return {relation.key for relation in self.kept if relation.relkind == "p"}

    @property
    def sequences(self) -> list[DatabaseRelation]:
        """The sequences that the copy has."""
        return [relation for relation in self.kept if relation.relkind == "S"]


def relations_of(connection: Any, chosen: Chosen) -> Relations:
    """Ask for everything that belongs to a table, and find what goes with those that are not chosen."""
    rows = connection.execute(_RELATIONS).fetchall()
    oids = [
        oid
        for oid, schema, name, kind, is_partition, _ in rows
        if chosen and kind in "rp" and not is_partition and not chosen(name_of(schema, name))
    ]
    gone = {oid for (oid,) in connection.execute(_WITHOUT, {"oids": oids})} if oids else set()
    found, labels = Relations(), {}
    for oid, schema, name, kind, _, populated in rows:
        relation = DatabaseRelation(schema, name, kind, populated)
        (found.without if oid in gone else found.kept).append(relation)
        labels[oid] = relation.label
        if kind in "vm":
            found.views.add(relation.key)
    for schema, name, owner_schema, owner, _, kind, other in connection.execute(_OWNED):
        key = (schema, shown(name))
        found.owners[kind, key] = (owner_schema, shown(owner))
        if other in gone:
            found.without_keys[key] = (f"foreign key {name.removeprefix(owner + ' ')} of {owner}", labels[other])
    return found


def shown(name: str) -> str:
    """A name as pg_dump shows it in a comment."""
    return name.replace("\n", " ").replace("\r", " ")


def sequence_states(connection: Any, names: list[str]) -> list[tuple[int, bool]]:
    """The value of each sequence, and whether it was given already: past every value that a snapshot holds."""
    query = " UNION ALL ".join(
        f"SELECT {number}, last_value, is_called FROM {name}"  # noqa: S608 - quoted
        for number, name in enumerate(names)
    )
    return [(value, called) for _, value, called in sorted(connection.execute(query))] if names else []


def sequence_values(connection: Any, sequences: list[DatabaseRelation]) -> Iterator[str]:
    """Statements that set sequences to where they are now."""
    names = [quoted(sequence.schema, sequence.name) for sequence in sequences]
    for name, (value, called) in zip(names, sequence_states(connection, names), strict=True):
        literal = name.replace("'", "''")
        yield f"SELECT pg_catalog.setval('{literal}', {value}, {str(called).lower()})"
