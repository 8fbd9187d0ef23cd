"""How types and defaults are written into a migration file, so that it runs on every dialect."""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum, False_, True_

from framefox_tasks.databases import NAMES, database_named
from framefox_tasks.migrations.alembic.enums import is_native


def render_item(type_: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Alembic's render_item hook: the source text of a type or a default, or False for Alembic's own rendering."""
    if type_ == "server_default" and isinstance(getattr(item, "arg", None), (True_, False_)):
        # Alembic writes what the current dialect makes of it: 1 on SQLite, which is no boolean on PostgreSQL.
        prefix = context.opts.get("sqlalchemy_module_prefix") or "sa."
        return f"{prefix}true()" if isinstance(item.arg, True_) else f"{prefix}false()"
    if type_ != "type":
        return False
    if isinstance(item, Enum) and is_native(item):
        return _enum(item, context)
    module = type(item).__module__
    if not module.startswith("sqlalchemy."):
        # Alembic writes the full name, package.module.Type(), and leaves the import to the reader.
        context.imports.add(f"import {module}")
    return False


def _enum(item: Enum, context: AutogenContext) -> str:
    """A native enum; where types stand beside the tables, statements of their own create and drop it."""
    owner = next(name for name in NAMES if database_named(name).has_enum_types)
    context.imports.add(f"from sqlalchemy.dialects import {owner}")
    prefix = context.opts.get("sqlalchemy_module_prefix") or "sa."
    name = f"name={item.name!r}"
    if item.schema:
        name += f", schema={item.schema!r}"
    values = "".join(f"{value!r}, " for value in item.enums)
    extra = ", create_constraint=True" if item.create_constraint else ""
    variant = f"{owner}.ENUM({values}{name}, create_type=False)"
    return f"{prefix}Enum({values}{name}{extra}).with_variant({variant}, {owner!r})"
