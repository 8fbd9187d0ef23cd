"""Queries for tables and what belongs to them. Each gives catalogue, number, kind, schema, name and SQL."""

from __future__ import annotations

from framefox_tasks.databases.postgresql.catalogue_objects import USERS

_COLUMNS = """
SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod))
    || coalesce((SELECT format(' COLLATE %I.%I', ln.nspname, l.collname) FROM pg_type b, pg_collation l
        JOIN pg_namespace ln ON ln.oid = collnamespace
        WHERE b.oid = atttypid AND l.oid = attcollation AND attcollation <> b.typcollation), '')
    || CASE WHEN attgenerated <> '' THEN format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(adbin, adrelid),
        CASE attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
        ELSE coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') END
    || coalesce((SELECT format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %I.%I START %s INCREMENT %s MINVALUE %s '
            'MAXVALUE %s CACHE %s%s)', CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
            sn.nspname, s.relname, seqstart, seqincrement, seqmin, seqmax, seqcache,
            CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END)
        FROM pg_depend d JOIN pg_sequence ON seqrelid = d.objid JOIN pg_class s ON s.oid = seqrelid
        JOIN pg_namespace sn ON sn.oid = s.relnamespace
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = attrelid AND d.refobjsubid = attnum
            AND d.deptype = 'i'), '')
    || coalesce((SELECT CASE WHEN k.convalidated THEN format(' CONSTRAINT %I NOT NULL%s', conname,
            CASE WHEN connoinherit AND relkind <> 'p' THEN ' NO INHERIT' ELSE '' END) ELSE '' END
        FROM pg_constraint k WHERE conrelid = attrelid AND contype = 'n' AND conkey = ARRAY[attnum]),
        CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', ' ORDER BY attnum)
FROM pg_attribute a LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND (attislocal OR relispartition)
"""
_CHECKS = """
SELECT string_agg(format(', CONSTRAINT %I %s', conname, pg_get_constraintdef(k.oid)), '' ORDER BY conname)
FROM pg_constraint k WHERE conrelid = c.oid AND contype = 'c' AND convalidated AND (conislocal OR relispartition)
"""
_OPTIONS = """
SELECT string_agg(sql, '') FROM (
    SELECT format('; ALTER TABLE ONLY %I.%I ALTER COLUMN %I SET STORAGE %s', n.nspname, c.relname, attname,
        CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END) AS sql
    FROM pg_attribute JOIN pg_type b ON b.oid = atttypid
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attstorage <> b.typstorage
  UNION ALL
    SELECT format('; ALTER TABLE ONLY %I.%I ALTER COLUMN %I SET STATISTICS %s', n.nspname, c.relname, attname,
        attstattarget)
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0
) x
"""
# A partition is a table of its own first, so that its columns keep their order.
TABLES = f"""
SELECT 'pg_class', c.oid::bigint, 'TABLE', n.nspname, c.relname,
    format('CREATE %sTABLE %I.%I (%s%s)', CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
        n.nspname, c.relname, ({_COLUMNS}), ({_CHECKS}))
    || coalesce((SELECT ' INHERITS (' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) || ')'
        FROM pg_inherits WHERE inhrelid = c.oid AND NOT relispartition), '')
    || CASE relkind WHEN 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END
    || CASE WHEN amname <> 'heap' THEN format(' USING %I', amname) ELSE '' END
    || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '')
    || coalesce(({_OPTIONS}), '')
    || CASE relreplident WHEN 'f' THEN format('; ALTER TABLE ONLY %I.%I REPLICA IDENTITY FULL', n.nspname, c.relname)
        WHEN 'n' THEN format('; ALTER TABLE ONLY %I.%I REPLICA IDENTITY NOTHING', n.nspname, c.relname) ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_am ON pg_am.oid = relam
WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND {USERS} ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_ATTACHED = f"""
SELECT 'pg_class', c.oid::bigint, 'TABLE ATTACH', n.nspname, relname,
    format('ALTER TABLE ONLY %s ATTACH PARTITION %I.%I %s', inhparent::regclass, n.nspname, relname,
        pg_get_expr(relpartbound, c.oid))
FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE relispartition AND relkind IN ('r', 'p') AND {USERS} ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_OWNED = f"""
SELECT 'pg_class', c.oid::bigint, 'SEQUENCE OWNED BY', n.nspname, relname,
    format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', n.nspname, relname, a.attrelid::regclass, attname)
FROM pg_depend d JOIN pg_class c ON c.oid = objid AND relkind = 'S' JOIN pg_namespace n ON n.oid = relnamespace
JOIN pg_attribute a ON attrelid = refobjid AND attnum = refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND deptype = 'a' AND {USERS}
ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_INDEX_MARKS = """
    || CASE WHEN i.indisclustered THEN format('; ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, x.relname)
        ELSE '' END
    || CASE WHEN i.indisreplident THEN format('; ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %I',
        i.indrelid::regclass, x.relname) ELSE '' END
"""
_KEYS = f"""
SELECT 'pg_constraint', k.oid::bigint, 'CONSTRAINT', n.nspname, c.relname || ' ' || conname,
    format('ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, conname, pg_get_constraintdef(k.oid))
    {_INDEX_MARKS}
FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indexrelid = conindid JOIN pg_class x ON x.oid = conindid
WHERE contype IN ('p', 'u', 'x') AND {USERS} ORDER BY contype, k.oid
"""  # noqa: S608 - nothing but constants


def _indexes(relkind: str) -> str:
    return f"""
SELECT 'pg_class', x.oid::bigint, 'INDEX', n.nspname, x.relname, pg_get_indexdef(x.oid) {_INDEX_MARKS}
FROM pg_index i JOIN pg_class x ON x.oid = indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
JOIN pg_class c ON c.oid = indrelid
WHERE {USERS} AND c.relkind {relkind} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid
    AND contype IN ('p', 'u', 'x')) ORDER BY x.oid
"""  # noqa: S608 - nothing but constants


_INDEXES_ATTACHED = f"""
SELECT 'pg_class', c.oid::bigint, 'INDEX ATTACH', n.nspname, relname,
    format('ALTER INDEX %s ATTACH PARTITION %I.%I', inhparent::regclass, n.nspname, relname)
FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('i', 'I') AND {USERS} ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_FOREIGN_KEYS = f"""
SELECT 'pg_constraint', k.oid::bigint, CASE contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE 'CHECK CONSTRAINT' END,
    n.nspname, relname || ' ' || conname, format('ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s',
        CASE relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, relname, conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE (contype = 'f' AND conparentid = 0 OR contype IN ('c', 'n') AND NOT convalidated) AND {USERS} ORDER BY k.oid
"""  # noqa: S608 - nothing but constants
_DOMAIN_CHECKS = f"""
SELECT 'pg_constraint', k.oid::bigint, 'CHECK CONSTRAINT', n.nspname, typname || ' ' || conname,
    format('ALTER DOMAIN %I.%I ADD CONSTRAINT %I %s', n.nspname, typname, conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_type t ON t.oid = contypid JOIN pg_namespace n ON n.oid = typnamespace
WHERE contype = 'c' AND NOT convalidated AND {USERS} ORDER BY k.oid
"""  # noqa: S608 - nothing but constants
_STATISTICS = f"""
SELECT 'pg_statistic_ext', s.oid::bigint, 'STATISTICS', n.nspname, stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace WHERE {USERS} ORDER BY s.oid
"""  # noqa: S608 - nothing but constants

AFTER_TABLES = (
    _ATTACHED,
    _OWNED,
    _KEYS,
    _indexes("<> 'm'"),
    _INDEXES_ATTACHED,
    _FOREIGN_KEYS,
    _DOMAIN_CHECKS,
    _STATISTICS,
)
AT_LAST = (_indexes("= 'm'"),)
