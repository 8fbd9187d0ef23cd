"""Writes a new entity, and the other sides of its relations; what cannot be imported then is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from framefox_tasks import files
from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.model import Project
from framefox_tasks.results import EntityCreated
from framefox_tasks.scaffold.content import template
from framefox_tasks.scaffold.importing import import_error
from framefox_tasks.scaffold.known import KnownEntities, KnownEntity
from framefox_tasks.scaffold.libraries import imports_of
from framefox_tasks.scaffold.plan import EntityRelation, NewEntity, class_of, plan_entity
from framefox_tasks.scaffold.source import Import, ModuleSource, module_at
from framefox_tasks.scaffold.writers import AlchemyWriter, DataclassWriter, ModelWriter, Writer


def create_entity(project: Project, name: str, *, fields: str = "") -> EntityCreated:
    """Write a module with a new entity, in the style of the project's own.

    An entity that a field refers to gets the other side of the relationship, in its own module; `many` a table between.
    The result is imported in a process of its own: if that fails, every file is as it was.

    Args:
        project: The project.
        name: The entity's name, as order_line or OrderLine.
        fields: Its fields, as `name:str(100) price:decimal(10,2)!default(0) sku:str!unique category:ref(category)?
            tags:many(tag)`. The types are in framefox_tasks.scaffold.types.

    Raises:
        ConfigError: A name or a field cannot be used; nothing was written.
        EntityError: The entity, or a file for it, is there already, one that it refers to is not, or the entities
            cannot be imported; nothing was written.
        PermissionDeniedError: A file cannot be written; those that were are as before.
    """
    entity = plan_entity(project, name, fields)
    entity, left_out = _writable(entity)
    contents = entity_sources(entity)
    before = {path: path.read_bytes() if path.is_file() else None for path in contents}
    try:
        for path, content in contents.items():
            files.write(project, path, content)
        error = import_error(project, [entity.table, *(relation.link for relation in entity.links)])
    except BaseException:
        _restore(before)
        raise
    if error:
        _restore(before)
        raise _not_usable(entity, error, import_error(project, ()))
    return EntityCreated(
        project,
        entity=entity.class_name,
        table=entity.table,
        path=_path(entity),
        written=tuple(path for path, content in before.items() if content is None),
        changed=tuple(
            (relation.target.path, f"{relation.target.mapped.__name__}.{relation.other}")
            for relation in entity.relations.values()
            if relation.target and relation.other
        ),
        left_out=left_out,
    )


def known_entities(project: Project) -> list[str]:
    """The names of the entities that a field can refer to.

    Raises:
        EntityError: They cannot be imported completely.
    """
    return sorted({entity.label for entity in KnownEntities(project)})


def _restore(before: dict[Path, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            if path.exists():  # to remove what is not there is an error of its own on a read-only disk
                path.unlink()
        elif path.read_bytes() != content:
            files.replace(path, content)


def _not_usable(entity: NewEntity, error: str, without_it: str) -> EntityError:
    """What is told where the entities cannot be used with the new one, or not even without it."""
    if without_it:
        return EntityError(
            f"The entity {entity.class_name} was not written: the entities cannot be used as they are. {without_it}",
            hint="Every file is as it was. Correct that first, and run the command again.",
        )
    return EntityError(
        f"The entity {entity.class_name} was not written: with it the entities cannot be used. {error}",
        hint="Every file is as it was. Leave out the field that this is about, or write the entity by hand.",
    )


def _path(entity: NewEntity) -> Path:
    return entity.style.path if entity.style.is_module else entity.style.path / f"{entity.label}.py"


def _writer(entity: NewEntity) -> Writer:
    if entity.style.is_sqlmodel:
        return ModelWriter(entity)
    return DataclassWriter(entity) if entity.style.is_dataclass else AlchemyWriter(entity)


def _writable(entity: NewEntity) -> tuple[NewEntity, tuple[str, ...]]:
    """The entity without the other sides for which there is no place, and what is told of these."""
    left_out: list[str] = []
    relations = dict(entity.relations)
    for name, relation in entity.relations.items():
        if relation.target and (why := _no_place(entity, relation, relation.target)):
            relations[name] = replace(relation, other="")
            left_out.append(f"{relation.target.mapped.__name__} got no {relation.other}: {why}")
    return replace(entity, relations=relations), tuple(left_out)


def _no_place(entity: NewEntity, relation: EntityRelation, target: KnownEntity) -> str:
    project = entity.style.project
    if not target.path.is_relative_to(project.root.absolute().resolve()) or "site-packages" in target.path.parts:
        return f"{target.path} is not of this project."
    source = _source(entity, target.path)
    bound = source.bound()
    lines = _writer(entity).other_side(relation)
    if not source.add_to_class(target.mapped.__name__, lines):
        return f"its class is not found in {project.shown(target.path)}."
    needed = [*imports_of(["class _:", *lines]), *([] if target.path == _path(entity) else [_of(entity, target)])]
    held = [one.binds for one in needed if one.binds in bound and not source.imports(one)]
    return f"{held[0]} is something else in {project.shown(target.path)}." if held else ""


def _source(entity: NewEntity, path: Path) -> ModuleSource:
    return module_at(path, entity.style.width, entity.style.own)


def _of(entity: NewEntity, target: KnownEntity) -> Import:
    """The import of the new entity, in the module of another."""
    style = entity.style
    module = style.module(entity.label)
    if style.relative and target.path.parent != style.path:
        module = f"{style.package}.{entity.label}"
    return Import(module, entity.class_name)


def entity_sources(entity: NewEntity) -> dict[Path, bytes]:
    """The files to write, with what they hold; the entity's own first."""
    writer, style = _writer(entity), entity.style
    sources: dict[Path, ModuleSource] = {}

    def source(path: Path) -> ModuleSource:
        return sources.setdefault(path, _source(entity, path))

    own = source(_path(entity))
    base = [style.base_import] if style.base_import else []
    for relation in entity.links:
        lines = writer.link(relation)
        if writer.link_apart and not style.is_module:
            apart = source(style.path / f"{relation.link}.py")
            _add(apart, lines, base)
        else:
            _add(own, lines, base)
    _add(own, writer.lines(), [*base, *_targets(entity), *_link_models(entity, writer)])
    for relation in entity.relations.values():
        if relation.target and relation.other:
            _add_other_side(source(relation.target.path), entity, relation, relation.target, writer)
    contents = {path: one.content() for path, one in sources.items()}
    if style.makes_base:
        contents[style.path / "base.py"] = template("base.py.txt").encode()
    return contents


def _add(source: ModuleSource, lines: list[str], imports: list[Import]) -> None:
    needed = imports_of(lines)
    bound = source.bound()
    names = [one.binds for one in (*needed, *imports)]
    made = lines[0].removeprefix("class ").partition("(")[0].partition(" ")[0]
    held = [one.binds for one in needed if one.binds in bound and not source.imports(one)]
    twice = [name for name in {*names, made} if [*names, made].count(name) > 1 and name not in bound]
    if held or twice or made in bound:
        name = [*held, *twice, made][0]
        raise ConfigError(
            f"The name {name} would stand for two things in the module.", hint="Give the entity another name."
        )
    source.append(lines)
    source.add_imports([*needed, *imports])


def _targets(entity: NewEntity) -> Iterator[Import]:
    """The imports of the entities that it refers to, each once."""
    style, path = entity.style, _path(entity)
    found = {id(one.target): one.target for one in entity.relations.values() if one.target and one.target.path != path}
    for target in found.values():
        beside = style.relative and target.path.parent == style.path
        module = f".{target.path.stem}" if beside else target.mapped.__module__
        yield Import(module, target.mapped.__name__)


def _link_models(entity: NewEntity, writer: Writer) -> list[Import]:
    if not writer.link_apart or entity.style.is_module:
        return []
    return [Import(entity.style.module(relation.link), class_of(relation.link)) for relation in entity.links]


def _add_other_side(
    source: ModuleSource, entity: NewEntity, relation: EntityRelation, target: KnownEntity, writer: Writer
) -> None:
    lines = writer.other_side(relation)
    source.add_to_class(target.mapped.__name__, lines)
    needed = imports_of(["class _:", *lines])
    if target.path == _path(entity):
        source.add_imports(needed)
        return
    if relation.link and writer.link_apart:
        module = entity.style.module(relation.link)
        if target.path.parent != entity.style.path:
            module = f"{entity.style.package}.{relation.link}"
        needed.append(Import(module, class_of(relation.link)))
    source.add_imports(needed)
    source.add_for_types([_of(entity, target)])
