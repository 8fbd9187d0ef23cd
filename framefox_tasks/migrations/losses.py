"""The tables whose rows go when migrations run, as far as their files tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.migrations.downgrade import steps_back
from framefox_tasks.migrations.plan import plan
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Losses

_LOSES = re.compile(
    r"\b(?:DROP\s+TABLE(?:\s+IF\s+EXISTS)?|TRUNCATE(?:\s+TABLE)?|DELETE\s+FROM|ALTER\s+TABLE(?=.*\bDROP\s+(?:COLUMN\b)?))"
    r"\s+([\w.\"`]+)",
    re.IGNORECASE | re.DOTALL,
)
_COMMITS = re.compile(r"\bautocommit_block\b|\.commit\(|\bCOMMIT\b")


def losses(target: Target, *, steps: int = 1, revision: str | None = None) -> Losses:
    """The tables that a downgrade drops, empties, or takes columns from, with their rows. Changes nothing.

    Args:
        target: The database.
        steps: As for downgrade.
        revision: As for downgrade.

    Raises:
        As for downgrade, where it would begin nothing.
    """
    history = history_of(target)
    seen = database_of(target).revision(target)
    history.add_kept(seen)
    found = steps_back(history, steps, revision)(history.scripts, seen) if seen else []
    names = {name for step in found for name in _lost_by(Path(step.revision.path), "downgrade")}
    if not names:
        return Losses(target, ())
    with database_of(target).open_source(target) as source, source.reader() as reader:
        tables = [plan.source.name for plan in source.schema().tables]
        lost = [table for table in tables if {str(table), str(table).rpartition(".")[2]} & names]
        return Losses(target, tuple((str(table), reader.count(table)) for table in lost))


def may_lose(target: Target, revision: str | None) -> bool:
    """Whether an upgrade has something to do that may leave a part behind when it fails, or loses what is in tables.

    Args:
        target: The database.
        revision: As for upgrade.

    Raises:
        As for upgrade, where it would begin nothing.
    """
    pending = plan(target, revision=revision).pending
    if pending and not database_of(target).transactional_ddl:
        return True
    return any(
        _COMMITS.search(one.path.read_text(encoding="utf-8")) or any(_lost_by(one.path, "upgrade")) for one in pending
    )


def _lost_by(path: Path, function_name: str) -> Iterator[str]:
    """The names of tables that a function of a migration names as it drops, empties or cuts them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == function_name:
            yield from _lost_in(function, None)


def _lost_in(node: ast.AST, table: str | None) -> Iterator[str]:
    if isinstance(node, ast.With):  # with op.batch_alter_table("table") as batch:
        for item in node.items:
            table = _text_of(item.context_expr, "batch_alter_table") or table
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "drop_column" and table:
            yield table
        elif node.func.attr in ("drop_table", "drop_column") and (name := _text_of(node, node.func.attr)):
            yield name
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (re.sub(r"[\"`]", "", name) for name in _LOSES.findall(node.value))
    for child in ast.iter_child_nodes(node):
        yield from _lost_in(child, table)


def _text_of(node: ast.AST, function: str) -> str | None:
    """The first argument of a call, where it is that of this function, and a text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == function and node.args:
        first = node.args[0]
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None
