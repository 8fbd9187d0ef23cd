"""What to ask PostgreSQL's catalogue; rows of one table share its number, which comes first."""

USERS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
"""The schemas that are a user's."""


def own(catalogue: str, column: str) -> str:
    """What no extension has brought."""
    return (
        f"NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '{catalogue}'::regclass"
        f" AND x.objid = {column} AND x.deptype = 'e')"
    )


TABLES = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind, CASE c.relkind WHEN 'r' THEN c.reltuples ELSE (
           SELECT CASE WHEN min(l.reltuples) < 0 THEN -1 ELSE sum(l.reltuples::float8) END
           FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf AND l.relkind = 'r') END,
       obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {USERS} AND {own("pg_class", "c.oid")}
ORDER BY n.nspname <> 'public', n.nspname, c.relname
"""
"""Of a partitioned table the root only. The leaves' rows are counted for the root."""

COLUMNS = """
WITH RECURSIVE chain(domain, typ, modifier, depth) AS (
    SELECT oid, oid, -1, 0 FROM pg_type WHERE typtype = 'd'
  UNION ALL
    SELECT domain, t.typbasetype, t.typtypmod, depth + 1 FROM chain JOIN pg_type t ON t.oid = typ WHERE t.typtype = 'd'
), domains AS (
    SELECT domain, bool_or(t.typnotnull) AS notnull,
           (array_agg(format_type(t.oid, NULL) ORDER BY depth DESC))[1] AS innermost,
           array_agg(pg_get_expr(k.conbin, 0) ORDER BY depth DESC, k.conname) FILTER (WHERE k.oid IS NOT NULL) AS checks
    FROM chain JOIN pg_type t ON t.oid = typ AND t.typtype = 'd'
    LEFT JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
    GROUP BY domain
), bases AS (
    SELECT domain, typ, modifier FROM chain JOIN pg_type t ON t.oid = typ AND t.typtype <> 'd'
)
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_constraint z WHERE z.conrelid = a.attrelid AND z.contype = 'n' AND NOT z.convalidated
               AND z.conkey = ARRAY[a.attnum]) OR coalesce(m.notnull, false),
       coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(w.typdefaultbin, 0), quote_literal(w.typdefault)),
       a.attidentity <> '', a.attgenerated <> '', s.description, l.collname, m.innermost,
       m.checks,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0 THEN 'array' WHEN t.typtype = 'e' THEN 'enum'
            WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN 'known'
            WHEN t.typname = 'citext' AND t.typtype = 'b' THEN 'known' ELSE '' END,
       t.typname, format_type(t.oid, coalesce(b.modifier, a.atttypmod)),
       CASE t.typtype WHEN 'e' THEN ARRAY(
           SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) END
FROM pg_attribute a JOIN pg_type w ON w.oid = a.atttypid
LEFT JOIN domains m ON m.domain = w.oid LEFT JOIN bases b ON b.domain = w.oid
JOIN pg_type t ON t.oid = coalesce(b.typ, w.oid)
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_description s ON s.classoid = 'pg_class'::regclass AND s.objoid = a.attrelid AND s.objsubid = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.oid <> w.typcollation
    AND l.collname NOT IN ('default', 'C', 'POSIX')
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
"""What is below the domains of each comes last: its name says what it holds only where it is one of pg_catalog."""

SEQUENCES = """
SELECT f.attrelid, f.attname, n.nspname, c.relname, q.seqincrement
FROM (
    SELECT a.attrelid, a.attname, coalesce(
        (SELECT d.refobjid FROM pg_attrdef e JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid
             AND d.refclassid = 'pg_class'::regclass JOIN pg_sequence s ON s.seqrelid = d.refobjid
         WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum LIMIT 1),
        (SELECT d.objid FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
             AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i') LIMIT 1),
        (SELECT d.refobjid FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.refobjid
         WHERE d.classid = 'pg_type'::regclass AND d.objid = a.atttypid AND d.refclassid = 'pg_class'::regclass LIMIT 1)
    ) AS sequence
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND (a.atthasdef OR a.attidentity <> '' OR t.typtype = 'd')
) f JOIN pg_sequence q ON q.seqrelid = f.sequence JOIN pg_class c ON c.oid = f.sequence
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE has_sequence_privilege(f.sequence, 'SELECT')
"""
"""What each column takes its numbers from: by its default, as its own, or by its domain's default."""


CONSTRAINTS = """
SELECT k.conrelid, k.contype, k.conname, k.conkey, n.nspname, r.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
       k.confupdtype, k.confdeltype, k.condeferrable, k.condeferred, pg_get_expr(k.conbin, k.conrelid), k.convalidated,
       k.confmatchtype, r.oid = k.confrelid,
       coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
FROM pg_constraint k LEFT JOIN pg_class r ON r.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
LEFT JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE k.conrelid = ANY(%s) AND (k.contype IN ('f', 'c', 'x') OR k.contype = 'n' AND NOT k.convalidated)
    AND NOT (k.contype = 'f' AND k.conparentid <> 0)
ORDER BY k.conrelid, k.conname
"""

PARTITION_KEYS = """
SELECT pg_partition_root(k.conrelid)::oid, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       n.nspname, r.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
       k.confupdtype, k.confdeltype, k.condeferrable, k.condeferred, k.convalidated, k.confmatchtype,
       r.oid = k.confrelid, ARRAY(SELECT relid::oid FROM pg_partition_tree(k.conrelid) WHERE isleaf),
       (SELECT count(*) FROM pg_partition_tree(pg_partition_root(k.conrelid)) WHERE isleaf)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_class r ON r.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relispartition AND pg_partition_root(k.conrelid) = ANY(%s)
ORDER BY 1, k.conname
"""
"""The foreign keys that partitions have and their tables do not, and how many of all leaves have each."""

INDEXES = """
SELECT i.indrelid, c.relname, i.indisprimary, i.indisvalid, i.indisunique, k.contype = 'u' IS TRUE, m.amname,
       i.indkey::int2[], i.indnkeyatts, i.indoption::int2[],
       CASE WHEN i.indexprs IS NOT NULL
            THEN ARRAY(SELECT pg_get_indexdef(i.indexrelid, g, true) FROM generate_series(1, i.indnkeyatts) g) END,
       pg_get_expr(i.indpred, i.indrelid),
       i.indclass::oid[] && ARRAY(SELECT oid FROM pg_opclass WHERE NOT opcdefault),
       coalesce(k.condeferrable, false),
       i.indisunique AND coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
       coalesce((to_jsonb(k) ->> 'conperiod')::bool, false)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = ANY(%s) AND coalesce(k.contype, 'u') <> 'x' AND (i.indisvalid OR i.indisprimary)
ORDER BY i.indrelid, c.relname
"""

_OF = """
CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, coalesce(pg_partition_root(c.oid), c.oid)
"""
OTHERS = f"""
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, n.nspname::text,
       c.relname::text, NULL::text, NULL::oid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm', 'f') AND {USERS} AND {own("pg_class", "c.oid")}
UNION ALL
SELECT 'trigger', NULL, t.tgname::text, {_OF}
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0' AND c.relkind IN ('r', 'p') AND {USERS}
UNION ALL
SELECT 'index', NULL, x.relname::text, {_OF}
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid
WHERE c.relispartition AND NOT x.relispartition AND {USERS}
UNION ALL
SELECT 'rule', NULL, r.rulename::text, {_OF}
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {USERS}
UNION ALL
SELECT 'row policy', NULL, p.polname::text, {_OF}
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {USERS}
UNION ALL
SELECT DISTINCT CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       n.nspname::text, f.proname::text, NULL, NULL::oid
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE {USERS}
    AND {own("pg_proc", "f.oid")} AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'i')
UNION ALL
SELECT 'large objects:', NULL, count(*)::text, NULL, NULL FROM pg_largeobject_metadata HAVING count(*) > 0
UNION ALL
SELECT 'sequence', n.nspname::text, c.relname::text, NULL, NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND {USERS} AND {own("pg_class", "c.oid")} AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
    OR (d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid))
UNION ALL
SELECT 'extended statistics', n.nspname::text, s.stxname::text, NULL, NULL
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {USERS}
UNION ALL
SELECT 'extension', NULL, extname::text, NULL, NULL FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'event trigger', NULL, evtname::text, NULL, NULL FROM pg_event_trigger t WHERE {own("pg_event_trigger", "t.oid")}
ORDER BY 1, 2, 3, 4
"""
"""What no other database can have, the table it belongs to last: its name, and the number of what is chosen with it."""

TYPES = f"""
SELECT CASE t.typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type' ELSE 'type' END,
       format_type(t.oid, NULL)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE {USERS} AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typcategory <> 'A' AND {own("pg_type", "t.oid")}
ORDER BY n.nspname, t.typname
"""
