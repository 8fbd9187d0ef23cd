"""Definitions as the server writes them: what is declared in another way is put into a table that is rolled back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from logging import getLogger
from typing import Any

from framefox_tasks.databases.definitions import Cast, ConstraintDefinition, Name
from framefox_tasks.databases.postgresql.enum_values import literal

_SCRATCH = "framefox_tasks_definition"
_DENIED = ("42501", "25006")  # no right to create a table here; only reading is possible
_INDEX = re.compile(r'CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON (?:ONLY )?(?:(?:"(?:[^"]|"")*"|[^\s."]+)\.?)+ ')
_SYSTEM = "('pg_catalog', 'information_schema')"
_VISIBLE = "CASE WHEN n.nspname = current_schema() THEN NULL ELSE n.nspname END"

_ENUMS = f"""
SELECT {_VISIBLE}, t.typname, array(
    SELECT enumlabel::text FROM pg_catalog.pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = typnamespace
WHERE typtype = 'e' AND n.nspname NOT IN {_SYSTEM}
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::regclass
    AND d.objid = t.oid AND d.deptype = 'e')
"""
_DOMAINS = f"""
SELECT {_VISIBLE}, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = typnamespace
WHERE typtype = 'd' AND n.nspname NOT IN {_SYSTEM}
"""
# Not those of a serial or identity column, which live and die with it.
_SEQUENCES = f"""
SELECT {_VISIBLE}, c.relname, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle, format_type(seqtypid, NULL),
    EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
        AND d.objid = c.oid AND d.deptype = 'a'),
    EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
        AND d.refobjid = c.oid)
FROM pg_catalog.pg_sequence JOIN pg_catalog.pg_class c ON c.oid = seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
    AND d.objid = c.oid AND d.deptype IN ('i', 'e'))
"""
# Whatever mentions a type, or its array; and the table of a column, default, constraint or index that does.
_USERS = """
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid),
    CASE WHEN c.relkind IN ('r', 'p') THEN n.nspname END, c.relname, a.attname
FROM pg_catalog.pg_depend d
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = d.objid
LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(adrelid, conrelid, indrelid,
    CASE WHEN d.classid = 'pg_catalog.pg_class'::regclass THEN d.objid END)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    AND a.attnum = nullif(coalesce(adnum, CASE WHEN indrelid IS NULL THEN objsubid END), 0)
WHERE refclassid = 'pg_catalog.pg_type'::regclass AND deptype IN ('n', 'a') AND refobjid IN (
    SELECT unnest(ARRAY[oid, typarray]) FROM pg_catalog.pg_type WHERE oid = CAST(:type AS regtype))
"""
_DEFAULT = """
SELECT pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef
JOIN pg_catalog.pg_attribute a ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = to_regclass(:table) AND attname = :column AND attgenerated = ''
"""
_TYPE = """
SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(:table) AND attname = :column
"""
_COLLATIONS = """
SELECT attname, collname FROM pg_catalog.pg_attribute
JOIN pg_catalog.pg_type t ON t.oid = atttypid JOIN pg_catalog.pg_collation c ON c.oid = attcollation
WHERE attrelid = to_regclass(:table) AND attnum > 0 AND attcollation <> typcollation
"""
_CONSTRAINTS = """
SELECT conname, contype, condeferrable, condeferred, confmatchtype, pg_catalog.pg_get_constraintdef(oid)
FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass(:table) AND contype IN ('c', 'f', 'p', 'u', 'x')
ORDER BY conname
"""
_INDEX_TEXT = "SELECT pg_catalog.pg_get_indexdef(CAST(:index AS regclass))"
_INDEX_OF = (
    "SELECT pg_catalog.pg_get_indexdef(indexrelid) FROM pg_catalog.pg_index WHERE indrelid = to_regclass(:table)"
)
# The values of IN for a varchar: a cast of ARRAY[...] is read as one of each element, that of a cast is not.
_VALUES = re.compile(r"(\()?(ARRAY\[(?:'(?:[^']|'')*'::character varying(?:, )?)+\])(?(1)\))::text\[\]")
_CATEGORY = "SELECT typcategory FROM pg_catalog.pg_type WHERE oid = CAST(:type AS regtype)"
_CASTS = """
SELECT castcontext FROM pg_catalog.pg_cast
WHERE castsource = CAST(:before AS regtype) AND casttarget = CAST(:after AS regtype)
"""


class PostgreSQLDefinitions:
    """See ServerDefinitions."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._quote = connection.dialect.identifier_preparer.quote
        self.refused: str | None = None

    @cached_property
    def enums(self) -> dict[Name, tuple[str, ...]]:
        """From pg_enum, without those of extensions."""
        return {(schema, name): tuple(values) for schema, name, values in self._rows(_ENUMS)}

    @cached_property
    def domains(self) -> frozenset[Name]:
        """From pg_type."""
        return frozenset((schema, name) for schema, name in self._rows(_DOMAINS))

    @cached_property
    def sequences(self) -> dict[Name, dict[str, Any]]:
        """From pg_sequence, without those of identity columns and extensions."""
        names = ("start", "increment", "minvalue", "maxvalue", "cache", "cycle", "data_type", "owned", "used")
        return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in self._rows(_SEQUENCES)}

    def type_users(self, name: Name) -> list[tuple[str, Name | None, str | None]]:
        """What pg_depend has for the type."""
        return [
            (what, (None if schema == self._default_schema else schema, table) if schema else None, column)
            for what, schema, table, column in self._rows(_USERS, type=self._full(name))
        ]

    def default(self, table: Name, column: str) -> str | None:
        """By pg_get_expr."""
        return self._text(_DEFAULT, table=self._full(table), column=column)

    def column_type(self, table: Name, column: str) -> str | None:
        """By format_type."""
        return self._text(_TYPE, table=self._full(table), column=column)

    def collations(self, table: Name) -> dict[str, str]:
        """The collations of columns that are not those of their types."""
        return dict(self._rows(_COLLATIONS, table=self._full(table)))

    def normal_column(self, type_: str, default: str | None) -> tuple[str, str | None] | None:
        """From a table with one such column."""
        clause = f" DEFAULT {default}" if default is not None else ""

        def read(table: str) -> tuple[str, str | None]:
            keys = {"table": table, "column": "item"}
            return str(self._value(_TYPE, **keys)), self._value(_DEFAULT, **keys)

        found: tuple[str, str | None] | None = self._scratch(f"(item {type_}{clause})", (), read)
        return found

    def index(self, schema: str | None, name: str) -> str | None:
        """By pg_get_indexdef."""
        return self._without_names(self._text(_INDEX_TEXT, index=self._full((schema, name))))

    def index_statement(self, schema: str | None, name: str) -> str:
        """By pg_get_indexdef."""
        return self.repeatable(str(self._value(_INDEX_TEXT, index=self._full((schema, name)))))

    def repeatable(self, sql: str) -> str:
        """With each cast of values in two steps."""
        return _VALUES.sub(r"(\2::character varying[])::text[]", sql)

    def normal_index(self, table: Name, statement: str) -> str | None:
        """From an empty table with the same columns."""
        match = _INDEX.match(statement)
        if match is None:
            return None
        unique, rest = match[1] or "", statement[match.end() :]
        creation = f"CREATE {unique}INDEX {_SCRATCH}_index ON {{table}} {rest}"
        found: str | None = self._scratch(
            f"(LIKE {self._full(table)})",
            (creation,),
            lambda scratch: self._without_names(self._text(_INDEX_OF, table=scratch)),
        )
        return found

    def partition_key(self, table: Name) -> str | None:
        """By pg_get_partkeydef."""
        return self._text("SELECT pg_catalog.pg_get_partkeydef(to_regclass(:table))", table=self._full(table))

    def constraints(self, table: Name) -> dict[str, ConstraintDefinition]:
        """From pg_constraint."""
        return {
            name: ConstraintDefinition(kind, deferrable, deferred, match == "f", text)
            for name, kind, deferrable, deferred, match, text in self._rows(_CONSTRAINTS, table=self._full(table))
        }

    def normal_constraint(self, table: Name, clause: str) -> str | None:
        """From an empty table with the same columns."""
        found = self._scratch(
            f"(LIKE {self._full(table)})",
            (f"ALTER TABLE {{table}} ADD {clause}",),
            lambda scratch: [row[5] for row in self._rows(_CONSTRAINTS, table=scratch)],
        )
        return found[0] if found else None

    def cast(self, before: str, after: str) -> Cast:
        """As ALTER COLUMN TYPE looks for one: an assignment is done by itself, all else is to be written."""
        before, after = (re.sub(r"\(.*?\)", "", text) for text in (before, after))
        if before.endswith("[]") and after.endswith("[]"):
            return self.cast(before[:-2], after[:-2])
        try:
            with self._connection.begin_nested():
                context = "i" if before == after else self._value(_CASTS, before=before, after=after)
                kinds = [self._value(_CATEGORY, type=text) for text in (before, after)]
        except self._errors:
            return Cast.TEXT  # an enum that is made in the same migration
        if context in ("a", "i") or kinds[1] == "S":  # to a text every type goes by itself
            return Cast.ASSIGNMENT
        if context == "e" or kinds[0] == "S":
            return Cast.EXPLICIT
        return Cast.TEXT if kinds == ["E", "E"] else Cast.NONE

    def text_type(self, type_: str) -> str:
        """See ServerDefinitions."""
        return "text[]" if type_.endswith("[]") else "text"

    def numbers_by_identity(
        self, table: Name, column: str, sequence: str | None, start: int | None
    ) -> tuple[list[str], list[str]]:
        """The identity has a sequence of its own."""
        shown, quoted = self._shown(table), self._quote(column)
        place = f"pg_get_serial_sequence({literal(shown)}, {literal(column)})"
        first = [f"ALTER TABLE {shown} ALTER COLUMN {quoted} DROP DEFAULT", f"DROP SEQUENCE {sequence}"]
        position = f"SELECT setval({place}, greatest(max({quoted}) + 1, {start or 1}), false) FROM {shown}"
        return (first if sequence else []), [position]

    def numbers_by_sequence(self, table: Name, column: str, sequence: str, type_: str) -> list[str]:
        """As SERIAL does it."""
        shown, quoted = self._shown(table), self._quote(column)
        return [
            f"CREATE SEQUENCE {sequence} AS {type_} OWNED BY {shown}.{quoted}",
            f"SELECT setval({literal(sequence)}, coalesce(max({quoted}) + 1, 1), false) FROM {shown}",
            f"ALTER TABLE {shown} ALTER COLUMN {quoted} SET DEFAULT nextval({literal(sequence)})",
        ]

    @property
    def _default_schema(self) -> str:
        return str(self._connection.dialect.default_schema_name)

    def _shown(self, name: Name) -> str:
        return ".".join(self._quote(part) for part in name if part)

    def _full(self, name: Name) -> str:
        return ".".join(self._quote(part) for part in (name[0] or self._default_schema, name[1]))

    @property
    def _errors(self) -> type[Exception]:
        from sqlalchemy.exc import DBAPIError

        return DBAPIError

    def _rows(self, query: str, **values: str) -> list[Any]:
        from sqlalchemy import text

        return [tuple(row) for row in self._connection.execute(text(query), values)]

    def _value(self, query: str, **values: str) -> Any:
        rows = self._rows(query, **values)
        return rows[0][0] if rows else None

    def _text(self, query: str, **values: str) -> str | None:
        value = self._value(query, **values)
        return None if value is None else str(value)

    def _run(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def _scratch(self, shape: str, statements: Sequence[str], read: Any) -> Any:
        """What `read` finds in a table that is rolled back; None where the server refuses to make it."""
        if self.refused:
            return None
        for kind, name in (("TEMPORARY ", f"pg_temp.{_SCRATCH}"), ("", self._full((None, _SCRATCH)))):
            try:
                savepoint = self._connection.begin_nested()
            except self._errors as exc:
                self._refuse(str(getattr(exc, "orig", exc)))
                return None
            try:
                self._run(f"CREATE {kind}TABLE {name} {shape}")
                for statement in statements:
                    self._run(statement.replace("{table}", name))
                return read(name)
            except self._errors as exc:
                code = getattr(exc.orig, "sqlstate", None) or getattr(exc.orig, "pgcode", None)  # type: ignore[attr-defined]
                if code not in _DENIED:
                    return None
                denied = str(exc.orig).partition("\n")[0]  # type: ignore[attr-defined]
            finally:
                savepoint.rollback()
        self._refuse(denied)
        return None

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        getLogger("alembic.autogenerate").warning(
            "Defaults, types and indexes are compared as text, which may show differences that are none: %s", reason
        )

    @staticmethod
    def _without_names(statement: str | None) -> str | None:
        match = _INDEX.match(statement or "")
        return f"{match[1] or ''}{(statement or '')[match.end() :]}" if match else None
