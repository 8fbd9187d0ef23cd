"""What to ask PostgreSQL's catalogue; rows of one table share its number, which comes first."""

_USERS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"


def _own(catalogue: str, column: str) -> str:
    """What no extension has brought."""
    return (
        f"NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '{catalogue}'::regclass"
        f" AND x.objid = {column} AND x.deptype = 'e')"
    )


TABLES = f"""
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::float8,
       obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {_USERS} AND {_own("pg_class", "c.oid")}
ORDER BY n.nspname <> 'public', n.nspname, c.relname
"""

COLUMNS = f"""
SELECT c.oid::int8, a.attnum::int, a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid::int8,
       a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       col_description(c.oid, a.attnum),
       (SELECT l.collname::text FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
        WHERE l.oid = a.attcollation AND l.oid <> t.typcollation AND l.collname NOT IN ('default', 'C', 'POSIX'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {_USERS}
ORDER BY c.oid, a.attnum
"""

TYPES = f"""
SELECT t.oid::int8, format_type(t.oid, NULL), t.typtype::text, t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0,
       t.typbasetype::int8, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault, t.typname::text
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE ({_USERS} AND (t.typrelid = 0 OR c.relkind = 'c') AND {_own("pg_type", "t.oid")})
   OR (t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0)
ORDER BY n.nspname, t.typname
"""

ENUMS = "SELECT enumtypid::int8, enumlabel::text FROM pg_enum ORDER BY enumtypid, enumsortorder"

DOMAIN_CHECKS = """
SELECT contypid::int8, pg_get_expr(conbin, 0) FROM pg_constraint WHERE contype = 'c' AND contypid <> 0 ORDER BY conname
"""

_FOLLOWING = """
CASE WHEN has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')
     THEN coalesce(pg_sequence_last_value(s.seqrelid) + s.seqincrement, s.seqstart) END
"""
SEQUENCES = f"""
SELECT d.refobjid::int8, d.refobjsubid::int, {_FOLLOWING}
FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
UNION ALL
SELECT e.adrelid::int8, e.adnum::int, {_FOLLOWING}
FROM pg_attrdef e JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
JOIN pg_sequence s ON s.seqrelid = d.refobjid AND d.refclassid = 'pg_class'::regclass
"""


def _names(numbers: str, table: str) -> str:
    return (
        f"ARRAY(SELECT a.attname::text FROM unnest({numbers}) WITH ORDINALITY u(number, place)"
        f" JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.number ORDER BY u.place)"
    )


CONSTRAINTS = f"""
SELECT k.conrelid::int8, k.contype::text, k.conname::text, {_names("k.conkey", "k.conrelid")}, n.nspname::text,
       r.relname::text, {_names("k.confkey", "k.confrelid")}, k.confupdtype::text, k.confdeltype::text,
       k.condeferrable, k.condeferred, pg_get_expr(k.conbin, k.conrelid), k.convalidated, k.confmatchtype::text
FROM pg_constraint k LEFT JOIN pg_class r ON r.oid = k.confrelid LEFT JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE k.conrelid <> 0 AND k.contype IN ('p', 'f', 'c', 'x') AND NOT (k.contype = 'f' AND k.conparentid <> 0)
ORDER BY k.conrelid, k.conname
"""

_KEYS = "generate_series(1, i.indnkeyatts) g"
INDEXES = f"""
SELECT i.indrelid::int8, c.relname::text, i.indisunique, k.contype = 'u' IS TRUE, m.amname::text,
       ARRAY(SELECT a.attname::text FROM {_KEYS} LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid
             AND a.attnum = i.indkey[g - 1] AND i.indkey[g - 1] <> 0 ORDER BY g),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, g, true) FROM {_KEYS} ORDER BY g),
       ARRAY(SELECT i.indoption[g - 1]::int FROM {_KEYS} ORDER BY g),
       pg_get_expr(i.indpred, i.indrelid),
       EXISTS (SELECT 1 FROM {_KEYS} JOIN pg_opclass o ON o.oid = i.indclass[g - 1] WHERE NOT o.opcdefault),
       ARRAY(SELECT a.attname::text FROM generate_series(i.indnkeyatts + 1, i.indnatts) g
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g - 1] ORDER BY g),
       coalesce(k.condeferrable, false), coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE NOT i.indisprimary AND coalesce(k.contype, 'u') = 'u' AND i.indisvalid
ORDER BY i.indrelid, c.relname
"""


def _of(table: str) -> str:
    return f"CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || {table}"


OTHERS = f"""
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, n.nspname::text,
       c.relname::text, NULL::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm', 'f') AND {_USERS} AND {_own("pg_class", "c.oid")}
UNION ALL
SELECT 'trigger', NULL, t.tgname::text, {_of("c.relname")}
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND {_USERS}
UNION ALL
SELECT 'rule', NULL, r.rulename::text, {_of("c.relname")}
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {_USERS}
UNION ALL
SELECT 'row policy', NULL, p.polname::text, {_of("c.relname")}
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USERS}
UNION ALL
SELECT DISTINCT CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       n.nspname::text, f.proname::text, NULL
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE {_USERS} AND {_own("pg_proc", "f.oid")}
UNION ALL
SELECT 'sequence', n.nspname::text, c.relname::text, NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND {_USERS} AND {_own("pg_class", "c.oid")} AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
    OR (d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid))
UNION ALL
SELECT 'extended statistics', n.nspname::text, s.stxname::text, NULL
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {_USERS}
UNION ALL
SELECT 'extension', NULL, extname::text, NULL FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'event trigger', NULL, evtname::text, NULL FROM pg_event_trigger t WHERE {_own("pg_event_trigger", "t.oid")}
ORDER BY 1, 2, 3, 4
"""
"""What no other database can have, the table it belongs to last."""
