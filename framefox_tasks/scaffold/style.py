"""Where a project's entities are, and on what base they are declared: a new one is written the same way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.model import Project
from framefox_tasks.scaffold.known import KnownEntities, KnownEntity, parse
from framefox_tasks.scaffold.layout import width_of
from framefox_tasks.scaffold.source import Import
from framefox_tasks.schema import sources

_FRAMEWORK = Import("framefox.core.orm.abstract_entity", "AbstractEntity")
_SQLMODEL = Import("sqlmodel", "SQLModel")
BASE_NAME = "Base"


@dataclass(frozen=True)
class EntityStyle:
    """How a new entity is written.

    Attributes:
        project: The project.
        path: The folder for its module, or the one module of all entities.
        package: The dotted name of that folder or module; empty where the folder is itself importable from.
        base: The base class as it is written in the module: `Base`, `db.Model`.
        base_import: How the module gets it; None where it is declared there.
        base_class: The base class; None where it is not imported: a new one.
        makes_base: Whether base.py is to be written for it.
        is_sqlmodel: Whether it is a base of SQLModel, and not a declarative base of SQLAlchemy.
        relative: Whether modules of the folder import each other by relative names.
        width: How long a line may be.
    """

    project: Project
    path: Path
    package: str
    base: str
    base_import: Import | None
    base_class: type[Any] | None
    makes_base: bool
    is_sqlmodel: bool
    relative: bool
    width: int

    @property
    def is_module(self) -> bool:
        """Whether all entities are in one module."""
        return self.path.suffix == ".py"

    @property
    def is_dataclass(self) -> bool:
        """Whether the base makes dataclasses of the entities."""
        from sqlalchemy.orm import MappedAsDataclass

        return self.base_class is not None and issubclass(self.base_class, MappedAsDataclass)

    def module(self, name: str) -> str:
        """The name by which modules of the folder import another one."""
        if self.relative:
            return f".{name}"
        return f"{self.package}.{name}" if self.package else name

    def own(self, top: str) -> bool:
        """Whether a top-level module is the project's own."""
        if self.package and top == self.package.partition(".")[0]:
            return True
        folders = (Path(), Path("src"), *self.project.import_paths)
        if not self.package:
            folders = (*folders, self.path)
        found = [self.project.path(folder) / top for folder in folders]
        return any(path.is_dir() or path.with_suffix(".py").is_file() for path in found)

    def reserved(self, name: str) -> str | None:
        """By whom the name of a field is taken; None where it is free."""
        for base in (self.base_class, _base_of_sqlmodel() if self.is_sqlmodel else None):
            if base is not None and (hasattr(base, name) or name in getattr(base, "__annotations__", {})):
                return f"the base class {base.__name__} has it"
        return None

    def has_key(self) -> bool:
        """Whether the base brings the primary key, as `id`."""
        classes = self.base_class.__mro__ if self.base_class else ()
        return any("id" in vars(cls) or "id" in getattr(cls, "__annotations__", {}) for cls in classes)


def style_of(project: Project, known: KnownEntities) -> EntityStyle:
    """The style of the entities that a project has; of one that has none, that of its framework, or SQLAlchemy's.

    Raises:
        EntityError: Nothing says where entities are, or no base class of theirs can be used.
        ConfigError: SQLModel, which the project uses, is not installed.
    """
    path = _place(project, known)
    package = _package(project, path, known)
    make = partial(EntityStyle, project, path, package, width=width_of(project))
    for base, example in known.bases():
        if found := _written(base, example, path, known):
            text, imported = found
            relative = bool(imported and imported.module.startswith("."))
            return make(text, imported, base, makes_base=False, is_sqlmodel=_is_sqlmodel(base), relative=relative)
    if len(known):
        raise EntityError(
            "No base class of the entities can be imported by a new one.",
            hint="Declare the base in a module, as `class Base(DeclarativeBase)`, and the entities on it.",
        )
    if framework := _framework(project):
        base_class = _loaded(framework)
        return make(framework.name, framework, base_class, makes_base=False, is_sqlmodel=True, relative=False)
    module = f"{package}.base" if package else "base"
    return make(BASE_NAME, Import(module, BASE_NAME), None, makes_base=True, is_sqlmodel=False, relative=False)


def _place(project: Project, known: KnownEntities) -> Path:
    from framefox_tasks.schema.entities import has_entities

    if project.entities and has_entities(project):
        return project.path(project.entities[0])
    for name in project.metadata_names:
        for module, path in known.modules:
            if module.__name__ == name.partition(":")[0] and path.is_relative_to(project.root.absolute().resolve()):
                return path
    raise EntityError(
        "The settings do not say where the entities are: that is known to migrations/env.py alone.",
        hint="Set `entities:` in config/orm.yaml to their folder or module, as in `entities: src/entity`.",
    )


def _package(project: Project, path: Path, known: KnownEntities) -> str:
    if module := known.module_of(path):
        return module.__name__
    found = sources.read(project, path) if path.is_dir() and any(path.rglob("*.py")) else []
    return sources.package_of(project, path, found).name


def _written(
    base: type[Any], example: KnownEntity | None, path: Path, known: KnownEntities
) -> tuple[str, Import | None] | None:
    """A base class as a new entity writes it, and its import: as an entity beside it does."""
    if example and example.path.parent == (path.parent if path.suffix else path):
        found = _as_in(base, example.path, example.mapped.__name__, known)
        if found:
            return _seen_from(found, example, path)
    module = next((m for m, _ in known.modules if vars(m).get(base.__name__) is base), None)
    if module is None:
        return None
    file = Path(module.__file__ or "").resolve()
    return base.__name__, None if file == path else Import(module.__name__, base.__name__)


def _seen_from(found: tuple[str, Import | None], example: KnownEntity, path: Path) -> tuple[str, Import | None]:
    """The same for another module of the folder: what the example declares itself must be imported from it."""
    text, imported = found
    if imported is None and example.path != path:
        return text, Import(example.mapped.__module__, text.partition(".")[0])
    return found if example.path != path else (text, None)


def _as_in(base: type[Any], path: Path, name: str, known: KnownEntities) -> tuple[str, Import | None] | None:
    """How a class writes its base, and how its module imports the first name of that."""
    module, tree = known.module_of(path), parse(path)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    for written in node.bases if node and module else ():
        text = ast.unparse(written)
        if _value(module, text) is base:
            return text, next(_imports(tree, text.partition(".")[0]), None)
    return None


def _value(module: ModuleType | None, text: str) -> object:
    value: object = module
    for part in text.split("."):
        value = getattr(value, part, None)
    return value


def _imports(tree: ast.Module, name: str) -> Iterator[Import]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(module, alias.name) for alias in node.names if not alias.asname and alias.name == name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    yield Import(alias.name, "", alias.asname or "")


def _is_sqlmodel(base: type[Any]) -> bool:
    return any(cls.__module__.partition(".")[0] == "sqlmodel" for cls in base.__mro__)


def _framework(project: Project) -> Import | None:
    """The base class of the framework that the project uses: its env.py or its main.py imports something of it."""
    files = (project.migrations_folder / "env.py", project.path("main.py"))
    used = {name.partition(".")[0] for file in files for name in sources.imported_names(file, "")}
    for base in (_FRAMEWORK, _SQLMODEL):
        if base.module.partition(".")[0] in used:
            return base
    return None


def _loaded(base: Import) -> type[Any] | None:
    from importlib import import_module

    if not find_spec(base.module.partition(".")[0]):
        raise ConfigError(
            f"{base.module} is not installed.", hint=f"Install it: pip install {base.module.partition('.')[0]}"
        )
    loaded: type[Any] | None = getattr(import_module(base.module), base.name, None)
    return loaded


def _base_of_sqlmodel() -> type[Any]:
    from importlib import import_module

    loaded: type[Any] = import_module("sqlmodel").SQLModel
    return loaded
