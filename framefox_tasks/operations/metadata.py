"""The entities: imported completely, or not at all."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sqlalchemy import MetaData, Table
from sqlalchemy.exc import NoReferencedColumnError, NoReferencedTableError

from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.model import Project
from framefox_tasks.operations import _sources
from framefox_tasks.operations._sources import Source


def load_metadata(project: Project) -> tuple[MetaData, ...]:
    """Import the project's entities and return the MetaData objects that hold their tables.

    Every module of the entity folders is imported, in sorted order; `project.metadata` names the MetaData where the
    project sets it. Then every class in the sources that declares a table must be in one of them: a model that was not
    imported would look like a table to drop.

    Raises:
        EntityError: A folder is missing or empty, a module cannot be imported, a class did not register, or two
            MetaData declare the same table. Names the file and the line.
        ConfigError: `project.metadata` cannot be resolved.
    """
    _importable(project.root)
    sources: list[Source] = []
    modules: list[ModuleType] = []
    for folder in project.entities:
        found = _sources.read(project, folder)
        package = _sources.package_of(project, folder, found)
        _importable(package.base)
        sources += found
        modules += [_import(project, package.module(source.path), source.path) for source in found]
    if project.metadata:
        found_metadata = _named(project, project.metadata)
        sources = sources or _sources.beside(project, sys.modules[project.metadata.partition(":")[0]])
    else:
        found_metadata = _unique(item for module in modules for item in _declared(module))
    _check_registered(project, sources, found_metadata)
    _check_tables(project, found_metadata)
    return found_metadata


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
    _importable(project.root)
    value: object = _import(project, module_name, None)
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise ConfigError(f"{key}: {module_name} has no attribute {attribute!r}.")
        value = getattr(value, part)
    return value


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
    if path is not None and found is not None and Path(found).resolve() != path:
        raise EntityError(
            f"{project.shown(path)} cannot be imported: the module {name} is {found}.",
            hint="Rename one of the two, or set `entities:` in config/orm.yaml to the right folder.",
        )
    return module


def _import_error(project: Project, exc: BaseException, name: str, path: Path | None) -> EntityError:
    file, line = path or name, None
    if isinstance(exc, SyntaxError) and exc.filename:
        file, line = Path(exc.filename), exc.lineno
    else:
        root = project.root.absolute().resolve()
        for frame in traceback.extract_tb(exc.__traceback__):
            if "site-packages" not in frame.filename and Path(frame.filename).is_relative_to(root):
                file, line = Path(frame.filename), frame.lineno
    shown = project.shown(file) if isinstance(file, Path) else f"The module {file}"
    place = f"{shown}, line {line}" if line else shown
    text = str(exc).partition("\n")[0] or "no message"
    return EntityError(
        f"The entities cannot be imported. {place}: {type(exc).__name__}: {text}",
        hint="Nothing was written. Correct the file and run the command again.",
    )


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


def _check_registered(project: Project, sources: Iterable[Source], metadata: Iterable[MetaData]) -> None:
    names = {table.name for item in metadata for table in item.tables.values()}
    for source in sources:
        for declared in source.tables:
            if declared.table not in names and not _sources.ignored(project, declared.table):
                raise EntityError(
                    f"{project.shown(source.path)}, line {declared.line}: the class {declared.name} declares the table "
                    f"{declared.table!r}, but it is not in the metadata. Going on would drop that table.",
                    hint="Let it inherit from the declarative base and have its module imported, "
                    "or list the table under `ignore_tables:` in config/orm.yaml.",
                )


def _check_tables(project: Project, metadata: tuple[MetaData, ...]) -> None:
    seen: dict[str, MetaData] = {}
    for item in metadata:
        for key in item.tables:
            if seen.setdefault(key, item) is not item:
                raise EntityError(
                    f"The table {key!r} is declared twice, in two MetaData objects.",
                    hint="Let both classes share one declarative base, or rename one of the tables.",
                )
    for item in metadata:
        for table in item.tables.values():
            _check_foreign_keys(table)
    if not seen:
        where = ", ".join(str(folder) for folder in project.entities) or project.metadata
        raise EntityError(
            f"No table is declared in {where}.",
            hint="Declare an entity there, or set `entities:` or `metadata:` in config/orm.yaml.",
        )


def _check_foreign_keys(table: Table) -> None:
    for key in sorted(table.foreign_keys, key=lambda key: key.target_fullname):
        try:
            _ = key.column
        except (NoReferencedTableError, NoReferencedColumnError) as exc:
            raise EntityError(
                f"The foreign key {table.fullname}.{key.parent.name} refers to {key.target_fullname!r}, "
                "which no entity declares.",
                hint="Correct the name, or declare the table that it refers to.",
            ) from exc
