"""The tables of a PostgreSQL database, from its catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import Field, ForeignKeyPlan, Kind, Name, Side, TablePlan

# Tables of users and of no extension; of a partitioned one the root only. The leaves' rows are counted for the root.
_TABLES = """
SELECT c.oid, n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN c.reltuples ELSE (
    SELECT CASE WHEN min(l.reltuples) < 0 THEN -1 ELSE sum(l.reltuples) END
    FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf AND l.relkind = 'r') END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""
_COLUMNS = """
WITH RECURSIVE base(attrelid, attnum, typ, typmod) AS (
    SELECT attrelid, attnum, atttypid, atttypmod FROM pg_attribute
    WHERE attrelid = ANY(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
  UNION ALL
    SELECT attrelid, attnum, t.typbasetype, t.typtypmod FROM base JOIN pg_type t ON t.oid = typ WHERE t.typtype = 'd'
)
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR own.typnotnull),
    a.atthasdef OR a.attidentity <> '' OR own.typdefault IS NOT NULL,
    CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'b' THEN format_type(t.oid, NULL) ELSE '' END,
    CASE WHEN t.typname IN ('varchar', 'bpchar') AND typmod > 4 THEN typmod - 4
         WHEN t.typname IN ('bit', 'varbit') AND typmod > 0 THEN typmod
         WHEN t.typname = 'name' THEN 63 END
FROM base JOIN pg_attribute a USING (attrelid, attnum) JOIN pg_type own ON own.oid = a.atttypid
JOIN pg_type t ON t.oid = base.typ
WHERE t.typtype <> 'd' ORDER BY a.attrelid, a.attnum
"""
_KEYS = """
SELECT i.indrelid, i.indisprimary, ARRAY(
    SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%s) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid
ORDER BY i.indrelid, c.relname
"""
_FOREIGN_KEYS = """
SELECT k.conrelid, k.conname, n.nspname, c.relname,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.place),
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.place),
    k.confdeltype
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY(%s) ORDER BY k.conrelid, k.conname
"""
_KINDS = {
    **dict.fromkeys(("smallint", "integer", "bigint", "oid"), Kind.INTEGER),
    "numeric": Kind.NUMERIC,
    **dict.fromkeys(("real", "double precision"), Kind.FLOAT),
    "boolean": Kind.BOOLEAN,
    **dict.fromkeys(("text", "character varying", "character", "name"), Kind.TEXT),
    **dict.fromkeys(("json", "jsonb"), Kind.JSON),
    "enum": Kind.ENUM,
    "bytea": Kind.BYTES,
    "date": Kind.DATE,
    "time without time zone": Kind.TIME,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamp with time zone": Kind.TIMESTAMPTZ,
    "interval": Kind.INTERVAL,
    "uuid": Kind.UUID,
    **dict.fromkeys(("bit", "bit varying"), Kind.BITS),
}
_ON_DELETE = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

Choice = Callable[[Name], bool]


def tables_of(connection: Any, chosen: Choice | None = None) -> list[TablePlan]:
    """The tables of a database in the order of their foreign keys; keys to tables that are not chosen are left out."""
    rows = [(oid, _name(schema, name), count) for oid, schema, name, count in connection.execute(_TABLES)]
    rows = [row for row in rows if chosen is None or chosen(row[1])]
    oids = [oid for oid, *_ in rows]
    fields = _fields(connection, oids)
    primary, uniques = _unique_keys(connection, oids)
    foreign = _foreign_keys(connection, oids, {name for _, name, _ in rows})
    plans = []
    for oid, name, count in rows:
        side = Side(name, tuple(fields[oid]))
        known = int(count) if count is not None and count >= 0 else None
        plans.append(TablePlan(side, side, primary.get(oid, ()), tuple(uniques[oid]), tuple(foreign[oid]), rows=known))
    return in_order(plans)


def _name(schema: str, name: str) -> Name:
    return Name(name, None if schema == "public" else schema)


def _fields(connection: Any, oids: list[int]) -> dict[int, list[Field]]:
    found = defaultdict(list)
    for oid, name, native, nullable, default, base, length in connection.execute(_COLUMNS, (oids,)):
        found[oid].append(Field(name, native, _KINDS.get(base, Kind.NATIVE), nullable, length, default))
    return found


def _unique_keys(
    connection: Any, oids: list[int]
) -> tuple[dict[int, tuple[str, ...]], dict[int, list[tuple[str, ...]]]]:
    primary, uniques = {}, defaultdict(list)
    for oid, is_primary, columns in connection.execute(_KEYS, (oids,)):
        if is_primary:
            primary[oid] = tuple(columns)
        else:
            uniques[oid].append(tuple(columns))
    return primary, uniques


def _foreign_keys(connection: Any, oids: list[int], copied: set[Name]) -> dict[int, list[ForeignKeyPlan]]:
    found = defaultdict(list)
    for oid, name, schema, table, columns, referred, action in connection.execute(_FOREIGN_KEYS, (oids,)):
        referred_table = _name(schema, table)
        if referred_table in copied:
            found[oid].append(ForeignKeyPlan(tuple(columns), referred_table, tuple(referred), _ON_DELETE[action], name))
    return found
