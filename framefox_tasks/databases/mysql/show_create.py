"""A table as SHOW CREATE TABLE gives it, parted into what is made before its rows come and what is made after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from framefox_tasks.databases.mysql.session import name
from framefox_tasks.databases.mysql.tokens import NAME, bare, tokens
from framefox_tasks.databases.rows import Statement

_INDEX = re.compile(rf"(?:UNIQUE |FULLTEXT |SPATIAL |VECTOR )?KEY {NAME} ")
_FOREIGN_KEY = re.compile(rf"CONSTRAINT ({NAME}) FOREIGN KEY .*? REFERENCES ({NAME})(?:\.({NAME}))? ")
_CHECK = re.compile(rf"CONSTRAINT ({NAME}) CHECK \((.*)\)(?: /\*.*\*/)?", re.DOTALL)
_RULES = re.compile(r"\)(?: ON DELETE ([A-Z ]+?))?(?: ON UPDATE ([A-Z ]+?))?$")


@dataclass
class Definition:
    """The items of a CREATE TABLE statement.

    Attributes:
        table: Its name.
        kept: Columns, the primary key, checks, and the indexes that cannot wait.
        indexes: The other indexes.
        foreign_keys: By name: the item, the database that is referred to where it is another, and the table.
    """

    table: str
    head: str
    tail: str
    kept: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    foreign_keys: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def create(self) -> str:
        """The statement that makes the table."""
        return "\n".join([self.head, ",\n".join(self.kept), self.tail])

    def after(self) -> tuple[Statement, ...]:
        """What makes the indexes: one statement, since each may read the whole table; full texts one by one."""
        full = [item for item in self.indexes if item.startswith("FULLTEXT ")]
        rest = [item for item in self.indexes if item not in full]
        groups = [*([item] for item in full), *([rest] if rest else [])]
        return tuple(
            Statement(
                f"ALTER TABLE {name(self.table)} {', '.join(f'ADD {item}' for item in group)}",
                f"indexes of {self.table}",
            )
            for group in groups
        )

    def references(self, kept: Callable[[str], bool]) -> tuple[list[Statement], list[str]]:
        """What makes the foreign keys to the tables that are kept, and what is said of the others."""
        made, lost = [], []
        for key, item, database, parent in self.foreign_keys:
            if database or not kept(parent):
                where = f"{database}.{parent}" if database else parent
                lost.append(f"foreign key {key} of {self.table}: {where} is not copied")
            else:
                made.append(f"ADD {item}")
        sql = f"ALTER TABLE {name(self.table)} {', '.join(made)}"
        return ([Statement(sql, f"foreign keys of {self.table}")] if made else []), lost

    def rules(self, key: str) -> tuple[str, str]:
        """What a foreign key does ON DELETE and ON UPDATE; empty where it says nothing."""
        item = next(item for name, item, _, _ in self.foreign_keys if name == key)
        rules = _RULES.search(item)
        return (rules[1] or "", rules[2] or "") if rules else ("", "")

    def checks(self) -> Iterator[tuple[str | None, str]]:
        """The checks: the name, where it was given one, and the condition."""
        for item in self.kept:
            own = _CHECK.fullmatch(item.strip())
            words = [] if own else list(tokens(item))
            if own:
                name = bare(own[1])
                yield None if name.upper().startswith("CONSTRAINT_") else name, own[2]
            elif "CHECK" in words:  # that of a column stands at its end
                yield None, "".join(words[words.index("CHECK") + 1 :]).strip()[1:-1]


def parted(table: str, sql: str) -> Definition:
    """The parts of what SHOW CREATE TABLE gives: one item a line, and the options from a line with a bracket on."""
    lines = sql.split("\n")
    close = next(number for number, line in enumerate(lines) if line.startswith(")"))
    found = Definition(table, lines[0], "\n".join(lines[close:]))
    items = [line.removesuffix(",") for line in lines[1:close]]
    counting = next((bare(_first_name(item)) for item in items if _counts(item)), None)
    primary = next((item for item in items if item.startswith("  PRIMARY KEY ")), None)
    for item in items:
        _sort(found, item, primary, counting)
    return found


def _sort(found: Definition, item: str, primary: str | None, counting: str | None) -> None:
    text = item.strip()
    reference = _FOREIGN_KEY.match(text)
    if reference:
        schema, table = (reference[2], reference[3]) if reference[3] else ("", reference[2])
        found.foreign_keys.append((bare(reference[1]), text, bare(schema), bare(table)))
    elif _INDEX.match(text) and not _cannot_wait(text, primary, counting):
        found.indexes.append(text)
    else:
        found.kept.append(item)


def _cannot_wait(item: str, primary: str | None, counting: str | None) -> bool:
    # Without a primary key a unique one orders the rows; a column that counts up needs an index from the start.
    if item.startswith("UNIQUE ") and (primary is None or "WITHOUT OVERLAPS" in item):
        return True
    if counting is None or (primary is not None and f"({name(counting)}" in primary):
        return False
    return name(counting) in item.partition("(")[2]


def _first_name(item: str) -> str:
    return next((token for token in tokens(item) if token.startswith("`")), "")


def _counts(item: str) -> bool:
    return item.startswith("  `") and "AUTO_INCREMENT" in tokens(item)
