"""A migration of Alembic's multidb template: one file with an upgrade and a downgrade for each of its databases."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Project


def merged(texts: Mapping[str, str], project: Project) -> str:
    """The files that the template has made for single databases as one for all.

    Args:
        texts: The text of the file of each database, by the names of the databases.
        project: That of one of them.

    Raises:
        MigrationError: A function is missing.
    """
    (_, text), *others = texts.items()
    known = {ast.unparse(node) for node in _imports(text)}
    for name, other in others:
        functions = functions_of(name, other, project)
        new = [line for node in _imports(other) if (line := ast.unparse(node)) not in known]
        known.update(new)
        end = max((node.end_lineno or 0 for node in _imports(text)), default=0)
        lines = text.rstrip().splitlines()
        lines[end:end] = new
        text = "\n".join((*lines, *(f"\n\n{function}" for function in functions))) + "\n"
    return text


def _imports(text: str) -> list[ast.stmt]:
    return [node for node in ast.parse(text).body if isinstance(node, (ast.Import, ast.ImportFrom))]


def functions_of(name: str, text: str, project: Project) -> list[str]:
    """The functions of one database, as they are written.

    Raises:
        MigrationError: One is missing.
    """
    lines, body = text.splitlines(), ast.parse(text).body
    ends = [node.lineno - 1 for node in body[1:]] + [len(lines)]
    found = {
        node.name: lines[node.lineno - 1 : end]
        for node, end in zip(body, ends, strict=True)
        if isinstance(node, ast.FunctionDef)
    }
    wanted = (f"upgrade_{name}", f"downgrade_{name}")
    for each in wanted:
        if each not in found:
            template = project.shown(project.migrations_folder / "script.py.mako")
            raise MigrationError(
                f"{template} writes no function {each}, which the migration of several databases needs.",
                hint="Compare it with the one of: alembic init --template multidb",
            )
    return ["\n".join(found[each]).rstrip() for each in wanted]
