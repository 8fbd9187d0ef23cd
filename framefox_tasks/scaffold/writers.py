"""A new entity as Python: for SQLAlchemy's declarative classes, and for SQLModel's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from framefox_tasks.scaffold.fields import MANY, NewField
from framefox_tasks.scaffold.layout import call, exploded
from framefox_tasks.scaffold.plan import EntityRelation, NewEntity, class_of
from framefox_tasks.scaffold.types import quoted


class Writer(ABC):
    """Writes an entity.

    Args:
        entity: The entity.
    """

    link_apart = False
    """Whether the tables between need modules of their own, since both sides import them."""

    def __init__(self, entity: NewEntity) -> None:
        self.entity = entity
        self.width = entity.style.width

    def lines(self) -> list[str]:
        """The class."""
        entity = self.entity
        body = [] if entity.style.has_key() else self.key()
        for field in entity.fields:
            if field.kind != MANY:
                body += self.reference(entity.relations[field.name]) if field.entity else self.plain(field)
        related = [line for relation in entity.relations.values() for line in self.relationship(relation)]
        named = self.table_name()
        parts = [part for part in (named, body, related) if part]
        body = [line for number, part in enumerate(parts) for line in ([""] if number else []) + part]
        return [self.head(), *(body or ["    pass"])]

    def statement(self, name: str, annotation: str, function: str, arguments: list[str]) -> list[str]:
        """An attribute; without a call where there is nothing to say in it."""
        if not arguments:
            return [f"    {name}: {annotation}"]
        return call(f"{name}: {annotation} = {function}", arguments, self.width)

    def target_class(self, relation: EntityRelation) -> str:
        """The class that a relation leads to."""
        return relation.target.mapped.__name__ if relation.target else self.entity.class_name

    @abstractmethod
    def head(self) -> str:
        """The first line of the class."""

    @abstractmethod
    def table_name(self) -> list[str]:
        """The statement that names the table."""

    @abstractmethod
    def key(self) -> list[str]:
        """The primary key."""

    @abstractmethod
    def plain(self, field: NewField) -> list[str]:
        """A field that is no reference."""

    @abstractmethod
    def reference(self, relation: EntityRelation) -> list[str]:
        """The column of a reference."""

    @abstractmethod
    def relationship(self, relation: EntityRelation) -> list[str]:
        """The relationship of a reference; of one to the entity itself, both sides."""

    @abstractmethod
    def other_side(self, relation: EntityRelation) -> list[str]:
        """The relationship in the other entity."""

    @abstractmethod
    def link(self, relation: EntityRelation) -> list[str]:
        """The table between."""

    def _link_columns(self, relation: EntityRelation) -> Iterator[tuple[str, str]]:
        """The columns of the table between, and what they refer to."""
        entity, target = self.entity, relation.target
        yield f"{entity.label}_{entity.key.name}", entity.key.full_name
        if target:
            yield f"{target.label}_{relation.key.name}", relation.key.full_name


class AlchemyWriter(Writer):
    """Writes SQLAlchemy's typed declarative classes."""

    def head(self) -> str:
        """See Writer."""
        return f"class {self.entity.class_name}({self.entity.style.base}):"

    def table_name(self) -> list[str]:
        """See Writer."""
        return [f"    __tablename__ = {quoted(self.entity.table)}"]

    def key(self) -> list[str]:
        """See Writer."""
        return self.statement("id", "Mapped[int]", "mapped_column", ["primary_key=True", *self.generated()])

    def plain(self, field: NewField) -> list[str]:
        """See Writer."""
        annotation = f"Mapped[{field.type.python}{' | None' if field.nullable else ''}]"
        column = field.type.column.format(*field.arguments)
        flags = [f"{name}=True" for name in ("unique", "index") if getattr(field, name)]
        return self.statement(
            field.name, annotation, "mapped_column", [*([column] if column else []), *flags, *self.default(field)]
        )

    def default(self, field: NewField) -> list[str]:
        """What a column says of its default."""
        return [f"default={field.default}"] if field.default is not None else []

    def generated(self) -> list[str]:
        """What a column says that nobody gives a value to: the database does, or a relationship."""
        return []

    def unset(self, *, is_list: bool, required: bool = False) -> list[str]:  # noqa: ARG002 - for dataclasses
        """What a relationship says of itself where it is not given."""
        return []

    def reference(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        field = relation.field
        annotation = f"Mapped[{relation.key.python}{' | None' if field.nullable else ''}]"
        key = f"ForeignKey({quoted(relation.key.full_name)})"
        how = "unique=True" if field.unique else "index=True"
        return self.statement(relation.column, annotation, "mapped_column", [key, how, *self.generated()])

    def relationship(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        field, name = relation.field, self.target_class(relation)
        arguments = []
        if relation.link:
            annotation, arguments = f"Mapped[list[{name}]]", [f"secondary={relation.link}"]
        else:
            inner = f"{name} | None" if field.nullable else name
            annotation = f"Mapped[{inner}]" if relation.target else f'Mapped["{inner}"]'
            if relation.ambiguous:
                arguments.append(f"foreign_keys=[{relation.column}]")
            if relation.target is None:
                arguments.append(f'remote_side="{name}.{relation.key.name}"')
        arguments += [f"back_populates={quoted(relation.other)}"] if relation.other else []
        arguments += self.unset(is_list=bool(relation.link), required=not field.nullable)
        own = call(f"{field.name}: {annotation} = relationship", arguments, self.width)
        return own if relation.target else [*own, *self.other_side(relation)]

    def other_side(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        name, field = self.entity.class_name, relation.field
        inner = f'"{name} | None"' if field.unique else f'list["{name}"]'
        arguments = []
        if relation.link:
            table, _, _ = self.entity.key.full_name.rpartition(".")
            schema, _, _ = table.rpartition(".")
            arguments.append(f"secondary={quoted(f'{schema}.{relation.link}' if schema else relation.link)}")
        elif relation.ambiguous:
            arguments.append(f'foreign_keys="{name}.{relation.column}"')
        arguments.append(f"back_populates={quoted(field.name)}")
        arguments += self.unset(is_list=not field.unique)
        return call(f"{relation.other}: Mapped[{inner}] = relationship", arguments, self.width)

    def link(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        columns = [
            f'Column({quoted(name)}, ForeignKey({quoted(key)}, ondelete="CASCADE"), primary_key=True{more})'
            for (name, key), more in zip(self._link_columns(relation), ("", ", index=True"), strict=True)
        ]
        columns = [line for column in columns for line in self._column(column)]
        arguments = [quoted(relation.link), f"{self.entity.style.base}.metadata"]
        lines = exploded(f"{relation.link} = Table", arguments)
        return [*lines[:-1], *columns, lines[-1]]

    def _column(self, text: str) -> list[str]:
        if len(text) + 5 <= self.width:
            return [f"    {text},"]
        name, key, *rest = (
            text.removeprefix("Column(").removesuffix(")").replace('", ondelete', '";ondelete').split(", ")
        )
        lines = call("Column", [name, key.replace(";", ", "), *rest], self.width - 1)
        return [*lines[:-1], f"{lines[-1]},"]


class DataclassWriter(AlchemyWriter):
    """Writes them for a base that makes dataclasses: what need not be given has a default there."""

    def head(self) -> str:
        """See Writer. With keywords alone, the order of what has a default does not matter."""
        return f"class {self.entity.class_name}({self.entity.style.base}, kw_only=True):"

    def default(self, field: NewField) -> list[str]:
        """See AlchemyWriter."""
        if field.default is None:
            return ["default=None"] if field.nullable else []
        return [f"default_factory={field.default}"] if field.default.startswith("dt.") else super().default(field)

    def generated(self) -> list[str]:
        """See AlchemyWriter."""
        return ["init=False"]

    def unset(self, *, is_list: bool, required: bool = False) -> list[str]:
        """See AlchemyWriter. Both sides in a repr would be without an end."""
        if is_list:
            return ["default_factory=list", "repr=False"]
        return ["repr=False"] if required else ["default=None", "repr=False"]


class ModelWriter(Writer):
    """Writes classes of SQLModel."""

    link_apart = True

    def head(self) -> str:
        """See Writer."""
        return f"class {self.entity.class_name}({self.entity.style.base}, table=True):"

    def table_name(self) -> list[str]:
        """See Writer."""
        if self.entity.table == self.entity.class_name.lower():
            return []  # SQLModel calls it so
        return [f"    __tablename__ = {quoted(self.entity.table)}"]

    def key(self) -> list[str]:
        """See Writer."""
        return ["    id: int | None = Field(default=None, primary_key=True)"]

    def plain(self, field: NewField) -> list[str]:
        """See Writer."""
        type_ = field.type
        annotation = f"{type_.python} | None" if field.nullable else type_.python
        arguments = []
        if field.default is not None:
            is_callable = field.default.startswith("dt.")
            arguments.append(f"default_factory={field.default}" if is_callable else f"default={field.default}")
        elif field.nullable:
            arguments.append("default=None")
        arguments += type_.model.format(*field.arguments).split(", ") if type_.model else []
        arguments += [f"{name}=True" for name in ("unique", "index") if getattr(field, name)]
        return self.statement(field.name, annotation, "Field", arguments)

    def reference(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        field, key = relation.field, relation.key
        annotation = f"{key.python} | None" if field.nullable else key.python
        arguments = ["default=None"] if field.nullable else []
        arguments += [f"foreign_key={quoted(key.full_name)}", *self._key_type(relation)]
        arguments.append("unique=True" if field.unique else "index=True")
        return self.statement(relation.column, annotation, "Field", arguments)

    def _key_type(self, relation: EntityRelation) -> list[str]:
        """What makes a foreign key of the type of the key."""
        key = relation.key
        if key.type in ("BigInteger", "SmallInteger"):
            return [f"sa_type={key.type}"]
        return [f"max_length={key.length}"] if key.length else []

    def relationship(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        field, name = relation.field, self.target_class(relation)
        arguments = [f"back_populates={quoted(relation.other)}"] if relation.other else []
        special = {}
        if relation.link:
            annotation = f"list[{name}]"
            arguments.append(f"link_model={class_of(relation.link)}")
        else:
            annotation = f"{name} | None" if field.nullable else name
            if relation.target is None:
                annotation = f'Optional["{name}"]' if field.nullable else f'"{name}"'
                special["remote_side"] = f"{name}.{relation.key.name}"
            if relation.ambiguous:
                special["foreign_keys"] = (
                    f"{name if relation.target is None else self.entity.class_name}.{relation.column}"
                )
        own = self._relationship(field.name, annotation, arguments, special)
        return own if relation.target else [*own, *self.other_side(relation)]

    def other_side(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        name, field = self.entity.class_name, relation.field
        annotation = f'Optional["{name}"]' if field.unique else f'list["{name}"]'
        arguments, special = [f"back_populates={quoted(field.name)}"], {}
        if relation.link:
            arguments.append(f"link_model={class_of(relation.link)}")
        elif relation.ambiguous:
            special["foreign_keys"] = f"{name}.{relation.column}"
        if field.unique:
            special["uselist"] = ""
        return self._relationship(relation.other, annotation, arguments, special)

    def _relationship(self, name: str, annotation: str, arguments: list[str], special: dict[str, str]) -> list[str]:
        if special:
            pairs = [f'"{key}": {quoted(value) if value else False}' for key, value in special.items()]
            whole = f"sa_relationship_kwargs={{{', '.join(pairs)}}}"
            if len(whole) + 9 > self.width:
                lines = "".join(f"            {pair},\n" for pair in pairs)
                whole = f"sa_relationship_kwargs={{\n{lines}        }}"
            arguments = [*arguments, whole]
        return call(f"{name}: {annotation} = Relationship", arguments, self.width)

    def link(self, relation: EntityRelation) -> list[str]:
        """See Writer."""
        keys = (self.entity.key, relation.key)
        lines = [f"class {class_of(relation.link)}({self.entity.style.base}, table=True):"]
        if relation.link != class_of(relation.link).lower():
            lines += [f"    __tablename__ = {quoted(relation.link)}", ""]
        for number, ((name, full_name), key) in enumerate(zip(self._link_columns(relation), keys, strict=True)):
            type_ = self._key_type(EntityRelation(relation.field, None, key, "", "", ambiguous=False, link=""))
            more = ["index=True"] if number else []
            arguments = ["default=None", f"foreign_key={quoted(full_name)}", "primary_key=True", *more, *type_]
            lines += self.statement(name, f"{key.python} | None", "Field", [*arguments, 'ondelete="CASCADE"'])
        return lines
