"""Whether a difference was left out by the migrations, or made in the database by something else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from alembic.autogenerate import RevisionContext
from alembic.operations import ops

from framefox_tasks.migrations.alembic.describe import name_of, operations_of
from framefox_tasks.model import Project
from framefox_tasks.schema.revision_files import revision_files


def left_out(project: Project, context: RevisionContext) -> bool | None:
    """Whether the migrations leave out what a comparison finds; None where that cannot be told.

    What is missing was left out if no upgrade() names it; else something removed it. What is too much was left by a
    migration if an upgrade() names it; else something else made it. Of changes nothing can be told.
    """
    named = set().union(*(_named(path) for path in revision_files(project)))
    found = {_is_left_out(operation, named) for operation in operations_of(context)}
    return found.pop() if len(found) == 1 else None


def _is_left_out(operation: ops.MigrateOperation, named: set[str]) -> bool | None:
    kind = str(operation.to_diff_tuple()[0])
    column = getattr(operation, "column_name", None) or getattr(getattr(operation, "column", None), "name", None)
    name = column or name_of(operation) or getattr(operation, "table_name", None)
    if name is None or not kind.startswith(("add_", "remove_")):
        return None
    return (str(name) in named) == kind.startswith("remove_")


def _named(path: Path) -> set[str]:
    """The words in the strings of the upgrade() of a revision file."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError):
        return set()
    return {word for text in _strings(tree) for word in (text, *re.findall(r"\w+", text))}


def _strings(tree: ast.Module) -> Iterator[str]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name != "downgrade":
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
