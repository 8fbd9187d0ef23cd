"""The entities: imported completely, or not at all."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sqlalchemy import MetaData, Table

from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.model import Project
from framefox_tasks.schema import framework, sources as _sources
from framefox_tasks.schema.checks import check_registered, check_tables
from framefox_tasks.schema.from_metadata import tables_of
from framefox_tasks.schema.generated import end_expressions
from framefox_tasks.schema.imports import FilesRead, watching
from framefox_tasks.schema.sources import EntityModule


@dataclass(frozen=True)
class Entities:
    """The entities as imported.

    Attributes:
        metadata: The MetaData objects that hold their tables.
        packages: The package that declares a table, by the table's key; see snapshot.Table.
        files: The files that were read, sorted: the project's own, and the modules of the entities' base classes.
        folders: The folders and modules whose every Python file counts, one that is new as well.
        imported: Those of the files that nothing but the import system has read.
    """

    metadata: tuple[MetaData, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    imported: frozenset[Path] = frozenset()


def env_text(project: Project) -> str:
    """The source text of the project's env.py; empty if there is none."""
    path = project.migrations_folder / "env.py"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def has_entities(project: Project) -> bool:
    """Whether the settings or the default folder locate the entities; else only env.py does."""
    return (
        bool(project.metadata)
        or project.entities not in (Project.entities, ())
        or any(project.path(folder).exists() for folder in project.entities)
        or "framefox_tasks" in env_text(project)
        or not project.migrations_folder.exists()
    )


def load_metadata(project: Project) -> tuple[MetaData, ...]:
    """Import the project's entities and return the MetaData objects that hold their tables.

    Raises:
        EntityError: See load_entities.
        ConfigError: See load_entities.
    """
    return load_entities(project).metadata


def load_entities(project: Project) -> Entities:
    """Import the project's entities.

    Every module of the entity folders is imported, in sorted order; `project.metadata` names the MetaData where the
    project sets it; the entities of its framework are among them. Then every class in the sources that declares a table
    must be in one of them: a model that was not imported would look like a table to drop.

    Raises:
        EntityError: A folder is missing or empty, a module cannot be imported, a class did not register, or two
            MetaData declare the same table. Names the file and the line.
        ConfigError: `project.metadata` cannot be resolved.
    """
    make_importable(project)
    folders = [project.path(folder) for folder in project.entities]
    read = FilesRead([project.root.absolute().resolve(), *folders])
    before = _times(_listed(folders))
    with watching():
        modules, sources = _import_folders(project)
        provided = import_provided(project, sources)
        named = _unique(item for name in project.metadata_names for item in _named(project, name))
        hook = _import_hook(project)
    if project.metadata and not sources:
        modules, folders = _package_modules(project)
        sources = [source for path in folders for source in _sources.below(path)]
    metadata = named or _unique(item for name in modules for item in _declared(sys.modules[name]))
    end_expressions(metadata)
    check_registered(project, sources, metadata)
    check_tables(project, metadata)
    below = _listed(folders)
    read_too = [*modules, *provided]
    values = [value for name in read_too for value in list(vars(sys.modules[name]).values())]
    classes = [value for value in values if isinstance(value, type) and list(tables_of(value))]
    files = {*below} | read.files([*read_too, *hook], classes)
    if not provided:  # env.py was only looked at for what it imports
        files -= {(project.migrations_folder / "env.py").resolve()}
    # One that was saved meanwhile may have been read before that: it is left out, and so is new the next time.
    saved = {path for path, time in _times(below).items() if before.get(path, time) != time}
    files -= saved
    imported = frozenset(files & read.imported())
    listed = {path.resolve(): project.module_name(path) for path in folders if path.is_file()}
    return Entities(metadata, _packages(modules, sources, listed), tuple(sorted(files)), tuple(folders), imported)


def import_provided(project: Project, sources: Iterable[EntityModule] = ()) -> list[str]:
    """Import the entities of the framework that the project uses, and give the names of their modules.

    Raises:
        EntityError: One cannot be imported.
    """
    make_importable(project)
    found = framework.entity_modules(project, sources)
    for name, path in found.items():
        _import(project, name, path)
    return list(found)


def _import_hook(project: Project) -> list[str]:
    """The module of the include_object hook: what it leaves out may depend on it as on the entities."""
    names = [project.include_object.partition(":")[0]] if project.include_object else []
    for name in names:
        _import(project, name, None)
    return names


def _import_folders(project: Project) -> tuple[dict[str, str], list[EntityModule]]:
    """The modules of the entity folders, with the package that each is named relative to, and their sources."""
    modules: dict[str, str] = {}
    sources: list[EntityModule] = []
    for folder in project.entities:
        found = _sources.read(project, folder)
        package = _sources.package_of(project, folder, found)
        _importable(package.base)
        sources += found
        for source in found:
            name = package.module(source.path)
            _import(project, name, source.path)
            modules[name] = package.name
    return modules, sources


def _package_modules(project: Project) -> tuple[dict[str, str], list[Path]]:
    """The modules of the packages that hold the metadata, as for _import_folders, and where their files are."""
    modules: dict[str, str] = {}
    folders: dict[Path, None] = {}
    for name in (where.partition(":")[0] for where in project.metadata_names):
        top = name.partition(".")[0]
        modules |= {other: top for other in sys.modules if other == name or other.startswith(f"{top}.")}
        if package_folder := _sources.package_folder(project, sys.modules[name]):
            folders[package_folder] = None
    return modules, list(folders)


def _listed(folders: Iterable[Path]) -> list[Path]:
    """The Python files at and below folders, resolved."""
    return [file.resolve() for folder in folders for file in _sources.python_files(folder)]


def _times(files: Iterable[Path]) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in files if file.is_file()}


def _packages(
    modules: Mapping[str, str], sources: Iterable[EntityModule], listed: Mapping[Path, str]
) -> dict[str, str]:
    """The package that declares each table, relative to the folder of the entities; a module that is listed itself."""
    imports = {source.path: source.imports for source in sources}
    found: dict[str, str] = {}
    for name, base in modules.items():
        module = sys.modules[name]
        inside = name if hasattr(module, "__path__") else name.rpartition(".")[0]
        file = Path(getattr(module, "__file__", None) or "")
        package = listed.get(file.resolve()) or inside.removeprefix(base).removeprefix(".")
        imported = imports.get(file, frozenset())
        elsewhere = {text.rpartition(".")[2] for text in imported}
        for attribute, value in list(vars(module).items()):
            # A Table does not know its module: it is not one that imports it.
            own = value.__module__ == name if isinstance(value, type) else attribute not in elsewhere
            found.update((table.key, package) for table in tables_of(value) if own)
    return found


def resolve(project: Project, name: str, key: str) -> object:
    """The object that package.module:attribute names.

    Raises:
        ConfigError: The name has another form, or there is no such attribute.
        EntityError: The module cannot be imported.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigError(
            f"{key} must be package.module:attribute, not {name!r}.", hint=f"Write it as in `{key}: shop.db:name`."
        )
    make_importable(project)
    value: object = _import(project, module_name, None)
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise ConfigError(f"{key}: {module_name} has no attribute {attribute!r}.")
        value = getattr(value, part)
    return value


def make_importable(project: Project) -> None:
    """Let the modules of a project be imported: from its root, and from what it names besides."""
    for folder in (project.root, *reversed([project.path(path) for path in project.import_paths])):
        _importable(folder)


def _importable(folder: Path) -> None:
    path = str(folder.absolute())
    if path not in sys.path:
        sys.path.insert(0, path)


def _import(project: Project, name: str, path: Path | None) -> ModuleType:
    try:
        module = import_module(name)
    except (Exception, SystemExit) as exc:
        raise _import_error(project, exc, name, path) from exc
    found = getattr(module, "__file__", None)
    if path is not None and found not in (None, str(path)) and Path(found).resolve() != path:
        raise EntityError(
            f"{project.shown(path)} cannot be imported: the module {name} is {found}.",
            hint="Rename one of the two, or set `entities:` in config/orm.yaml to the right folder.",
        )
    return module


def _import_error(project: Project, exc: BaseException, name: str, path: Path | None) -> EntityError:
    file, line = place_of(exc, [project.root.absolute()]) or (path or name, None)
    shown = project.shown(file) if isinstance(file, Path) else f"The module {file}"
    place = f"{shown}, line {line}" if line else shown
    text = str(exc).partition("\n")[0] or "no message"
    return EntityError(
        f"The entities cannot be imported. {place}: {type(exc).__name__}: {text}",
        hint="Nothing was written. Correct the file and run the command again.",
    )


def place_of(exc: BaseException, folders: Iterable[Path]) -> tuple[Path, int | None] | None:
    """The file and the line of an error: the innermost of its traceback in the folders; None if it has none there."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return Path(exc.filename), exc.lineno
    wanted = [folder.resolve() for folder in folders]
    for frame in reversed(traceback.extract_tb(exc.__traceback__)):
        file = Path(frame.filename)
        # Nothing of an environment below the project, but a folder that is itself part of an installed package.
        inside = (file.relative_to(folder).parts for folder in wanted if file.is_relative_to(folder))
        if any("site-packages" not in parts for parts in inside):
            return file, frame.lineno
    return None


def _declared(module: ModuleType) -> Iterator[MetaData]:
    for value in list(vars(module).values()):
        if isinstance(value, MetaData):
            yield value
        elif isinstance(value, (Table, type)):
            metadata = getattr(value, "metadata", None)
            if isinstance(metadata, MetaData):
                yield metadata


def _named(project: Project, name: str) -> tuple[MetaData, ...]:
    value = resolve(project, name, "metadata")
    items = value if isinstance(value, (list, tuple)) else [value]
    found = [item if isinstance(item, MetaData) else getattr(item, "metadata", None) for item in items]
    if not found or not all(isinstance(item, MetaData) for item in found):
        raise ConfigError(
            f"metadata: {name} is a {type(value).__name__}, not a MetaData.",
            hint="Name the MetaData itself or the declarative base, as in shop.models:Base.",
        )
    return tuple(item for item in found if isinstance(item, MetaData))


def _unique(found: Iterable[MetaData]) -> tuple[MetaData, ...]:
    return tuple(item for item in {id(item): item for item in found}.values() if item.tables)
