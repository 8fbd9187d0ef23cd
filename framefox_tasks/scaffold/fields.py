"""The fields of a new entity as they are typed: `name:str(100) sku:str!unique shelf:ref(shelf)?`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from framefox_tasks.errors import ConfigError
from framefox_tasks.scaffold.types import TYPES, FieldType

LONGEST_NAME = 63  # of a table or a column, on the server that takes the shortest
_LONGEST_KEY = 768  # characters of a text that is unique, on the server that takes the fewest
_ARGUMENTS = r"(?:\((?P<{}>[^()]*)\))?"
_WHOLE = re.compile(r"(?P<name>[^:\s]*):(?P<kind>\w+)" + _ARGUMENTS.format("arguments") + r"(?P<rest>[?!:=].*)?")
_MODIFIER = re.compile(r"(?P<nullable>\?)|[!:](?P<word>\w+)" + _ARGUMENTS.format("value"))
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What the body of the generated class uses itself.
_TAKEN = frozenset({"bool", "bytes", "dict", "dt", "float", "int", "list", "mapped_column", "relationship", "str"})
_RESERVED = frozenset({"metadata", "registry"})
_ELSEWHERE = {
    "blob": "bytes",
    "binary": "bytes",
    "char": "str",
    "double": "float",
    "jsonb": "json",
    "manytomany": "many",
    "numeric": "decimal",
    "real": "float",
    "timestamp": "datetime",
    "varchar": "str",
}
"""Types as others call them, where that is not alike."""
REFERENCE, MANY = "ref", "many"
KINDS = (*TYPES, f"{REFERENCE}(entity)", f"{MANY}(entity)")
FORM = "Write name:type, as in name:str(100), price:decimal(10,2)!default(0), sku:str!unique, category:ref(category)?"


@dataclass(frozen=True)
class NewField:
    """A field of a new entity.

    Attributes:
        name: That of the attribute.
        kind: One of TYPES, REFERENCE or MANY.
        arguments: The numbers of its type.
        entity: The name of the entity that it refers to.
        nullable: Whether it may be empty.
        unique: Whether no two rows have the same.
        index: Whether it has an index.
        default: What it is unless something is given, as Python; None for nothing.
    """

    name: str
    kind: str
    arguments: tuple[int, ...] = ()
    entity: str = ""
    nullable: bool = False
    unique: bool = False
    index: bool = False
    default: str | None = None

    @property
    def type(self) -> FieldType:
        """Its type, where it is no reference."""
        return TYPES[self.kind]


def parse_fields(text: str, *, reserved: Callable[[str], str | None] = lambda _: None) -> tuple[NewField, ...]:
    """Read a list of fields, with spaces or commas between them.

    Args:
        text: The list.
        reserved: Tells by whom a name is taken; None where it is free.

    Raises:
        ConfigError: A field is not of the right form, its name or its type cannot be used, or two have one name.
    """
    fields = tuple(parse_field(part, reserved=reserved) for part in _split(text))
    names: set[str] = set()
    for field in fields:
        if field.name in names:
            raise ConfigError(f"The field {field.name} stands there twice.", hint="Take one of the two out.")
        names.add(field.name)
    for field in fields:
        if field.kind == REFERENCE and (column := f"{field.name}_id") in names:
            raise ConfigError(
                f"The field {column} is the column of {field.name}:{REFERENCE}({field.entity}).",
                hint=f"Take {column} out: it is made with {field.name}.",
            )
    return fields


def _split(text: str) -> Iterator[str]:
    """The fields of a list: what stands between spaces or commas that are in no parentheses."""
    yield from (part for part in re.findall(r"(?:[^\s,()]|\([^()]*\)|[()])+", text) if part)


def parse_field(text: str, *, reserved: Callable[[str], str | None] = lambda _: None) -> NewField:
    """Read one field; see parse_fields."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a field.", hint=FORM)
    name, kind = match["name"], match["kind"].lower()
    check_name(name, f"field {name!r}")
    if taken := _taken(name) or reserved(name):
        raise ConfigError(f"The name {name!r} is taken: {taken}.", hint="Give the field another name.")
    found = _modifiers(match["rest"] or "", text)
    if kind in (REFERENCE, MANY):
        return _reference(name, kind, match["arguments"], found, text)
    if kind not in TYPES:
        near = [_ELSEWHERE[kind]] if kind in _ELSEWHERE else get_close_matches(kind, [*TYPES, REFERENCE, MANY], n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{text}: there is no type {kind!r}.", hint=f"{meant}There are {', '.join(KINDS)}.")
    return _plain(name, kind, match["arguments"], found, text)


def check_name(name: str, what: str) -> None:
    """Check the name of a field or a table.

    Raises:
        ConfigError: It cannot be used; `what` is what is named so.
    """
    if keyword.iskeyword(name):
        raise ConfigError(f"The {what} cannot be called so: that is a keyword of Python.", hint="Use another name.")
    if not _NAME.fullmatch(name):
        near = snake(name)
        raise ConfigError(
            f"The {what} must be of a-z, 0-9 and _, and start with a letter.",
            hint=f"Did you mean {near}?" if _NAME.fullmatch(near) else "Use another name.",
        )
    if len(name) > LONGEST_NAME:
        raise ConfigError(
            f"The {what} is longer than {LONGEST_NAME} characters: some databases take no more.",
            hint="Use a shorter name.",
        )


def snake(name: str) -> str:
    """OrderLine or order-line as order_line."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W+", "_", split).strip("_").lower()


def _taken(name: str) -> str | None:
    if name == "id":
        return "every entity gets it, as its primary key"
    if name in _RESERVED:
        return "SQLAlchemy reserves it in every entity"
    return "the generated code uses it" if name in _TAKEN else None


def _modifiers(rest: str, text: str) -> dict[str, str]:
    """What follows the type, by its words: nullable, unique, index, default."""
    found: dict[str, str] = {}
    place = 0
    while place < len(rest):
        match = _MODIFIER.match(rest, place)
        if match is None:
            hint = "A default is !default(value)." if "=" in rest else FORM
            raise ConfigError(f"{text}: {rest[place:]!r} is not understood.", hint=hint)
        word = "nullable" if match["nullable"] else match["word"]
        valued = match["value"] is not None
        if word not in ("nullable", "unique", "index", "default") or valued != (word == "default"):
            raise ConfigError(
                f"{text}: {match[0]!r} is not understood.", hint="There are ?, !unique, !index and !default(value)."
            )
        found[word] = match["value"] or ""
        place = match.end()
    return found


def _reference(name: str, kind: str, entity: str | None, found: dict[str, str], text: str) -> NewField:
    if not entity or not entity.strip():
        raise ConfigError(f"{text}: {kind} needs the entity that it refers to.", hint=f"As in {name}:{kind}(category)")
    wrong = ("default",) if kind == REFERENCE else ("default", "nullable", "unique", "index")
    if given := [word for word in wrong if word in found]:
        raise ConfigError(f"{text}: {kind} cannot be {_shown(given[0])}.", hint=f"Leave {_shown(given[0])} out.")
    if name.endswith("_id") and kind == REFERENCE:
        raise ConfigError(
            f"{text}: a reference is called by what it refers to.",
            hint=f"Write {name.removesuffix('_id')}:{kind}({entity}); its column is called {name}.",
        )
    return NewField(name, kind, entity=entity.strip(), nullable="nullable" in found, unique="unique" in found)


def _shown(word: str) -> str:
    return "?" if word == "nullable" else f"!{word}"


def _plain(name: str, kind: str, given: str | None, found: dict[str, str], text: str) -> NewField:
    type_ = TYPES[kind]
    arguments = tuple(_arguments(kind, given, text))
    if ("unique" in found or "index" in found) and not (type_.unique and max(arguments, default=0) <= _LONGEST_KEY):
        raise ConfigError(
            f"{text}: not every database takes that as a key."
            if not type_.unique
            else f"{text}: that is too long for a key.",
            hint=f"Use str with at most {_LONGEST_KEY} characters, or leave !unique and !index out.",
        )
    default = None
    if "default" in found and (default := type_.literal(found["default"], arguments)) is None:
        raise ConfigError(
            f"{text}: {found['default']!r} is no default of {kind}.",
            hint="A number, true or false, a text, or now for date and datetime; or leave !default out.",
        )
    return NewField(
        name,
        kind,
        arguments,
        "",
        "nullable" in found,
        "unique" in found,
        "index" in found and "unique" not in found,
        default,
    )


def _arguments(kind: str, given: str | None, text: str) -> Iterable[int]:
    wanted = TYPES[kind].arguments
    parts = [part.strip() for part in given.split(",")] if given is not None else []
    usage = f"{kind}({','.join(argument.name for argument in wanted)})" if wanted else kind
    if len(parts) > len(wanted) or not all(part.isdecimal() for part in parts):
        raise ConfigError(f"{text}: {kind} does not take ({given}).", hint=f"Write {usage}.")
    numbers = [int(part) for part in parts] + [argument.default for argument in wanted[len(parts) :]]
    if kind == "decimal" and len(parts) == 1:
        numbers[1] = min(numbers)
    for argument, number in zip(wanted, numbers, strict=True):
        if not argument.least <= number <= argument.most:
            raise ConfigError(
                f"{text}: the {argument.name} must be from {argument.least} to {argument.most}, not {number}.",
                hint=f"Write {usage}.",
            )
    if kind == "decimal" and numbers[1] > numbers[0]:
        raise ConfigError(
            f"{text}: the scale, {numbers[1]}, is more than the precision, {numbers[0]}.", hint=f"Write {usage}."
        )
    return numbers
