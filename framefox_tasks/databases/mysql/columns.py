"""The columns and keys of the tables of a database, from its information schema."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from framefox_tasks.databases.mysql.session import Session
from framefox_tasks.databases.rows import Field, ForeignKeyPlan, Kind, Name

_COLUMNS = (
    "SELECT table_name, column_name, data_type, column_type, character_maximum_length, is_nullable, column_default, "
    "extra FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
)
_INDEXES = (
    "SELECT table_name, index_name, column_name, sub_part FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index"
)
_FOREIGN_KEYS = (
    "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name, "
    "r.delete_rule FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r "
    "ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name "
    "AND r.constraint_name = k.constraint_name WHERE k.table_schema = DATABASE() "
    "AND k.referenced_table_schema = DATABASE() ORDER BY k.table_name, k.constraint_name, k.ordinal_position"
)
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), Kind.INTEGER),
    **dict.fromkeys(("decimal", "numeric"), Kind.NUMERIC),
    **dict.fromkeys(("float", "double"), Kind.FLOAT),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "set"), Kind.TEXT),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), Kind.BYTES),
    "json": Kind.JSON,
    "enum": Kind.ENUM,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "datetime": Kind.TIMESTAMP,
    "timestamp": Kind.TIMESTAMPTZ,
    "bit": Kind.BITS,
    "uuid": Kind.UUID,
    "inet4": Kind.OTHER,
    "inet6": Kind.OTHER,
}
_WITH_LENGTH = frozenset({"char", "varchar", "binary", "varbinary"})


@dataclass
class Columns:
    """What is known of the columns and keys of one table."""

    fields: list[Field] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    uniques: list[tuple[str, ...]] = field(default_factory=list)
    foreign_keys: list[ForeignKeyPlan] = field(default_factory=list)


def columns_of(session: Session) -> dict[str, Columns]:
    """The columns and keys of all tables, by the tables' names. Generated columns are left out."""
    found: dict[str, Columns] = defaultdict(Columns)
    for table, *column in session.rows(_COLUMNS):
        if " GENERATED" not in f" {column[-1]}".upper().replace("DEFAULT_GENERATED", ""):
            found[table].fields.append(_field(*column))
    for (table, index), columns in _grouped(session.rows(_INDEXES)).items():
        names = tuple(column for column, _ in columns)
        if index == "PRIMARY":
            found[table].primary_key = names
        elif all(column and not part for column, part in columns):
            found[table].uniques.append(names)
    for (table, key), columns in _grouped(session.rows(_FOREIGN_KEYS)).items():
        here, parents, there, rules = zip(*columns, strict=True)
        rule = "" if rules[0] in ("RESTRICT", "NO ACTION") else rules[0]
        found[table].foreign_keys.append(ForeignKeyPlan(here, Name(parents[0]), there, rule, key))
    return found


def _grouped(rows: list[tuple[Any, ...]]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for table, key, *rest in rows:
        found[table, key].append(tuple(rest))
    return found


def _field(
    name: str, base: str, native: str, length: int | None, nullable: str, default: str | None, extra: str
) -> Field:
    base, native = base.lower(), native.lower() if base.lower() not in ("enum", "set") else native
    kind = _KINDS.get(base, Kind.NATIVE)
    if native.startswith("tinyint(1)") and "unsigned" not in native:
        kind = Kind.BOOLEAN
    numbered = "auto_increment" in extra.lower()
    has_default = default not in (None, "NULL") or numbered
    limit = length if base in _WITH_LENGTH else None
    return Field(name, native, kind, nullable == "YES", limit, has_default, numbered)
