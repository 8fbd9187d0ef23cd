"""The source text of types and defaults in generated migrations, such that it is read as it was declared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import sqlalchemy
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import DefaultClause, Enum, False_, ForeignKey, ForeignKeyConstraint, True_, literal_column, text
from sqlalchemy.exc import CompileError
from sqlalchemy.types import TypeEngine

from framefox_tasks.errors import EntityError
from framefox_tasks.schema.references import reference_of

_RENDERING = "framefox_tasks_rendering"
_BINDS = re.compile(r"(?<![:\w\\]):(?=\w)")
_BACKSLASHES = re.compile(r"\\(?=:)")


def rendered_type(item: TypeEngine[Any], context: AutogenContext) -> str | None:
    """The text of a type with the imports that it needs; None while that is being asked for."""
    rendering: list[TypeEngine[Any]] = context.opts.setdefault(_RENDERING, [])
    if any(outer is item for outer in rendering):
        return None
    if rendering and isinstance(item, Enum):
        return _enum_of_variant(item, rendering[-1], context)
    rendering.append(item)
    try:
        found: str = render._repr_type(item, context)
    finally:
        rendering.pop()
    return _qualified(found, item, context)


def rendered_key(key: ForeignKeyConstraint, context: AutogenContext) -> str | Literal[False]:
    """The text of a foreign key to a name with a dot, which is given in parts; False for Alembic's own rendering.

    Raises:
        EntityError: SQLAlchemy is older than 2.1, and takes no parts.
    """
    found = [reference_of(element) for element in key.elements]
    if not any(one.is_dotted for one in found):
        return False
    if not hasattr(ForeignKey, "target_tokens"):
        raise EntityError(
            f"A foreign key refers to {found[0].key}.{found[0].column}, a name with a dot, which SQLAlchemy "
            f"{sqlalchemy.__version__} cannot write.",
            hint="Install SQLAlchemy 2.1 or later, or give the table a name without a dot.",
        )
    options: list[tuple[str, str]] = []
    if key.name:
        options.append(("name", repr(render._render_gen_name(context, key.name))))
    render._populate_render_fk_opts(key, options)
    arguments = [
        repr([str(element.parent.name) for element in key.elements]),
        repr([(one.schema, one.table, one.column) if one.schema else (one.table, one.column) for one in found]),
        *(f"{name}={value}" for name, value in options),
    ]
    return f"{context.opts.get('sqlalchemy_module_prefix') or 'sa.'}ForeignKeyConstraint({', '.join(arguments)})"


def is_variant(item: TypeEngine[Any], context: AutogenContext) -> bool:
    """Whether a type is being rendered that is a variant of another, and so may have none of its own."""
    rendering: list[TypeEngine[Any]] = context.opts.get(_RENDERING) or []
    return any(variant is item for outer in rendering for variant in outer._variant_mapping.values())


def _enum_of_variant(item: Enum, outer: TypeEngine[Any], context: AutogenContext) -> str | None:
    """An enum for one database, which may have no variants of its own."""
    if not any(variant is item for variant in outer._variant_mapping.values()) or not (item.native_enum and item.name):
        return None
    values = ", ".join([*map(repr, item.enums), f"name={item.name!r}"])
    if item.schema:
        values += f", schema={item.schema!r}"
    return f"{context.opts.get('sqlalchemy_module_prefix') or 'sa.'}Enum({values})"


def _qualified(text: str, item: TypeEngine[Any], context: AutogenContext) -> str:
    """The text with the module before each name of a class: of nested types Alembic writes the bare class.

    Left as it is where it is no expression: that is told when the file is read.
    """
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return text
    classes = {cls.__name__: cls for nested in _nested(item, set()) for cls in _classes(nested)}
    encoded = text.encode()
    lines = encoded.split(b"\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in classes]
    for node in sorted(names, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        start = starts[node.lineno - 1] + node.col_offset
        full = _full_name(classes[node.id], context)
        encoded = encoded[:start] + full.encode() + encoded[start + len(node.id.encode()) :]
    found = _with_outer_classes(encoded.decode(), classes.values())
    for cls in classes.values():
        if cls is type(item) or _full_name(cls, context) in found:
            _import_module(cls, context)
    return found


def _classes(item: Any) -> Iterator[type]:
    yield type(item)
    for name in ("enum_class", "_enum_init"):
        found = getattr(item, name, None)
        if isinstance(found, type):
            yield found


def _nested(item: Any, seen: set[int]) -> Iterator[Any]:
    """A type and those that it is made of: of its items, of its text, of what it decorates, and its variants."""
    if not isinstance(item, TypeEngine) or id(item) in seen:
        return
    seen.add(id(item))
    yield item
    of_classes = [part for cls in type(item).__mro__ for part in vars(cls).values()]  # what an argument's default is
    for part in (*vars(item).values(), *item._variant_mapping.values(), *of_classes):
        yield from _nested(part, seen)


def _full_name(cls: type, context: AutogenContext) -> str:
    module = cls.__module__
    prefix = context.opts.get("sqlalchemy_module_prefix") or ""
    if module.startswith("sqlalchemy.dialects."):
        return f"{module.split('.')[2]}.{cls.__name__}"
    if module.startswith("sqlalchemy.") and getattr(sqlalchemy, cls.__name__, None) is cls:
        return f"{prefix}{cls.__name__}"
    theirs = context.opts.get("user_module_prefix")
    if theirs and not module.startswith("sqlalchemy."):
        return f"{theirs}{cls.__name__}"
    return f"{module}.{cls.__qualname__}"


def _import_module(cls: type, context: AutogenContext) -> None:
    module = cls.__module__
    if module.startswith("sqlalchemy.dialects."):
        context.imports.add(f"from sqlalchemy.dialects import {module.split('.')[2]}")
    elif not module.startswith("sqlalchemy.") or getattr(sqlalchemy, cls.__name__, None) is not cls:
        context.imports.add(f"import {module}")


def _with_outer_classes(text: str, classes: Iterable[type]) -> str:
    """A class within another is written with that one, which its repr leaves out."""
    for cls in classes:
        if cls.__qualname__ != cls.__name__ and "<locals>" not in cls.__qualname__:
            text = text.replace(f"{cls.__module__}.{cls.__name__}(", f"{cls.__module__}.{cls.__qualname__}(")
    return text


def rendered_default(default: Any, context: AutogenContext) -> str | None:
    """The text of a server default; None for one of another kind, which Alembic writes."""
    prefix = context.opts.get("sqlalchemy_module_prefix") or "sa."
    if not isinstance(default, DefaultClause):
        return None
    if isinstance(default.arg, str):
        return repr(str(default.arg))  # Alembic takes a quote at either end away
    if isinstance(default.arg, (True_, False_)):
        # Alembic writes what the current dialect makes of it: 1 on SQLite, which is no boolean on PostgreSQL.
        return f"{prefix}true()" if isinstance(default.arg, True_) else f"{prefix}false()"
    raw: Any = default.arg
    sql = str(raw.text) if getattr(default, "reflected", False) else _compiled(default, context)
    escaped = _BINDS.sub(r"\\:", _BACKSLASHES.sub(r"\\\\", sql))
    # A colon in SQL may look like a parameter in more ways than can be escaped.
    same = not text(escaped)._bindparams and str(text(escaped)) == sql
    return f"{prefix}text({escaped!r})" if same else f"{prefix}literal_column({str(literal_column(sql))!r})"


def _compiled(default: DefaultClause, context: AutogenContext) -> str:
    """The SQL of a default, with one % where a driver that takes it for a parameter needs two.

    Raises:
        EntityError: It has a parameter, or cannot be compiled.
    """
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    clause: Any = default.arg
    try:
        if unset := [name for name, bind in getattr(clause, "_bindparams", {}).items() if bind.value is None]:
            raise CompileError(f"it has the parameter :{unset[0]}, and a default has no values for any.")
        sql = str(context.migration_context.impl.render_ddl_sql_expr(clause, is_server_default=True))
    except CompileError as exc:
        column: Any = default.column
        name = f"{column.table.name}.{column.name}" if getattr(column, "table", None) is not None else "a column"
        raise EntityError(
            f"The server default of {name} cannot be written: {str(exc).partition(chr(10))[0]}",
            hint=r"In text() a colon before a name is a parameter: write \: for a colon.",
        ) from exc
    return sql.replace("%%", "%") if context.dialect.identifier_preparer._double_percents else sql
