"""Edits that cannot change the schema: of comments, of layout, and of what only a type checker reads.

They are told from others by the syntax tree of each file, so that nothing is imported for them.
"""

from __future__ import annotations

import ast
import json
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from framefox_tasks.files import write
from framefox_tasks.model import Project
from framefox_tasks.schema.cache import Sources, digest

_CODE = "code.json"
_MARK = "TYPE_CHECKING"
_WALK = 1
"""The number of what code_digest() does: a digest of another one says nothing."""


def note_code(project: Project, sources: Sources, imported: Collection[Path]) -> None:
    """Keep what the files of an import are, by their content and by their code.

    Args:
        project: The project.
        sources: The files.
        imported: Those that nothing but the import system has read. The others count by their content alone.

    Raises:
        PermissionDeniedError: The cache cannot be written.
    """
    names, known = {project.shown(path) for path in imported}, _known_code(project)
    files = {file: list(_digests(project.path(file), known, by_code=file in names)) for file in sources.files}
    data = {"python": sys.version, "walk": _WALK, "sources": digest(sources.text()), "files": files}
    write(project, project.cached(_CODE), json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def _known_code(project: Project) -> dict[str, str]:
    """The digests of code that were kept by the last import, by those of the contents: an edit changes few of them."""
    try:
        data = json.loads(project.cached(_CODE).read_text(encoding="utf-8"))
        same = (data["python"], data["walk"]) == (sys.version, _WALK)
        return {str(content): str(code) for content, code in data["files"].values() if code} if same else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def is_code_unchanged(project: Project, sources: Sources) -> bool:
    """Whether all files of the last import are still what they were then, but for edits that change no code."""
    try:
        data = json.loads(project.cached(_CODE).read_text(encoding="utf-8"))
        files = {str(file): (str(content), code) for file, (content, code) in data["files"].items()}
        known = (data["python"], data["walk"], data["sources"]) == (sys.version, _WALK, digest(sources.text()))
        if not known or files.keys() != set(sources.files):
            return False
        return all(_is_same(project.path(file), *digests) for file, digests in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_same(path: Path, content: str, code: str | None) -> bool:
    found = path.read_bytes()
    return _content(found) == content or (code is not None and code_digest(found) == code)


def _digests(path: Path, known: Mapping[str, str], *, by_code: bool) -> Iterator[str | None]:
    found = path.read_bytes()
    content = _content(found)
    yield content
    yield (known.get(content) or code_digest(found)) if by_code else None


def _content(data: bytes) -> str:
    return sha256(data).hexdigest()


@lru_cache(maxsize=2000)
def code_digest(source: bytes) -> str | None:
    """A digest of the code in a Python file, without comments, places and type checkers' imports.

    Returns:
        None where the file is not Python, or cannot be told by its code.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import has shown them
        try:
            tree = ast.parse(source)
            if _MARK.encode() in source:
                _drop_unchecked(tree)
            return _content(ast.dump(tree).encode(errors="surrogatepass"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _drop_unchecked(tree: ast.Module) -> None:
    """Take out the bodies of `if TYPE_CHECKING:`, where that is the one of typing, and they belong to no function.

    In a function even what never runs counts: it makes a name local, or the function a generator.
    """
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names) for node in nodes):
        return
    sources = [source for node in nodes for name, source in _bound(node) if name == _MARK]
    typing = [source for node in nodes for name, source in _bound(node) if name == "typing"]
    tests = set()
    if sources and set(sources) == {f"typing.{_MARK}"}:
        tests.add(_MARK)
    if typing and set(typing) == {"typing"} and not any(_is_set(node) for node in nodes):
        tests.add(f"typing.{_MARK}")
    _drop(tree.body, tests)


def _drop(body: Iterable[ast.stmt], tests: Collection[str]) -> None:
    for node in body:
        if isinstance(node, ast.If):
            if ast.unparse(node.test) in tests and not _declares_names(node):
                node.body = [ast.Pass()]
            else:
                _drop(node.body, tests)
            _drop(node.orelse, tests)
        elif isinstance(node, ast.ClassDef):
            _drop(node.body, tests)


def _declares_names(node: ast.If) -> bool:
    """Whether it says of names what holds outside of it as well."""
    return any(isinstance(item, (ast.Global, ast.Nonlocal)) for part in node.body for item in ast.walk(part))


def _bound(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a node binds, each with what it imports; empty for another value."""
    if isinstance(node, ast.Import):
        yield from ((name.asname or name.name.partition(".")[0], name.name) for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from ((name.asname or name.name, f"{module}.{name.name}") for name in node.names)
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, ""
    elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, ""
    elif isinstance(node, ast.arg):
        yield node.arg, ""
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name, ""
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest, ""


def _is_set(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == _MARK and not isinstance(node.ctx, ast.Load)
