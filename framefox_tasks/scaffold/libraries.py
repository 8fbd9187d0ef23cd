"""What generated code needs of the libraries."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from framefox_tasks.scaffold.source import Import

_HOMES = {
    "typing": ("Any", "Optional"),
    "decimal": ("Decimal",),
    "uuid": ("UUID",),
    "sqlalchemy": (
        *("JSON", "BigInteger", "Column", "DateTime", "Double", "ForeignKey", "MetaData", "Numeric", "SmallInteger"),
        *("String", "Table", "Text"),
    ),
    "sqlalchemy.orm": ("DeclarativeBase", "Mapped", "mapped_column", "relationship"),
    "sqlmodel": ("Field", "Relationship"),
}
NAMES = {name: Import(module, name) for module, names in _HOMES.items() for name in names}
NAMES["dt"] = Import("datetime", "", "dt")


def imports_of(lines: Iterable[str]) -> list[Import]:
    """What some statements need of the libraries."""
    names = {node.id for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Name)}
    return [NAMES[name] for name in sorted(names & NAMES.keys())]
