"""The check that a generated migration can be read back: each type, default and constraint that is written in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from alembic.util import load_python_file

from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Project

_OPERATIONS = {"op", "batch_op"}


@contextmanager
def removed_if_unreadable(folder: Path, project: Project) -> Iterator[None]:
    """A context in which Alembic writes migrations, and reads each back at once."""
    before = set(folder.glob("*.py"))
    try:
        yield
    except SyntaxError:
        for path in set(folder.glob("*.py")) - before:
            check_readable(path, project)
        raise


def check_readable(path: Path, project: Project) -> None:
    """Import a migration, and evaluate what it gives to the operations, without running them.

    Raises:
        MigrationError: Something in it is no Python, or names what is not there; the file is removed.
    """
    text = path.read_text(encoding="utf-8")
    try:
        names = dict(vars(load_python_file(str(path.parent), path.name)))
        proxy = SimpleNamespace(f=str)
        names |= dict.fromkeys(_OPERATIONS, proxy)
        tree = ast.parse(text)
        for name, value in _variables(tree):
            names[name] = _evaluate(value, names)
        for argument in _arguments(tree):
            _evaluate(argument, names)
    except Exception as exc:
        line = exc.lineno if isinstance(exc, SyntaxError) else getattr(exc, "lineno", None)
        written = text.splitlines()[line - 1].strip() if line else ""
        path.unlink()
        raise MigrationError(
            f"The migration could not be read back, and is not kept. {type(exc).__name__}: {_message(exc)}"
            + (f"\n  in: {written}" if written else ""),
            hint="A type of the project is written as its repr(): give it a __repr__ that makes it again, or have it "
            f"written by render_item in {project.shown(project.migrations_folder / 'env.py')}. "
            "Or the template beside that, script.py.mako, is no Python.",
        ) from exc


def _message(exc: Exception) -> str:
    return exc.msg if isinstance(exc, SyntaxError) else str(exc).partition("\n")[0]


def _variables(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The variables of the functions, in order."""
    for function in tree.body:
        for node in function.body if isinstance(function, ast.FunctionDef) else ():
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                yield node.targets[0].id, node.value


def _arguments(tree: ast.AST) -> Iterator[ast.expr]:
    """The arguments of the calls of operations, but for those within others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_operation(node.func):
            yield from node.args
            yield from (keyword.value for keyword in node.keywords)


def _is_operation(function: ast.expr) -> bool:
    owner = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in _OPERATIONS


def _evaluate(argument: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(argument, ast.Starred):
        argument = argument.value
    try:
        return eval(compile(ast.Expression(argument), "<migration>", "eval"), names)  # noqa: S307 - it is what was generated
    except Exception as exc:
        exc.lineno = argument.lineno  # type: ignore[attr-defined]
        raise
