"""Who owns what is in a database, and who may use it: read from a source, and given to a copy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from framefox_tasks.databases.postgresql.session import literal, quoted
from framefox_tasks.databases.postgresql.staging import Described
from framefox_tasks.databases.rows import Statement

# Catalogue, columns of the owner and of the privileges, what acldefault() calls the kind, what ALTER and GRANT call it.
# Event triggers, wrappers of foreign data and the like are left to the user of the copy: only a superuser owns them.
_KINDS = (
    ("pg_namespace", "nspowner", "nspacl", "'n'", "SCHEMA", "'SCHEMA'"),
    ("pg_type", "typowner", "typacl", "'T'", "TYPE", "'TYPE'"),
    ("pg_proc", "proowner", "proacl", "'f'", "ROUTINE", "'ROUTINE'"),
    (
        *("pg_class", "relowner", "relacl", "CASE relkind WHEN 'S' THEN 's' ELSE 'r' END", "TABLE"),
        "CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END",
    ),
    ("pg_foreign_server", "srvowner", "srvacl", "'S'", "SERVER", "'FOREIGN SERVER'"),
    ("pg_operator", "oprowner", "NULL", "'r'", "OPERATOR", "''"),
    ("pg_opclass", "opcowner", "NULL", "'r'", "OPERATOR CLASS", "''"),
    ("pg_opfamily", "opfowner", "NULL", "'r'", "OPERATOR FAMILY", "''"),
    ("pg_collation", "collowner", "NULL", "'r'", "COLLATION", "''"),
    ("pg_conversion", "conowner", "NULL", "'r'", "CONVERSION", "''"),
    ("pg_ts_dict", "dictowner", "NULL", "'r'", "TEXT SEARCH DICTIONARY", "''"),
    ("pg_ts_config", "cfgowner", "NULL", "'r'", "TEXT SEARCH CONFIGURATION", "''"),
    ("pg_statistic_ext", "stxowner", "NULL", "'r'", "STATISTICS", "''"),
)
_FILTERS = {
    "pg_class": "relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'",
    "pg_namespace": "nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'",
}
_OBJECTS = " UNION ALL ".join(
    f"SELECT {place} AS place, '{catalogue}'::regclass AS class, oid, {owner} AS owner, {acl}::aclitem[] AS acl, "  # noqa: S608
    f"acldefault(({letter})::\"char\", {owner}) AS base, {letter} AS letter, '{owned}' AS owned, {granted} AS granted "
    f"FROM {catalogue} WHERE {_FILTERS.get(catalogue, 'true')}"
    for place, (catalogue, owner, acl, letter, owned, granted) in enumerate(_KINDS)
)
# The sequence of a column belongs to whom the table does, and the type of its rows as well.
_OWNED = f"""
SELECT r.rolname, format('ALTER %s %s OWNER TO ', owned, (pg_identify_object(class, x.oid, 0)).identity)
FROM ({_OBJECTS}) x JOIN pg_roles r ON r.oid = owner WHERE (x.oid >= 16384 OR (owned = 'SCHEMA' AND owner >= 16384))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = x.oid AND d.objsubid = 0
        AND (deptype IN ('e', 'i') OR (deptype = 'a' AND letter = 's' AND refobjsubid > 0)))
ORDER BY place, x.oid
"""  # noqa: S608 - nothing but constants
# What the owner and everyone may do from the start is no privilege to give; `base` says what that is.
_GRANTED = f"""
SELECT coalesce(r.rolname, ''), on_what, columns, now, base, whole, '', '' FROM (
    SELECT class, x.oid, columns, owner, grantee,
        granted || ' ' || (pg_identify_object(class, x.oid, 0)).identity AS on_what,
        array_agg(DISTINCT privilege) FILTER (WHERE is_now) AS now,
        array_agg(DISTINCT privilege) FILTER (WHERE NOT is_now) AS base,
        ARRAY(SELECT privilege_type FROM aclexplode(acldefault(letter::"char", owner)) WHERE grantee = owner) AS whole
    FROM (
        SELECT class, oid, '' AS columns, owner, acl, letter, granted,
            coalesce((SELECT initprivs FROM pg_init_privs WHERE classoid = class AND objoid = o.oid AND objsubid = 0),
                base) AS base
        FROM ({_OBJECTS}) o WHERE acl IS NOT NULL AND (oid >= 16384 OR granted = 'SCHEMA')
      UNION ALL
        SELECT 'pg_class'::regclass, c.oid, format(' (%I)', attname), relowner, attacl, 'c', 'TABLE', NULL
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE attacl IS NOT NULL AND NOT attisdropped AND c.oid >= 16384 AND relpersistence <> 't'
    ) x, LATERAL (
        SELECT is_now, grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END AS privilege
        FROM (SELECT true AS is_now, * FROM aclexplode(acl) UNION ALL SELECT false, * FROM aclexplode(base)) b
    ) e
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = x.oid AND deptype = 'e')
    GROUP BY class, x.oid, columns, owner, grantee, granted, letter
) y LEFT JOIN pg_roles r ON r.oid = grantee
WHERE now IS DISTINCT FROM base AND (now IS NOT NULL OR grantee IN (0, owner)) ORDER BY class, y.oid, columns
"""  # noqa: S608 - nothing but constants
_DEFAULTS = """
SELECT coalesce(r.rolname, ''), on_what, '', now, base, '{}'::text[], maker, schema FROM (
    SELECT d.oid, m.rolname AS maker, coalesce(n.nspname, '') AS schema, grantee,
        CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
            WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS on_what,
        array_agg(DISTINCT privilege) FILTER (WHERE is_now) AS now,
        array_agg(DISTINCT privilege) FILTER (WHERE NOT is_now) AS base
    FROM pg_default_acl d JOIN pg_roles m ON m.oid = defaclrole LEFT JOIN pg_namespace n ON n.oid = defaclnamespace,
    LATERAL (
        SELECT is_now, grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END AS privilege
        FROM (SELECT true AS is_now, * FROM aclexplode(defaclacl) UNION ALL
            SELECT false, * FROM aclexplode(acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END,
                defaclrole)) WHERE defaclnamespace = 0) b
    ) e WHERE defaclobjtype IN ('r', 'S', 'f', 'T', 'n') GROUP BY d.oid, m.rolname, n.nspname, grantee, defaclobjtype
) x LEFT JOIN pg_roles r ON r.oid = grantee WHERE now IS DISTINCT FROM base ORDER BY x.oid
"""
_OWNERS_BEFORE = """
SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles r ON r.oid = refobjid
WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND dbid = %s AND rolname <> current_user
"""
_LOST = """
SELECT rolname FROM pg_catalog.pg_roles r WHERE NOT rolsuper AND rolname <> %(owner)s
    AND EXISTS (SELECT FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::regclass
        AND refobjid = r.oid AND deptype IN ('o', 'a') AND dbid = %(before)s)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::regclass
        AND refobjid = r.oid AND deptype IN ('o', 'a') AND dbid = %(now)s)
ORDER BY 1
"""
# What the copy does not have is passed over; what else is refused is told at the end.
COMMIT = "COMMIT; -- or the locks of a great many tables would be held at once"
_BLOCK = """DO $framefox_tasks$
DECLARE step text; refused text;
BEGIN
    {roles}
    FOREACH step IN ARRAY ARRAY[{steps}] LOOP
        BEGIN
            EXECUTE step;
        EXCEPTION
            WHEN undefined_table OR undefined_function OR undefined_object OR undefined_column OR invalid_schema_name
                THEN NULL;
            WHEN OTHERS THEN refused := SQLERRM;
        END;
        {commit}
    END LOOP;
    IF refused IS NOT NULL THEN RAISE EXCEPTION '%', refused; END IF;
END $framefox_tasks$"""


def access_of(connection: Any) -> Iterator[Statement]:
    """Statements that give everything to whom it belongs in a source, and then let others use it.

    There is one for each role, so that one that is not there, or that the user may not give to, is told once.
    """
    owned = defaultdict(list)
    for owner, step in connection.execute(_OWNED):
        owned[owner].append(step + quoted(owner))
    for owner, steps in owned.items():
        yield Statement(_block([owner], steps), f"what belongs to {owner}", optional=True)
    granted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for query in (_GRANTED, _DEFAULTS):
        for grantee, on_what, columns, now, base, whole, maker, schema in connection.execute(query):
            first = _for_later(maker, schema) if maker else ""
            grants = _grants(grantee, on_what, columns, now or [], base or [], whole)
            granted[grantee, maker] += [first + grant for grant in grants]
    for (grantee, maker), steps in granted.items():
        about = f"privileges of {grantee or 'PUBLIC'}{f' in what {maker} will make' if maker else ''}"
        yield Statement(_block([role for role in (grantee, maker) if role], steps), about, optional=True)


def _grants(
    grantee: str, on_what: str, columns: str, now: Sequence[str], base: Sequence[str], whole: Sequence[str]
) -> Iterator[str]:
    """Statements that let a role do what it may, instead of what it might from the start."""
    role = quoted(grantee) if grantee else "PUBLIC"
    if base:
        yield f"REVOKE ALL{columns} ON {on_what} FROM {role}"
    for more, option in (("", ""), ("*", " WITH GRANT OPTION")):
        names = [name.rstrip("*") for name in now if name.endswith("*") == bool(more)]
        # The servers of other versions have other privileges.
        listed = "ALL" if whole and set(names) == set(whole) else ", ".join(f"{name}{columns}" for name in names)
        if names:
            yield f"GRANT {listed} ON {on_what} TO {role}{option}"


def _for_later(maker: str, schema: str) -> str:
    where = f" IN SCHEMA {quoted(schema)}" if schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(maker)}{where} "


def _block(roles: Iterable[str], steps: Iterable[str]) -> str:
    there = " ".join(f"PERFORM {literal(quoted(role))}::regrole;" for role in roles)
    return (
        _BLOCK.replace("{commit}", COMMIT).replace("{roles}", there).replace("{steps}", ", ".join(map(literal, steps)))
    )


def handing_over(connection: Any, held: Described) -> Statement | None:
    """What gives a copy to the owner of the database that it replaces: their application is to find its tables.

    A role that had something there before keeps what it has in the copy; what belongs to another is the owner's.

    Args:
        connection: To the copy.
        held: The database that is replaced.
    """
    keep = {held.owner, *(name for (name,) in connection.execute(_OWNERS_BEFORE, (held.oid,)))}
    steps = [step + quoted(held.owner) for owner, step in connection.execute(_OWNED) if owner not in keep]
    return Statement(_block([held.owner], steps), f"what belongs to {held.owner}", optional=True) if steps else None


def lost(connection: Any, held: Described, copy: Described) -> list[str]:
    """The roles that could use what is replaced, and have no privilege in the copy."""
    values = {"owner": held.owner, "before": held.oid, "now": copy.oid}
    return [name for (name,) in connection.execute(_LOST, values)]
