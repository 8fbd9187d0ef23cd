"""What PostgreSQL knows of the columns of one table, and how their values are written as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from framefox_tasks.databases.checksum import VALUED, Form
from framefox_tasks.databases.postgresql.session import quoted
from framefox_tasks.databases.rows import Field, Kind, Name, Side

# The base type of a domain, through domains of domains; of an array, that of its elements too.
_COLUMNS = """
WITH RECURSIVE part(attname, typ, depth, generated) AS (
    SELECT attname, atttypid, 0, attgenerated <> '' FROM pg_catalog.pg_attribute
    WHERE attrelid = %s::oid AND attnum > 0 AND NOT attisdropped
  UNION ALL
    SELECT attname, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END, depth + 1, generated
    FROM part JOIN pg_catalog.pg_type t ON t.oid = part.typ
    WHERE t.typtype = 'd' OR (t.typelem <> 0 AND t.typlen = -1)
)
SELECT attname, pg_catalog.format_type(t.oid, NULL), t.typtype, t.typelem <> 0 AND t.typlen = -1,
       t.oid < 16384, t.typsend <> 0, generated, depth
FROM part JOIN pg_catalog.pg_type t ON t.oid = part.typ ORDER BY attname, depth
"""
_OID = """
SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
_JSON = ("json", "jsonb", "text", "character varying", "character")


_FORMED = {
    Form.NUMBER: "trim_scale({}::numeric)::text",
    # Most doubles have no exponent, and no zeros at their ends.
    Form.DOUBLE: "CASE WHEN abs({0}) BETWEEN 1e-3 AND 1e14 THEN {0}::text"
    " ELSE trim_scale({0}::text::numeric)::text END",
    Form.HEX: "replace({}::text, '-', '')",
    Form.UNPADDED: "rtrim({}::text, ' ')",
}
_SIGNED = f"CASE WHEN {{0}} = 0 THEN {{0}}::text ELSE {_FORMED[Form.DOUBLE]} END"
"""A double in its form, of which zero keeps its sign."""
_NULL = "E'\\\\N'"
_PLAIN = frozenset(
    {
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "text", "character varying", "uuid"),
        *("date", "time without time zone", "timestamp without time zone", "timestamp with time zone"),
    }
)
"""Types that functions of texts write as a cast to text does."""
_FACTOR = 0x9E3779B97F4A7C15
"""An odd number whose multiples spread over 64 bits."""
_HASHED = {
    "smallint": "hashint2extended({0}, {1})",
    "integer": "hashint4extended({0}, {1})",
    "bigint": "hashint8extended({0}, {1}) # {0}",  # its hash is of 32 bits
    "boolean": "hashint4extended({0}::integer, {1})",
    "real": 'hashtextextended({0}::text COLLATE "C", {1})',  # minus zero has the hash of zero
    "numeric": 'hashtextextended({0}::text COLLATE "C", {1})',  # any number has that of minus it
    "double precision": 'hashtextextended({0}::text COLLATE "C", {1})',
    "text": 'hashtextextended({0} COLLATE "C", {1})',
    "character varying": 'hashtextextended({0}::text COLLATE "C", {1})',
    "uuid": "uuid_hash_extended({0}, {1})",
    "time without time zone": "time_hash_extended({0}, {1})",
    "timestamp without time zone": "timestamp_hash_extended({0}, {1})",
    "timestamp with time zone": "timestamp_hash_extended({0} AT TIME ZONE 'UTC', {1})",
}
"""The hashes of values without a text of them, where values that are written differently have different ones."""


@dataclass(frozen=True)
class Shape:
    """A table, as its database knows it.

    Attributes:
        relkind: pg_class.relkind.
        bases: The base type of each column.
        binary: The columns whose binary form another database reads as the same value.
        generated: The computed columns, which COPY reads only by a query.
    """

    name: str
    relkind: str
    bases: dict[str, str]
    binary: frozenset[str]
    generated: frozenset[str] = frozenset()

    @property
    def origin(self) -> str:
        """What stands behind FROM: without tables that inherit from it, which are copied themselves."""
        return self.name if self.relkind == "p" else f"ONLY {self.name}"

    def text(self, field: Field) -> str:
        """What is selected for a column, so that the server writes the text of its kind."""
        name, base = quoted(field.name), self.bases.get(field.name, "")
        match field.kind:
            case Kind.BOOLEAN if base == "boolean":
                return f"{name}::integer"
            case Kind.TIMESTAMPTZ if base == "timestamp with time zone":
                return f"{name} AT TIME ZONE 'UTC'"
            case Kind.NUMERIC if base == "money":
                return f"{name}::numeric"
            case Kind.JSON if base not in _JSON:
                return f"pg_catalog.to_json({name})"
            case Kind.TEXT | Kind.OTHER | Kind.UUID if base == "character":
                return f"{name}::text"
        return name

    def written(self, field: Field, form: Form) -> str:
        """What is selected for a column of lines whose numbers and moments have forms."""
        found = _SIGNED if form is Form.DOUBLE else _FORMED.get(form) if form in VALUED else None
        return found.format(f"({self.text(field)})") if found else self.text(field)

    def formed(self, field: Field, form: Form) -> str:
        """The text of a column in a canonical line."""
        name, base, text = quoted(field.name), self.bases.get(field.name), f"({self.text(field)})"
        if field.kind in (Kind.OTHER, Kind.NATIVE):
            # Of a row whose fields are NULL, IS NULL says yes; and the text of some types is another than what is cast.
            return f"CASE WHEN {name} IS DISTINCT FROM NULL THEN concat({text}) ELSE {_NULL} END"
        plain = not field.nullable and base in _PLAIN  # it is joined as it is, without a text of its own
        found = _FORMED.get(form, "{}" if plain else "{}::text").format(text)
        return f"coalesce({found}, {_NULL})" if field.nullable else found

    def size(self, field: Field, form: Form) -> str:
        """The length of that."""
        found = f"octet_length(({self.formed(field, form)})::text)::text"
        if not field.nullable:
            return found
        return f"CASE WHEN {quoted(field.name)} IS DISTINCT FROM NULL THEN {found} ELSE {_NULL} END"

    def digest(self, fields: Sequence[Field]) -> str:
        """A hash of a row for this server alone, in a third of the time of its text's.

        It is the hash of what the hashes of the values give together. Each has a seed of its own, so that values cannot
        change places; the outer one keeps values of two rows from it, whose sum would be the same.
        """
        parts, others = [], []
        for place, field in enumerate(fields, 1):
            seed = place * _FACTOR % 2**63
            hashed = self._hashed(field, seed)
            if hashed is None:
                others.append(quoted(field.name))
            else:
                parts.append(f"coalesce({hashed}, -{seed})" if field.nullable else f"({hashed})")
        if others or not parts:
            parts.append(f'hashtextextended(ROW({", ".join(others)})::text COLLATE "C", 0)')
        # The hash of a number is of 32 bits, or of no sign.
        return f'hashtextextended(({" # ".join(parts)})::text COLLATE "C", 0)'

    def _hashed(self, field: Field, seed: int) -> str | None:
        found = _HASHED.get(self.bases.get(field.name, ""))
        return found.format(quoted(field.name), seed) if found else None

    def key_totals(self, columns: Sequence[str], where: str = "") -> str:
        """The query of the number of rows, and of each column of whole numbers the least, the greatest and the sum."""
        found = "".join(", min({0}), max({0}), sum({0})".format(self._number(column)) for column in columns)
        return f"SELECT count(*){found} FROM {self.origin}{where}"  # noqa: S608 - quoted; the condition is the user's

    def _number(self, column: str) -> str:
        name = quoted(column)
        return name if self.bases.get(column) in ("smallint", "integer", "bigint") else f"{name}::text::numeric"

    def order(self, field: Field) -> str:
        """What a column is sorted by."""
        name = quoted(field.name)
        if field.kind in (Kind.TEXT, Kind.ENUM, Kind.OTHER, Kind.JSON, Kind.UUID, Kind.BITS, Kind.INTERVAL):
            return f'({self.text(field)})::text COLLATE "C"'
        return self.text(field) if field.kind is Kind.NUMERIC else name


def name_of(schema: str, name: str) -> Name:
    """The name of a table as the copy tells it."""
    return Name(name, None if schema == "public" else schema)


def qualified(name: Name) -> str:
    """The name of a table with its schema."""
    return quoted(name.schema or "public", name.name)


def shape_of(connection: Any, table: Name) -> Shape:
    """Ask for a table."""
    found = connection.execute(_OID, (table.schema or "public", table.name)).fetchone()
    if found is None:
        return Shape(qualified(table), "r", {}, frozenset())
    parts: dict[str, list[tuple[Any, ...]]] = {}
    for column, *part in connection.execute(_COLUMNS, (found[0],)):
        parts.setdefault(column, []).append(tuple(part))
    return Shape(
        qualified(table),
        found[1],
        {column: _base(types) for column, types in parts.items()},
        frozenset(column for column, types in parts.items() if all(map(_is_binary, types))),
        frozenset(column for column, types in parts.items() if types[0][-2]),
    )


def _base(types: list[tuple[Any, ...]]) -> str:
    """Through domains, but not into an array."""
    return str(next((name for name, kind, *_ in types if kind != "d"), types[-1][0]))


def _is_binary(part: tuple[Any, ...]) -> bool:
    """Whether neither a number that is this database's own is in the binary form, nor a name that it stands for.

    Arrays name the type of their elements by its number, which only for the system's own types is the same everywhere,
    and rows those of their columns; regclass and the like are the number of what they name.
    """
    name, kind, is_array, of_system, has_binary, *_ = part
    if not has_binary or (kind in ("c", "r", "m") and not of_system):
        return False
    return (not is_array or of_system) and not str(name).startswith("reg") and name not in ("aclitem", "record")


def is_binary(shape: Shape, table: Side) -> bool:
    """Whether the rows of a table can travel in binary form."""
    return all(field.name in shape.binary for field in table.fields)
