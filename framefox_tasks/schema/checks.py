"""The checks of imported entities: each declared table is in the metadata, once, and refers to one that is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from framefox_tasks.errors import EntityError
from framefox_tasks.model import Project
from framefox_tasks.schema import sources as _sources
from framefox_tasks.schema.sources import EntityModule

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


def check_registered(project: Project, sources: Iterable[EntityModule], metadata: Iterable[MetaData]) -> None:
    """Check that every class in the sources that declares a table is in the metadata.

    Raises:
        EntityError: One is not: its table would look like one to drop.
    """
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


def check_tables(project: Project, metadata: tuple[MetaData, ...]) -> None:
    """Check that there is a table, none is declared twice, and each foreign key refers to one of them.

    Raises:
        EntityError: One of these does not hold.
    """
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
        where = (
            ", ".join(str(folder) for folder in project.entities) or ", ".join(project.metadata_names) or "any place"
        )
        raise EntityError(
            f"No table is declared in {where}.",
            hint="Declare an entity there, or set `entities:` or `metadata:` in config/orm.yaml.",
        )


def _check_foreign_keys(table: Table) -> None:
    from sqlalchemy.exc import NoReferencedColumnError, NoReferencedTableError

    from framefox_tasks.schema.references import reference_of

    for key in sorted(table.foreign_keys, key=lambda key: reference_of(key)[1:]):
        try:
            _ = key.column
        except (NoReferencedTableError, NoReferencedColumnError) as exc:
            target = ".".join(filter(None, reference_of(key)))
            raise EntityError(
                f"The foreign key {table.fullname}.{key.parent.name} refers to {target!r}, which no entity declares.",
                hint="Correct the name, or declare the table that it refers to.",
            ) from exc
