"""What the Python files of a project declare and import, read without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from framefox_tasks.model import Project
from framefox_tasks.schema.sources import below, own_files

_FOLDERS = {"entity", "entities", "model", "models"}
_ASIDE = {"test", "tests", "migrations", "versions", "alembic", "node_modules"}
_COLUMNS = {"Column", "mapped_column", "relationship"}


@dataclass(frozen=True)
class Code:
    """The Python code of a project.

    Attributes:
        files: Its files, but those of migrations and tests, and dodo.py.
        entities: Where its entities are, as `entities:` of the settings takes it; not those of other databases.
        unreadable: Those of them that are no Python: what they declare is not known.
        imports: The top-level names of all modules that it imports.
        reads_database_url: Whether it names the variable DATABASE_URL.
    """

    files: tuple[Path, ...]
    entities: tuple[str, ...]
    unreadable: tuple[Path, ...]
    imports: frozenset[str]
    reads_database_url: bool


def read_code(project: Project, others: Iterable[Project] = ()) -> Code:
    """Read the code of a project.

    Args:
        project: The project.
        others: The same with the settings of its other databases.
    """
    root = project.root.absolute().resolve()
    folders = (project.migrations_folder, *project.versions)
    files = [path for path in own_files(root) if not any(path.is_relative_to(folder) for folder in folders)]
    files = [path for path in files if path != root / "dodo.py" and not _is_aside(path.relative_to(root))]
    texts = {path: path.read_bytes() for path in files}
    env_py = project.migrations_folder / "env.py"
    read = [*texts.values(), env_py.read_bytes() if env_py.is_file() else b""]
    trees = {path: tree for path, text in texts.items() if (tree := _tree(text))}
    taken = [place for other in others for place in _own_places(other)]
    declaring = [path.relative_to(root) for path, tree in trees.items() if _declares(path, tree)]
    declaring = [path for path in declaring if not any((root / path).is_relative_to(place) for place in taken)]
    imports = {name for tree in (*trees.values(), _tree(read[-1])) if tree for name in _imported(tree)}
    return Code(
        tuple(files),
        tuple(_places(declaring)),
        tuple(path.relative_to(root) for path in texts if path not in trees),
        frozenset(imports),
        any(b"DATABASE_URL" in text for text in read),
    )


def _own_places(other: Project) -> Iterator[Path]:
    """Where the entities of another database are: its modules and folders, and the packages of its metadata."""
    yield from map(other.path, other.entities)
    for name in other.metadata_names:
        package, _, module = name.partition(":")[0].rpartition(".")
        for folder in (other.root, *other.import_paths, other.path("src")):
            yield other.path(folder / package.replace(".", "/") if package else folder / f"{module}.py")


def _is_aside(path: Path) -> bool:
    """Whether a file is of tests, migrations or another language's packages: no entity that counts is there."""
    return bool(_ASIDE & set(path.parts[:-1])) or path.name.startswith("test_") or path.name == "conftest.py"


def _tree(text: bytes) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None  # whoever imports it tells


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _declares(path: Path, tree: ast.Module) -> bool:
    """Whether a module declares a table: by a class, or by a Table(...)."""
    if any(module.tables for module in below(path)):
        return True
    nodes = list(ast.walk(tree))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef) and node.bases]
    return any(map(_has_columns, classes)) or any(map(_is_table, nodes))


def _has_columns(node: ast.ClassDef) -> bool:
    """Whether a class with bases has columns; one of them may name the table. Not if it is abstract."""
    assigned = [item for item in node.body if isinstance(item, (ast.Assign, ast.AnnAssign))]
    names = {target.id for item in assigned for target in _targets(item) if isinstance(target, ast.Name)}
    called = {_called(item.value) for item in assigned if isinstance(item.value, ast.Call)}
    return "__abstract__" not in names and bool(called & _COLUMNS)


def _targets(item: ast.Assign | ast.AnnAssign) -> Iterable[ast.expr]:
    return item.targets if isinstance(item, ast.Assign) else [item.target]


def _called(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return str(getattr(function, "attr", None) or getattr(function, "id", ""))


def _is_table(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or len(node.args) < 2 or _called(node) != "Table":
        return False
    return isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)


def _places(files: Iterable[Path]) -> Iterator[str]:
    """The folders of entities that these modules are in, and the modules that are in none.

    Modules of the same name in sister folders, as those of several applications, become one pattern: an application
    that comes later is meant too.
    """
    places = sorted({_place(path) for path in files})
    by_pattern = groupby(sorted(places, key=_pattern), key=_pattern)
    for pattern, group in by_pattern:
        members = list(group)
        yield from [pattern.as_posix()] if len(members) > 1 else [path.as_posix() for path in members]


def _place(path: Path) -> Path:
    return next((folder for folder in reversed(path.parents) if folder.name in _FOLDERS), path)


def _pattern(path: Path) -> Path:
    """The path with a star for the folder that it is in; itself where that is the project's."""
    return path.parent.parent / "*" / path.name if len(path.parts) > 1 else path
