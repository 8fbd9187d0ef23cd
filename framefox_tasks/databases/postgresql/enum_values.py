"""The SQL that gives an enum type other values: values can be added to a type, but not taken away from it.

The type is made anew under its name, and every column of it changes over. What mentions the type or such a column
(checks, foreign keys, indexes, defaults, views, triggers) cannot follow: it is dropped and made again as the server
defines it. All of that is found when the statement runs, so that it works on databases that differ, and offline.
"""

from __future__ import annotations

from collections.abc import Iterable

_MENTIONS = """
    d.refclassid = 'pg_type'::regclass AND d.refobjid IN (was, was_array)
    OR d.refclassid = 'pg_class'::regclass AND (d.refobjid, d.refobjsubid) IN (
        SELECT attrelid, attnum FROM pg_attribute WHERE atttypid IN (was, was_array) AND NOT attisdropped)
"""

_CONSTRAINTS = f"""
    SELECT array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) ORDER BY contype DESC),
        array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
            || coalesce(format('; COMMENT ON CONSTRAINT %I ON %s IS %L', conname, conrelid::regclass,
                obj_description(oid, 'pg_constraint')), '') ORDER BY contype = 'f')
    INTO gone, back FROM pg_constraint con
    WHERE contype IN ('c', 'x', 'f') AND conrelid <> 0 AND conparentid = 0 AND coninhcount = 0 AND EXISTS (
        SELECT 1 FROM pg_depend d WHERE (
            d.classid = 'pg_constraint'::regclass AND d.objid = con.oid
            OR d.classid = 'pg_class'::regclass AND d.objid = con.conindid AND con.contype = 'x'
        ) AND ({_MENTIONS}));
"""

_INDEXES = f"""
    SELECT array_agg(format('DROP INDEX %s', i.indexrelid::regclass)),
        array_agg(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
            || coalesce(format('; COMMENT ON INDEX %s IS %L', i.indexrelid::regclass,
                obj_description(i.indexrelid, 'pg_class')), ''))
    INTO gone, back FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    WHERE (indpred IS NOT NULL OR indexprs IS NOT NULL) AND NOT c.relispartition AND t.relkind <> 'm'
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
        AND ({_MENTIONS}));
"""

_DEFAULTS = """
    SELECT array_agg(format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', adrelid::regclass, attname)),
        array_agg(format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', adrelid::regclass, attname,
            pg_get_expr(adbin, adrelid)))
    INTO gone, back FROM pg_attrdef f JOIN pg_attribute a ON attrelid = adrelid AND attnum = adnum
    WHERE attgenerated = '' AND (atttypid IN (was, was_array) OR EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        AND d.refclassid = 'pg_type'::regclass AND d.refobjid IN (was, was_array)));
"""

_VIEWS = f"""
    WITH RECURSIVE found(oid, depth) AS (
        SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND ({_MENTIONS})
        UNION SELECT r.ev_class, depth + 1 FROM found JOIN pg_depend d ON d.refobjid = found.oid
        JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass AND r.ev_class <> found.oid
    ), view AS (
        SELECT c.*, max(depth) AS depth, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind
        FROM found JOIN pg_class c USING (oid) WHERE relkind IN ('v', 'm') GROUP BY c.oid, c.*
    )
    SELECT array_agg(format('DROP %s %s', kind, oid::regclass) ORDER BY depth DESC),
        array_agg(format('CREATE %s %s%s AS %s%s', kind, oid::regclass,
            ' WITH (' || array_to_string(reloptions, ', ') || ')', rtrim(pg_get_viewdef(oid), ';'),
            CASE WHEN relispopulated THEN '' ELSE ' WITH NO DATA' END)
            || coalesce(format('; COMMENT ON %s %s IS %L', kind, oid::regclass, obj_description(oid, 'pg_class')), '')
            || coalesce((SELECT string_agg(format('; COMMENT ON COLUMN %s.%I IS %L', view.oid::regclass,
                attname, description), '') FROM pg_description JOIN pg_attribute ON attrelid = objoid AND
                attnum = objsubid WHERE classoid = 'pg_class'::regclass AND objoid = view.oid AND objsubid > 0), '')
            || coalesce((SELECT string_agg('; ' || pg_get_indexdef(indexrelid), '')
                FROM pg_index WHERE indrelid = view.oid), '')
            || CASE WHEN relowner = current_user::regrole THEN ''
                ELSE format('; ALTER TABLE %s OWNER TO %I', oid::regclass, pg_get_userbyid(relowner)) END
            || coalesce((SELECT string_agg(format('; GRANT %s ON %s TO %s%s', privilege_type, view.oid::regclass,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '')
                FROM aclexplode(relacl) WHERE grantee <> relowner), '') ORDER BY depth)
    INTO gone, back FROM view;
"""

_TRIGGERS = f"""
    SELECT array_agg(format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)),
        array_agg(pg_get_triggerdef(oid) || CASE tgenabled WHEN 'O' THEN '' ELSE format(
            '; ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass, CASE tgenabled WHEN 'D' THEN 'DISABLE'
            WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, tgname) END)
    INTO gone, back FROM pg_trigger g WHERE NOT tgisinternal AND tgparentid = 0 AND EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = g.oid AND ({_MENTIONS}));
"""

# In the order in which they are dropped. The other way round they are made again.
_DEPENDENT = (_TRIGGERS, _VIEWS, _CONSTRAINTS, _INDEXES, _DEFAULTS)

_COLUMNS = """
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE atttypid IN (was, was_array) AND NOT attisdropped AND attinhcount = 0 AND relkind IN ('r', 'p')
"""

_COLLECT = """
    drops := drops || coalesce(gone, '{}'); restores := coalesce(back, '{}') || restores;
"""

_STATEMENT = f"""DO $enum$
DECLARE
    was CONSTANT regtype := @TYPE@::regtype;
    was_array CONSTANT oid := (SELECT typarray FROM pg_type WHERE oid = was);
    wanted CONSTANT text[] := ARRAY[@VALUES@]::text[];
    bare CONSTANT text := (SELECT typname FROM pg_type WHERE oid = was);
    owner CONSTANT regrole := (SELECT typowner FROM pg_type WHERE oid = was);
    remark CONSTANT text := obj_description(was, 'pg_type');
    type_name CONSTANT text := (SELECT format('%I.%I', nspname, typname)
        FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE t.oid = was);
    drops text[] := '{{}}'; restores text[] := '{{}}'; alters text[] := '{{}}';
    gone text[]; back text[]; statement text; one record; example text; number bigint;
BEGIN
    FOR one IN SELECT attrelid::regclass AS tab, attname AS col,
        CASE atttypid WHEN was THEN 'ARRAY[%2$I::text]' ELSE '%2$I::text[]' END AS held {_COLUMNS} LOOP
        EXECUTE format('SELECT count(*), min(value) FROM %1$s, unnest(' || one.held || ') value '
            'WHERE value <> ALL ($1)', one.tab, one.col) INTO number, example USING wanted;
        IF number > 0 THEN
            RAISE EXCEPTION 'The enum type % cannot lose the value %: the column % of % holds it or another one that '
                'goes, % times', was, quote_literal(example), one.col, one.tab, number
                USING HINT = 'Change those rows first, in the same migration.', ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    {_COLLECT.join((*_DEPENDENT, ""))}
    SELECT coalesce(array_agg(format('ALTER TABLE %s %s', tab, actions)), '{{}}') INTO alters FROM (
        SELECT attrelid::regclass AS tab, string_agg(format('ALTER COLUMN %1$I TYPE %2$s%3$s USING %1$I::text%3$s'
            '::%2$s%3$s', attname, type_name, CASE atttypid WHEN was THEN '' ELSE '[]' END), ', ') AS actions
        {_COLUMNS} GROUP BY attrelid) each_table;
    FOREACH statement IN ARRAY drops LOOP EXECUTE statement; END LOOP;
    EXECUTE format('ALTER TYPE %s RENAME TO %I', type_name, left(bare, 55) || '_before');
    EXECUTE format('CREATE TYPE %s AS ENUM (%s)', type_name,
        (SELECT string_agg(quote_literal(value), ', ' ORDER BY place)
        FROM unnest(wanted) WITH ORDINALITY AS w(value, place)));
    FOREACH statement IN ARRAY alters LOOP EXECUTE statement; END LOOP;
    FOREACH statement IN ARRAY restores LOOP EXECUTE statement; END LOOP;
    EXECUTE format('DROP TYPE %s', was);
    IF remark IS NOT NULL THEN EXECUTE format('COMMENT ON TYPE %s IS %L', type_name, remark); END IF;
    IF owner <> current_user::regrole THEN EXECUTE format('ALTER TYPE %s OWNER TO %s', type_name, owner); END IF;
END $enum$"""


def set_enum_values_sql(type_name: str, values: Iterable[str]) -> str:
    """One statement that gives an enum type these values, in this order.

    Args:
        type_name: As SQL, quoted where that is needed.
        values: Not yet quoted.
    """
    listed = ", ".join(map(literal, values))
    statement = _STATEMENT.replace("@TYPE@", literal(type_name)).replace("@VALUES@", listed)
    tag = next(tag for tag in ("$enum$", *(f"$enum{number}$" for number in range(9))) if tag not in type_name + listed)
    return (
        statement if tag == "$enum$" else f"DO {tag}{statement.removeprefix('DO $enum$').removesuffix('$enum$')}{tag}"
    )


def literal(text: str) -> str:
    """A text as SQL."""
    escaped = text.replace("'", "''")
    if "\\" not in escaped:
        return f"'{escaped}'"
    return "E'" + escaped.replace("\\", "\\\\") + "'"
