"""The entities that a project has, as they are imported, and what they have in common."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from framefox_tasks.errors import EntityError
from framefox_tasks.model import Project
from framefox_tasks.scaffold.fields import snake

if TYPE_CHECKING:
    from sqlalchemy import Column, Table


@dataclass(frozen=True)
class KnownEntity:
    """A class that is mapped to a table."""

    mapped: type[Any]
    path: Path

    @property
    def table(self) -> Table:
        """Its table."""
        found: Table = self.mapped.__table__
        return found

    @property
    def names(self) -> set[str]:
        """What it is called: by its class, its table and its module."""
        return {self.mapped.__name__.lower(), str(self.table.name).lower(), snake(self.mapped.__name__)}

    @property
    def label(self) -> str:
        """Its name, as a field refers to it."""
        return snake(self.mapped.__name__)

    def key(self) -> Column[Any]:
        """The column of its primary key.

        Raises:
            EntityError: It has none, or several.
        """
        columns = list(self.table.primary_key.columns)
        if len(columns) != 1:
            raise EntityError(
                f"{self.label} has a primary key of {len(columns)} columns: no field can refer to it.",
                hint="Refer to another entity, and write this reference by hand.",
            )
        return columns[0]


class KnownEntities(Sequence[KnownEntity]):
    """The entities of a project.

    Args:
        project: Its entities are imported.

    Attributes:
        modules: The modules that were read for them, with their files.

    Raises:
        EntityError: They cannot be imported completely.
    """

    def __init__(self, project: Project) -> None:
        from framefox_tasks.schema.entities import load_entities

        self.project = project
        loaded = load_entities(project) if _has_modules(project) else None
        files = set(loaded.files) if loaded else set()
        self.modules = list(_modules(files))
        self._found = [
            KnownEntity(value, path)
            for module, path in self.modules
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__mapper__")
        ]
        self.metadata = loaded.metadata if loaded else ()

    def __getitem__(self, index: Any) -> Any:
        """One of them."""
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def named(self, name: str) -> KnownEntity | None:
        """The entity of a name: its class, its table, or either in small letters."""
        wanted = {name.lower(), snake(name)}
        return next((entity for entity in self._found if wanted & entity.names), None)

    @cached_property
    def plural(self) -> bool:
        """Whether most of their tables are called by a plural."""
        tables = [(str(entity.table.name), entity.label) for entity in self._found]
        votes = Counter(table != label and table.startswith(label[:-1]) and table[-1] == "s" for table, label in tables)
        return votes[True] > votes[False]

    def bases(self) -> Iterator[tuple[type[Any], KnownEntity | None]]:
        """The bases that entities are declared on, the most used one first, each with an entity that has it."""
        used = Counter(base for entity in self._found if (base := base_of(entity.mapped)))
        for base, _ in used.most_common():
            yield base, next(entity for entity in self._found if base_of(entity.mapped) is base)
        for module, _ in self.modules:
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == module.__name__ and is_base(value):
                    yield value, None

    def module_of(self, path: Path) -> ModuleType | None:
        """The module of a file."""
        return next((module for module, file in self.modules if file == path), None)


def _has_modules(project: Project) -> bool:
    if project.metadata:
        return True
    paths = [project.path(folder) for folder in project.entities]
    return any(path.is_file() or any(path.rglob("*.py")) for path in paths)


def _modules(files: Collection[Path]) -> Iterator[tuple[ModuleType, Path]]:
    """The modules that were imported from these files."""
    names = {path.name for path in files}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if PurePath(file).name in names and (path := Path(file).resolve()) in files:
            yield module, path


def is_base(value: type[Any]) -> bool:
    """Whether a class is one that entities are declared on: it has metadata, and no table."""
    from sqlalchemy import MetaData

    return isinstance(getattr(value, "metadata", None), MetaData) and getattr(value, "__table__", None) is None


def base_of(mapped: type[Any]) -> type[Any] | None:
    """The nearest base that a class is declared on; not another entity, nor a mixin."""
    return next((base for base in mapped.__mro__[1:] if is_base(base)), None)


def plural(name: str) -> str:
    """The plural of a noun in small letters, as far as its spelling tells."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "z", "ch", "sh")) else f"{name}s"


def parse(path: Path) -> ast.Module:
    """The source of a module."""
    return ast.parse(path.read_bytes())
