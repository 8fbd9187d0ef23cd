"""The checksum of a migration: of what its upgrade does, and not of how its file is written.

It is the same in every version of Python, and on every platform: the syntax tree is walked here, since what ast.dump()
prints and what the compiler makes differ between versions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

NUMBER = 1
"""That of the walk below: a checksum of another one says nothing."""
_LENGTH = 20
_OWN = {"revision", "down_revision", "branch_labels", "depends_on"}
# What tells nothing: whether a name is read or written, comments of types, and the u of a text.
_SILENT = {"ctx", "type_comment", "type_ignores", "kind", "type_params"}
_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


def checksum(path: Path) -> str | None:
    """The checksum of a revision file; None where it cannot be read or parsed.

    Docstrings, comments, the revision and what it follows, the downgrade and the order of the imports do not count.
    """
    try:
        return checksum_of(path.read_bytes())
    except OSError:
        return None


def checksum_of(content: bytes) -> str | None:
    """The checksum of the content of a revision file; None where it cannot be parsed."""
    try:
        return _checksum(content)
    except (SyntaxError, ValueError):
        return None


@lru_cache(maxsize=1024)  # a process may apply the same files to many databases
def _checksum(content: bytes) -> str:
    tree = ast.parse(content)
    body = [node for node in _body(tree) if not _is_own(node)]
    imports = sorted(_text(node) for node in body if isinstance(node, _IMPORTS))
    rest = [_text(node) for node in body if not isinstance(node, _IMPORTS)]
    text = "\n".join([*imports, *rest])
    return f"{NUMBER}:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:_LENGTH]}"


def differs(recorded: str, now: str | None) -> bool:
    """Whether two checksums are of different migrations; not where they cannot be compared."""
    return now is not None and recorded.partition(":")[0] == now.partition(":")[0] and recorded != now


def _is_own(node: ast.stmt) -> bool:
    """Whether a statement of a revision file is Alembic's, or the downgrade."""
    match node:
        case ast.FunctionDef(name="downgrade"):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in _OWN
        case _:
            return False


def _body(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """The statements of a body, without its docstring."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
        case body:
            return body


def _text(node: object) -> str:
    """A node as text: its class, and its fields in the order of their names; what is empty is left out."""
    found: list[str] = []
    _walk(node, found.append)
    return "".join(found)


def _walk(node: object, write: Callable[[str], None]) -> None:
    if isinstance(node, ast.Constant):
        write(f"{type(node.value).__name__} {node.value!r};")
    elif isinstance(node, ast.JoinedStr):
        write("JoinedStr(")
        _walk_joined(node.values, write)
        write(")")
    elif isinstance(node, ast.AST):
        write(f"{type(node).__name__}(")
        for name in _told_fields(node._fields):
            value = getattr(node, name, None)
            if name == "body" and isinstance(node, _DOCUMENTED):
                value = _body(node)
            if value is not None and value != []:
                write(f"{name}=")
                _walk(value, write)
        write(")")
    elif isinstance(node, list):
        write("[")
        for item in node:
            _walk(item, write)
        write("]")
    else:
        write(f"{node!r};")


@cache
def _told_fields(fields: tuple[str, ...]) -> list[str]:
    return sorted({*fields} - _SILENT)


def _walk_joined(values: list[ast.expr], write: Callable[[str], None]) -> None:
    """The parts of an f-string; how its texts are cut differs between versions of Python."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
            continue
        if text:
            write(f"str {text!r};")
            text = ""
        _walk(value, write)
    if text:
        write(f"str {text!r};")
