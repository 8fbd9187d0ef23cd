"""The entities' source files, read without importing them."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from framefox_tasks.errors import EntityError
from framefox_tasks.model import Project

_WRITTEN = "Where there are some, and what to write, is told by: framefox-tasks init"


@dataclass(frozen=True)
class DeclaredTable:
    """A class statement that declares a table."""

    name: str
    table: str
    line: int


@dataclass(frozen=True)
class EntityModule:
    """One module: its file, the tables that its classes declare, and the modules that it imports by full name."""

    path: Path
    tables: tuple[DeclaredTable, ...]
    imports: frozenset[str]


@dataclass(frozen=True)
class Package:
    """How a folder of modules is imported: the folder on sys.path, and the dotted name below it."""

    base: Path
    name: str
    folder: Path

    def module(self, path: Path) -> str:
        """The dotted name of a file in the folder."""
        parts = path.relative_to(self.folder).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        return ".".join((self.name, *parts)) if self.name else ".".join(parts)


def ignored(project: Project, table: str) -> bool:
    """Whether the project lists the table under ignore_tables."""
    return any(fnmatchcase(table, pattern) for pattern in project.ignore_tables)


def read(project: Project, folder: Path) -> list[EntityModule]:
    """The modules below a folder, in sorted order.

    Raises:
        EntityError: The folder is missing or holds no module, or a file is not Python.
    """
    path = project.path(folder)
    if path.is_file() and path.suffix == ".py":
        return [] if _excluded(project, path) else [_source(project, path)]
    if not path.is_dir():
        raise EntityError(
            f"The entity folder {project.shown(path)} does not exist.",
            hint="Create it and declare an entity there, or set `entities:` or `metadata:` in config/orm.yaml.\n"
            f"{_WRITTEN}",
        )
    _check_names(project, path)
    sources = [_source(project, file) for file in _modules(path) if not _excluded(project, file)]
    if not any(source.path.name != "__init__.py" or source.tables for source in sources):
        raise EntityError(
            f"The entity folder {project.shown(path)} holds no module.",
            hint=f"Declare an entity there, or set `entities:` or `metadata:` in config/orm.yaml.\n{_WRITTEN}",
        )
    return sources


def _excluded(project: Project, path: Path) -> bool:
    """Whether the project leaves a module out, or a folder that it is in."""
    root = project.root.absolute().resolve()
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    places = [place.as_posix() for place in (inside, *inside.parents)]
    return any(fnmatchcase(place, pattern.rstrip("/")) for pattern in project.exclude_entities for place in places)


def package_folder(project: Project, module: ModuleType) -> Path | None:
    """The folder of the top-level package that a module is in, or its file, if that is the project's own."""
    file = Path(module.__file__ or "").resolve()
    if "." not in module.__name__ and file.name != "__init__.py":
        return file
    levels = module.__name__.count(".") + (file.name == "__init__.py")
    folder = file.parents[max(levels - 1, 0)]
    return folder if folder.is_relative_to(project.root.absolute().resolve()) else None


def below(path: Path) -> list[EntityModule]:
    """The modules at or below a path, which need not hold any. Not each is imported, and not each need be Python."""
    return [_module(file, _told_of(file)) for file in ([path] if path.is_file() else _modules(path))]


def declaring(project: Project, tables: Collection[str]) -> Iterator[tuple[Path, DeclaredTable]]:
    """The declarations of tables in the project's own Python files: classes, by their names too, and Table(...)."""
    if not tables:
        return
    for path in own_files(project.root.absolute().resolve()):
        for node in _nodes_of(path):
            yield from ((path, declared) for declared in _declaring_node(node, tables))


def _declaring_node(node: ast.AST, tables: Collection[str]) -> Iterator[DeclaredTable]:
    if isinstance(node, ast.ClassDef):
        found = [declared for declared in _declared_table(node) if declared.table in tables]
        yield from found
        # A base or a function may name the table after the class, as Flask-SQLAlchemy does: OrderLine is order_line.
        plain = {table.replace("_", "").lower(): table for table in tables}
        written = any(target.id == "__tablename__" for item in node.body for target, _ in _assignments(item))
        named = node.bases and not written and node.name.lower() in plain
        if named and not found:
            yield DeclaredTable(node.name, plain[node.name.lower()], node.lineno)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if function == "Table" and node.args[0].value in tables:
            yield DeclaredTable("Table", str(node.args[0].value), node.lineno)


def own_files(root: Path) -> Iterator[Path]:
    """The Python files of a project, sorted in each folder."""
    for folder, names, files in os.walk(root):
        # Not of another environment, and nothing hidden.
        names[:] = sorted(n for n in names if n.isidentifier() and not Path(folder, n, "pyvenv.cfg").exists())
        yield from (Path(folder, file) for file in sorted(files) if file.endswith(".py"))


def _nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All of a module's syntax tree; none where it is no Python."""
    try:
        return _nodes(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ()


@lru_cache(maxsize=512)
def _nodes(source: bytes) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(source)))


class _Told(NamedTuple):
    """What a source says.

    Attributes:
        tables: The tables that its classes declare.
        imports: The full names that it imports; see _imports.
        relative: Those that it imports from a level of its package: the level, the module, the names.
    """

    tables: tuple[DeclaredTable, ...] = ()
    imports: frozenset[str] = frozenset()
    relative: tuple[tuple[int, str | None, tuple[str, ...]], ...] = ()


_known: dict[bytes, _Told] = {}
"""What is known of sources, by their digests: of a thousand, each would be parsed again for each that asks."""


def _told(source: bytes, path: Path) -> _Told:
    """What a source says.

    Raises:
        SyntaxError, ValueError: It is not Python.
    """
    key = sha256(source).digest()
    if key not in _known:
        nodes = list(ast.walk(ast.parse(source, filename=str(path))))
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
        _known[key] = _Told(
            tuple(declared for node in classes for declared in _declared_table(node)),
            frozenset(_imports(nodes)),
            tuple((node.level, node.module, tuple(alias.name for alias in node.names)) for node in froms),
        )
    return _known[key]


def _told_of(path: Path) -> _Told:
    """The same of a file; nothing where it is no Python."""
    try:
        return _told(path.read_bytes(), path)
    except (SyntaxError, ValueError, OSError):
        return _Told()


def _check_names(project: Project, folder: Path) -> None:
    """A file such as re-view.py cannot be imported: if it declares a table, the table would look dropped."""
    importable = set(_modules(folder))
    for path in python_files(folder):
        if (
            path in importable or _excluded(project, path) or "{" in str(path.relative_to(folder))
        ):  # a template, and not a module
            continue
        if _told_of(path).tables:
            raise EntityError(
                f"{project.shown(path)} declares a table, but cannot be imported: its name is no Python identifier.",
                hint="Rename the file or its folder, or move it out of the entities.",
            )


def _modules(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if all(part.isidentifier() for part in path.relative_to(folder).with_suffix("").parts):
            yield path


def _source(project: Project, path: Path) -> EntityModule:
    try:
        told = _told(path.read_bytes(), path)
    except (SyntaxError, ValueError, OSError) as exc:
        line = f", line {exc.lineno}" if isinstance(exc, SyntaxError) and exc.lineno else ""
        text = exc.msg if isinstance(exc, SyntaxError) else exc
        raise EntityError(
            f"The entities cannot be imported. {project.shown(path)}{line}: {type(exc).__name__}: {text}",
            hint="Nothing was written. Correct the file and run the command again.",
        ) from exc
    return _module(path, told)


def _module(path: Path, told: _Told) -> EntityModule:
    return EntityModule(path.resolve(), told.tables, told.imports)


def _declared_table(node: ast.ClassDef) -> Iterator[DeclaredTable]:
    constants = {
        name.id: value.value
        for statement in node.body
        for name, value in _assignments(statement)
        if isinstance(value, ast.Constant)
    }
    if constants.get("__abstract__"):
        return
    is_table_model = any(
        keyword.arg == "table" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in node.keywords
    )
    table = constants.get("__tablename__")
    if isinstance(table, str):
        yield DeclaredTable(node.name, table, node.lineno)
    elif is_table_model and not _mentions(node, "__tablename__"):
        # SQLModel names the table after the class, in lower case.
        yield DeclaredTable(node.name, node.name.lower(), node.lineno)


def _assignments(statement: ast.stmt) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(statement, ast.Assign):
        yield from ((target, statement.value) for target in statement.targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target, statement.value


def _mentions(node: ast.ClassDef, name: str) -> bool:
    functions = any(isinstance(item, ast.FunctionDef) and item.name == name for item in node.body)
    return functions or any(target.id == name for item in node.body for target, _ in _assignments(item))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_names(path: Path, package: str) -> set[str]:
    """The full names that a module may import: of modules, and of what may be one in a package.

    Args:
        path: The module's file.
        package: The package that its relative imports start at.
    """
    told = _told_of(path)
    found = set(told.imports)
    for level, module, names in told.relative:
        parts = package.split(".")[: len(package.split(".")) - level + 1]
        base = ".".join([*parts, *filter(None, [module])])
        found |= {base, *(f"{base}.{name}" for name in names)}
    return found


def python_files(folder: Path) -> list[Path]:
    """Every Python file at or below a path, sorted; also those that cannot be imported, for they are read as well."""
    # An editor's lock is a link to nowhere.
    return [folder] if folder.is_file() else sorted(path for path in folder.rglob("*.py") if path.name[:2] != ".#")


def package_of(project: Project, folder: Path, sources: list[EntityModule]) -> Package:
    """How the project itself imports the modules of a folder.

    src/shop/models may be `src.shop.models` or, in a src layout, `shop.models`; importing it under the other name would
    run every module twice. So the sources and env.py are asked first, then what is importable already, then the usual
    layouts.
    """
    path = project.path(folder)
    path = path.parent if path.is_file() else path
    candidates = list(_candidates(project, path))
    imported = {name for source in sources for name in source.imports}
    imported |= imported_names(project.migrations_folder / "env.py", "")
    for candidate in candidates:
        if any(name == candidate.name or name.startswith(f"{candidate.name}.") for name in imported):
            return candidate
    for candidate in reversed(candidates[1:]):
        if _importable_as(candidate):
            return candidate
    first = candidates[0]
    if first.name.startswith("src.") and first.name.count(".") > 1 and not (first.base / "src/__init__.py").exists():
        return candidates[1]
    return first


def _candidates(project: Project, path: Path) -> Iterator[Package]:
    root = project.root.absolute().resolve()
    if not path.is_relative_to(root):
        root = path.parent
        while (root / "__init__.py").exists():
            root = root.parent
    parts = path.relative_to(root).parts
    if not parts or not all(part.isidentifier() for part in parts):
        yield Package(path, "", path)
        return
    for index in range(len(parts)):
        yield Package(root.joinpath(*parts[:index]), ".".join(parts[index:]), path)


def _importable_as(candidate: Package) -> bool:
    try:
        spec = find_spec(candidate.name)
    except Exception:  # noqa: BLE001 - importing it next says why
        return False
    found = spec.submodule_search_locations if spec else None
    return candidate.folder in [Path(location).resolve() for location in found or ()]
