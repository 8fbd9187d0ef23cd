"""A new entity before it is written: its names, and how it refers to others."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.model import Project
from framefox_tasks.scaffold.fields import LONGEST_NAME, MANY, NewField, check_name, parse_fields, snake
from framefox_tasks.scaffold.known import KnownEntities, KnownEntity, plural
from framefox_tasks.scaffold.style import EntityStyle, style_of

if TYPE_CHECKING:
    from sqlalchemy import Column


@dataclass(frozen=True)
class Key:
    """The column that a reference refers to.

    Attributes:
        name: Its name.
        full_name: The same with its table.
        python: The type of its values.
        type: Its type in SQLAlchemy.
        length: How long a text in it may be.
    """

    name: str
    full_name: str
    python: str = "int"
    type: str = "Integer"
    length: int | None = None


@dataclass(frozen=True)
class EntityRelation:
    """A field that refers to another entity.

    Attributes:
        field: The field.
        target: The entity; None for the new one itself.
        key: What it refers to.
        other: The attribute of the other side; empty where it gets none.
        column: The name of the column.
        ambiguous: Whether there are several foreign keys to that entity.
        link: The name of the table between; empty where there is none.
    """

    field: NewField
    target: KnownEntity | None
    key: Key
    other: str
    column: str
    ambiguous: bool
    link: str


@dataclass(frozen=True)
class NewEntity:
    """An entity that is to be written.

    Attributes:
        label: Its name in small letters, and that of its module.
        class_name: The same as a class.
        table: Its table.
        key: Its primary key.
        fields: Its fields.
        relations: Those that refer to others, by their names.
        style: How it is written.
    """

    label: str
    class_name: str
    table: str
    key: Key
    fields: tuple[NewField, ...]
    relations: dict[str, EntityRelation]
    style: EntityStyle

    @property
    def links(self) -> list[EntityRelation]:
        """The relations over a table between."""
        return [relation for relation in self.relations.values() if relation.link]


def plan_entity(project: Project, name: str, fields: str) -> NewEntity:
    """What a new entity is to be; nothing is written. See create_entity."""
    known = KnownEntities(project)
    style = style_of(project, known)
    label = snake(name) if name.isidentifier() else name
    check_name(label, f"entity {name!r}")
    if keyword.iskeyword(class_of(label)):
        raise ConfigError(
            f"The entity {name!r} cannot be called so: {class_of(label)} is a keyword of Python.",
            hint="Use another name.",
        )
    table = plural(label) if known.plural else label
    if len(table) > LONGEST_NAME:
        raise ConfigError(f"The table {table} has too long a name for some databases.", hint="Use a shorter name.")
    _check_free(project, known, style, label, table)
    parsed = parse_fields(fields, reserved=style.reserved)
    schema = style.base_class.metadata.schema if style.base_class else None
    key = _own_key(known, style, f"{schema}.{table}" if schema else table)
    entity = NewEntity(label, class_of(label), table, key, parsed, {}, style)
    relations = {relation.field.name: relation for relation in _relations(entity, known)}
    _check_columns(parsed, relations)
    return replace(entity, relations=relations)


def class_of(label: str) -> str:
    """order_line as OrderLine."""
    return "".join(part[:1].upper() + part[1:] for part in label.split("_"))


def _check_free(project: Project, known: KnownEntities, style: EntityStyle, label: str, table: str) -> None:
    if found := known.named(label):
        raise EntityError(
            f"The entity {found.label} is there already: {found.mapped.__name__} in {project.shown(found.path)}.",
            hint="Add fields to it there, or use another name.",
        )
    if table.lower() in _tables(known):
        raise EntityError(f"The table {table} is declared already.", hint="Use another name.")
    path = style.path / f"{label}.py"
    if not style.is_module and path.exists():
        raise EntityError(
            f"{project.shown(path)} is there already. Nothing was written.", hint="Use another name, or remove it."
        )
    from sys import stdlib_module_names

    if not style.is_module and not style.package and label in stdlib_module_names:
        raise ConfigError(
            f"A module {label} in {project.shown(style.path)} would stand before Python's own.",
            hint="Use another name.",
        )


def _tables(known: KnownEntities) -> set[str]:
    return {str(table.name).lower() for metadata in known.metadata for table in metadata.tables.values()}


def _own_key(known: KnownEntities, style: EntityStyle, table: str) -> Key:
    """The key of the new entity: of its base, where that brings one; as it is in another entity of that base."""
    if style.has_key():
        for entity in known:
            if issubclass(entity.mapped, style.base_class or object):
                return replace(_key(entity.key()), full_name=f"{table}.{entity.key().name}")
    return Key("id", f"{table}.id")


def _key(column: Column[Any]) -> Key:
    """What a foreign key must know of a column.

    Raises:
        EntityError: It is of a type that is not known here.
    """
    from sqlalchemy import BigInteger, Integer, SmallInteger, String, Uuid

    kinds = {BigInteger: "int", SmallInteger: "int", Integer: "int", String: "str", Uuid: "UUID"}
    found = next((kind for kind in kinds if isinstance(column.type, kind)), None)
    if found is None:
        raise EntityError(
            f"{column.table.name}.{column.name} is of the type {column.type!r}: no field can refer to it.",
            hint="Write this reference by hand.",
        )
    length = getattr(column.type, "length", None)
    return Key(column.name, f"{column.table.fullname}.{column.name}", kinds[found], found.__name__, length)


def _relations(entity: NewEntity, known: KnownEntities) -> Iterator[EntityRelation]:
    referring = [field for field in entity.fields if field.entity]
    targets = {field.name: _target(entity, known, field) for field in referring}
    counts = Counter(id(target) for target in targets.values())
    keyed = Counter(id(targets[field.name]) for field in referring if field.kind != MANY)
    linked: set[str] = set()
    for field in referring:
        target = targets[field.name]
        key = _key(target.key()) if target else entity.key
        alone = counts[id(target)] == 1
        link = ""
        if field.kind == MANY and target:
            link = _link(entity, known, field, target, linked)
        other = _other_side(entity, field, target, alone=alone)
        column = f"{field.name}_{key.name}"
        yield EntityRelation(field, target, key, other, column, keyed[id(target)] > 1, link)


def _target(entity: NewEntity, known: KnownEntities, field: NewField) -> KnownEntity | None:
    if found := known.named(field.entity):
        return found
    if snake(field.entity) != entity.label:
        names: Sequence[str] = sorted({one.label for one in known})
        there = f"The project has {', '.join(names)}." if names else "The project has none yet."
        hint = f"{there} Create it first, as in: doit create_entity {snake(field.entity)}"
        if near := get_close_matches(snake(field.entity), names, n=1):
            hint = f"Did you mean {near[0]}? {hint}"
        raise EntityError(f"{field.name}: there is no entity {field.entity!r}.", hint=hint)
    if field.kind == MANY:
        raise ConfigError(
            f"{field.name}: {MANY} cannot refer to the entity itself.",
            hint="Write this relationship by hand, with its primaryjoin and secondaryjoin.",
        )
    return None


def _other_side(entity: NewEntity, field: NewField, target: KnownEntity | None, *, alone: bool) -> str:
    """The name of the attribute by which the other entity refers back."""
    if target is None:
        return "children" if field.name == "parent" else f"{field.name}_of"
    name = entity.label if field.unique else plural(entity.label)
    names = [name, f"{field.name}_{name}"] if alone else [f"{field.name}_{name}"]
    for one in names:
        if not hasattr(target.mapped, one) and one not in ("metadata", "registry"):
            return one
    raise EntityError(
        f"{field.name}: {target.mapped.__name__} has an attribute {names[-1]} already.",
        hint="Give the field another name.",
    )


def _link(entity: NewEntity, known: KnownEntities, field: NewField, target: KnownEntity, linked: set[str]) -> str:
    """The name of a table between; each gets another."""
    taken = _tables(known) | linked | {entity.table}
    for name in (f"{entity.label}_{target.label}", f"{entity.label}_{field.name}"):
        if name not in taken and not known.named(name):
            check_name(name, f"table {name!r}")
            linked.add(name)
            return name
    raise EntityError(f"{field.name}: the table {name} is declared already.", hint="Give the field another name.")


def _check_columns(fields: Sequence[NewField], relations: dict[str, EntityRelation]) -> None:
    names = [field.name for field in fields]
    names += [relation.column for relation in relations.values() if not relation.link]
    names += [relation.other for relation in relations.values() if relation.target is None]
    names += [relation.link for relation in relations.values() if relation.link]
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"There would be two attributes {name}.", hint="Give one of the fields another name.")
        check_name(name, f"column {name!r}")
