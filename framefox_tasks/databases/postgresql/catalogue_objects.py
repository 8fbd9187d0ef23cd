"""Queries for objects that are no tables. Each gives catalogue, number, kind, schema, name and SQL.

Rows of objects that no user made, or that belong to an extension, are left out, here or by who asks.
"""

from __future__ import annotations

USERS = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"

_EXTENSIONS = """
SELECT 'pg_extension', x.oid::bigint, 'EXTENSION', NULL, extname,
    format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', extname, n.nspname)
FROM pg_extension x JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY x.oid
"""
_SCHEMAS = f"""
SELECT 'pg_namespace', oid::bigint, 'SCHEMA', NULL, n.nspname, format('CREATE SCHEMA %I', n.nspname)
FROM pg_namespace n WHERE {USERS} AND n.nspname <> 'public' ORDER BY n.nspname
"""  # noqa: S608 - nothing but constants
_COLLATIONS = f"""
SELECT 'pg_collation', l.oid::bigint, 'COLLATION', n.nspname, collname,
    format('CREATE COLLATION %I.%I (PROVIDER = %s, ', n.nspname, collname,
        CASE collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END)
    || CASE collprovider WHEN 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', collcollate, collctype)
        ELSE format('LOCALE = %L', coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', collcollate))
        END
    || CASE WHEN collisdeterministic THEN '' ELSE ', DETERMINISTIC = false' END
    || coalesce(', RULES = ' || quote_literal(to_jsonb(l) ->> 'collicurules'), '') || ')'
FROM pg_collation l JOIN pg_namespace n ON n.oid = collnamespace WHERE {USERS} ORDER BY l.oid
"""  # noqa: S608 - nothing but constants
_TYPES = f"""
SELECT 'pg_type', t.oid::bigint, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname,
    CASE typtype
    WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, (
        SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
    WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, (
        SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) || coalesce(
            ' COLLATE ' || quote_ident(ln.nspname) || '.' || quote_ident(l.collname), ''), ', ' ORDER BY attnum)
        FROM pg_attribute a JOIN pg_type b ON b.oid = atttypid
        LEFT JOIN (pg_collation l JOIN pg_namespace ln ON ln.oid = collnamespace)
            ON l.oid = attcollation AND attcollation <> b.typcollation
        WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped))
    WHEN 'r' THEN (
        SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s, SUBTYPE_OPCLASS = %I.%I', n.nspname, t.typname,
                format_type(rngsubtype, NULL), on_.nspname, o.opcname)
            || CASE WHEN rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || rngsubdiff::regproc ELSE '' END
            || coalesce(', COLLATION = ' || quote_ident(ln.nspname) || '.' || quote_ident(l.collname), '')
            || coalesce(', MULTIRANGE_TYPE_NAME = ' || quote_ident(n.nspname) || '.' || quote_ident(m.typname), '')
            || ')'
        FROM pg_range r JOIN pg_opclass o ON o.oid = rngsubopc JOIN pg_namespace on_ ON on_.oid = opcnamespace
        LEFT JOIN (pg_collation l JOIN pg_namespace ln ON ln.oid = collnamespace) ON l.oid = rngcollation
        LEFT JOIN pg_type m ON m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
        WHERE rngtypid = t.oid)
    WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s', n.nspname, t.typname, format_type(typbasetype, typtypmod))
        || coalesce((SELECT format(' COLLATE %I.%I', ln.nspname, l.collname) FROM pg_type b, pg_collation l
            JOIN pg_namespace ln ON ln.oid = collnamespace
            WHERE b.oid = t.typbasetype AND l.oid = t.typcollation AND t.typcollation <> b.typcollation), '')
        || coalesce(' DEFAULT ' || coalesce(pg_get_expr(typdefaultbin, 0), quote_literal(typdefault)), '')
        || CASE WHEN typnotnull THEN ' NOT NULL' ELSE '' END
        || coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(k.oid)), ''
            ORDER BY conname) FROM pg_constraint k WHERE contypid = t.oid AND contype = 'c' AND convalidated), '')
    END
FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
WHERE {USERS} AND (typtype IN ('e', 'r', 'd') OR (typtype = 'c' AND c.relkind = 'c')) ORDER BY t.oid
"""  # noqa: S608 - nothing but constants
_SEQUENCES = f"""
SELECT 'pg_class', c.oid::bigint, 'SEQUENCE', n.nspname, relname,
    format('CREATE %sSEQUENCE %I.%I AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',
        CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
        n.nspname, relname, format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache,
        CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END)
FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE {USERS} AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND classid = 'pg_class'::regclass
    AND deptype = 'i') ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_FUNCTIONS = f"""
SELECT 'pg_proc', p.oid::bigint, CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, n.nspname,
    format('%s(%s)', proname, pg_get_function_identity_arguments(p.oid)), pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {USERS} AND prokind <> 'a'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'i')
ORDER BY p.oid
"""  # noqa: S608 - nothing but constants
_AGGREGATES = f"""
SELECT 'pg_proc', p.oid::bigint, 'AGGREGATE', n.nspname,
    format('%s(%s)', proname, pg_get_function_identity_arguments(p.oid)),
    format('CREATE AGGREGATE %I.%I (%s) (SFUNC = %s, STYPE = %s', n.nspname, proname,
        coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'), aggtransfn, format_type(aggtranstype, NULL))
    || CASE WHEN aggfinalfn <> 0 THEN ', FINALFUNC = ' || aggfinalfn ELSE '' END
    || CASE WHEN aggcombinefn <> 0 THEN ', COMBINEFUNC = ' || aggcombinefn ELSE '' END
    || coalesce(', INITCOND = ' || quote_literal(agginitval), '')
    || CASE proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' ELSE '' END || ')'
FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid JOIN pg_namespace n ON n.oid = pronamespace
WHERE {USERS} AND aggkind = 'n' AND aggmtransfn = 0 AND aggsortop = 0 ORDER BY p.oid
"""  # noqa: S608 - nothing but constants
QUERIES = (_EXTENSIONS, _SCHEMAS, _COLLATIONS, _TYPES, _SEQUENCES, _FUNCTIONS, _AGGREGATES)

VIEWS = f"""
SELECT 'pg_class', c.oid::bigint, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, relname,
    format('CREATE %s %I.%I%s AS %s', CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
        n.nspname, relname, coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', ''),
        rtrim(pg_get_viewdef(c.oid), ';'))
    || CASE relkind WHEN 'm' THEN ' WITH NO DATA' ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('v', 'm') AND {USERS} ORDER BY c.oid
"""  # noqa: S608 - nothing but constants

_TRIGGERS = f"""
SELECT 'pg_trigger', t.oid::bigint, 'TRIGGER', n.nspname, relname || ' ' || tgname, pg_get_triggerdef(t.oid)
    || CASE tgenabled WHEN 'O' THEN '' ELSE format('; ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, relname,
        CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname) END
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE NOT tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0' AND {USERS} ORDER BY t.oid
"""  # noqa: S608 - nothing but constants
_RULES = f"""
SELECT 'pg_rewrite', r.oid::bigint, 'RULE', n.nspname, relname || ' ' || rulename, pg_get_ruledef(r.oid)
    || CASE ev_enabled WHEN 'O' THEN '' ELSE format(' ALTER TABLE %I.%I %s RULE %I', n.nspname, relname,
        CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, rulename) END
FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE rulename <> '_RETURN' AND {USERS} ORDER BY r.oid
"""  # noqa: S608 - nothing but constants
_POLICIES = f"""
SELECT 'pg_policy', p.oid::bigint, 'POLICY', n.nspname, relname || ' ' || polname,
    format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s', polname, n.nspname, relname,
        CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
            ELSE 'ALL' END,
        (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ')
            FROM unnest(polroles) role))
    || coalesce(' USING (' || pg_get_expr(polqual, polrelid) || ')', '')
    || coalesce(' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')', '')
FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE {USERS} ORDER BY p.oid
"""  # noqa: S608 - nothing but constants
_SECURITY = f"""
SELECT 'pg_class', c.oid::bigint, 'ROW SECURITY', n.nspname, relname,
    format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', n.nspname, relname)
    || CASE WHEN relforcerowsecurity THEN format('; ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', n.nspname, relname)
        ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relrowsecurity AND {USERS} ORDER BY c.oid
"""  # noqa: S608 - nothing but constants
_EVENT_TRIGGERS = """
SELECT 'pg_event_trigger', oid::bigint, 'EVENT TRIGGER', NULL, evtname, format('CREATE EVENT TRIGGER %I ON %s%s '
    'EXECUTE FUNCTION %s()', evtname, evtevent, coalesce(' WHEN TAG IN (' || (SELECT string_agg(
        quote_literal(tag), ', ') FROM unnest(evttags) tag) || ')', ''), evtfoid::regproc)
    || CASE evtenabled WHEN 'O' THEN '' ELSE format('; ALTER EVENT TRIGGER %I %s', evtname,
        CASE evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END) END
FROM pg_event_trigger ORDER BY evtname
"""
# The identity of what belongs to a table is "it on table", that of a domain's check needs one more word.
_COMMENTS = """
SELECT classoid::regclass::text, objoid::bigint, 'COMMENT', NULL, i.identity, format('COMMENT ON %s %s IS %L',
    CASE WHEN i.type LIKE '% column' THEN 'COLUMN' WHEN i.type LIKE '% constraint' THEN 'CONSTRAINT'
        WHEN i.type = 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END,
    CASE WHEN i.type IN ('table constraint', 'trigger', 'rule', 'policy', 'domain constraint')
        THEN quote_ident(coalesce(k.conname, t.tgname, w.rulename, p.polname)) || CASE i.type
            WHEN 'domain constraint' THEN ' ON DOMAIN ' ELSE ' ON ' END
            || coalesce(nullif(k.contypid, 0)::regtype::text, coalesce(k.conrelid, t.tgrelid, w.ev_class,
                p.polrelid)::regclass::text)
        ELSE i.identity END, description)
FROM pg_description d CROSS JOIN pg_identify_object(classoid, objoid, objsubid) i
LEFT JOIN pg_constraint k ON classoid = 'pg_constraint'::regclass AND k.oid = objoid
LEFT JOIN pg_trigger t ON classoid = 'pg_trigger'::regclass AND t.oid = objoid
LEFT JOIN pg_rewrite w ON classoid = 'pg_rewrite'::regclass AND w.oid = objoid
LEFT JOIN pg_policy p ON classoid = 'pg_policy'::regclass AND p.oid = objoid
WHERE objoid >= 16384 AND classoid::regclass::text IN ('pg_class', 'pg_type', 'pg_proc', 'pg_namespace',
    'pg_constraint', 'pg_trigger', 'pg_rewrite', 'pg_policy', 'pg_statistic_ext', 'pg_event_trigger')
ORDER BY classoid, objoid, objsubid
"""
AT_LAST = (_TRIGGERS, _RULES, _POLICIES, _SECURITY, _EVENT_TRIGGERS, _COMMENTS)

_KINDS = (
    ("pg_operator", "operators"),
    ("pg_opclass", "operator classes"),
    ("pg_opfamily", "operator families"),
    ("pg_cast", "casts"),
    ("pg_conversion", "conversions"),
    ("pg_ts_config", "text search configurations"),
    ("pg_ts_dict", "text search dictionaries"),
    ("pg_foreign_data_wrapper", "foreign-data wrappers"),
    ("pg_foreign_server", "foreign servers"),
    ("pg_language", "languages"),
    ("pg_publication", "publications"),
    ("pg_transform", "transforms"),
    ("pg_am", "access methods"),
)
_NAMED = """
SELECT '{0}', x.oid::bigint, '{1}', (pg_identify_object('{0}'::regclass, x.oid, 0)).identity FROM {0} x
WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = '{0}'::regclass AND objid = x.oid
    AND deptype = 'i')
"""
_OTHERS = f"""
SELECT 'pg_class', c.oid, 'foreign tables', c.oid::regclass::text FROM pg_class c WHERE relkind = 'f'
UNION ALL SELECT 'pg_type', t.oid, 'types in C', t.oid::regtype::text FROM pg_type t
    JOIN pg_namespace n ON n.oid = typnamespace WHERE typtype = 'b' AND typelem = 0 AND {USERS}
UNION ALL SELECT 'pg_proc', p.oid, 'aggregates of a special kind', p.oid::regprocedure::text FROM pg_aggregate
    JOIN pg_proc p ON p.oid = aggfnoid
    WHERE p.oid >= 16384 AND NOT (aggkind = 'n' AND aggmtransfn = 0 AND aggsortop = 0)
UNION ALL SELECT 'pg_type', rngtypid, 'canonical functions of ranges', rngtypid::regtype::text FROM pg_range
    WHERE rngcanonical <> 0 AND rngtypid >= 16384
UNION ALL SELECT 'pg_class', c.oid, 'security labels', c.oid::regclass::text FROM pg_seclabel
    JOIN pg_class c ON c.oid = objoid AND classoid = 'pg_class'::regclass
"""  # noqa: S608 - nothing but constants
NOT_WRITTEN = " UNION ALL ".join([*(_NAMED.format(*kind) for kind in _KINDS), _OTHERS])
