"""What a MySQL or MariaDB database holds, as facts of what SHOW CREATE tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from framefox_tasks.databases.facts import DEFINITION, THERE, Fact
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.model import Target

_NAME = r"`((?:[^`]|``)+)`"
_COLUMN = re.compile(rf"{_NAME} (.*)", re.DOTALL)
_KEY = re.compile(rf"((?:\w+ )?KEY) {_NAME} (\(.*)", re.DOTALL)
_CONSTRAINT = re.compile(rf"CONSTRAINT {_NAME} (.*)", re.DOTALL)
_GIVEN = re.compile(r"CONSTRAINT_\d+|.*_(?:ibfk|chk)_\d+|\d+")
"""The names that the server gives to constraints."""
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_TRIGGERS = """
SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, CONCAT_WS(' ', ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT)
FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
"""
_ROUTINES = """
SELECT ROUTINE_NAME, CONCAT_WS(' ', ROUTINE_TYPE, DTD_IDENTIFIER, ROUTINE_DEFINITION)
FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME <> 'framefox_tasks_protected'
"""


def facts(verbs: ServerVerbs, target: Target) -> list[Fact]:
    """All that a database holds."""
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        found: list[Fact] = []
        for name, kind in _rows(cursor, "SHOW FULL TABLES"):
            quoted = f"`{name.replace('`', '``')}`"
            shown = "SEQUENCE" if kind == "SEQUENCE" else "TABLE"
            text = str(_rows(cursor, f"SHOW CREATE {shown} {quoted}")[0][1])
            if kind == "VIEW":
                body = text.partition(" VIEW ")[2].replace(f"`{target.name}`.", "")
                found.append(Fact(name, "view", DEFINITION, body))
            elif kind == "SEQUENCE":
                found.append(Fact(name, "sequence", "options", text.partition(quoted)[2].strip()))
            else:
                found += _table(name, text)
        found += [Fact(table, "trigger", "", str(text), name) for table, name, text in _rows(cursor, _TRIGGERS)]
        found += [Fact(name, "function", "", str(text)) for name, text in _rows(cursor, _ROUTINES)]
        return found


def _rows(cursor: Any, query: str) -> list[Any]:
    cursor.execute(query)
    return list(cursor.fetchall())


def _table(table: str, text: str) -> Iterator[Fact]:
    lines = text.split("\n")
    end = next(number for number, line in enumerate(lines) if line.startswith(")"))
    yield Fact(table, "table", THERE, "")
    yield Fact(table, "table", "options", _COUNTER.sub("", " ".join(lines[end:])).removeprefix(") "))
    usual = " USING BTREE" if "ENGINE=InnoDB" in lines[end] else ""  # the only kind of index that it has
    for line in lines[1:end]:
        yield from _item(table, line.strip().removesuffix(",").removesuffix(usual))


def _item(table: str, text: str) -> Iterator[Fact]:
    if found := _COLUMN.fullmatch(text):
        type_, check, condition = found[2].partition(" CHECK (")  # MariaDB tells one within a column from one beside it
        yield Fact(table, f"column {found[1]}", THERE, "")
        yield Fact(table, f"column {found[1]}", "type", type_)
        if check:
            yield Fact(table, "constraint", "", f"CHECK ({condition}")
    elif found := _KEY.fullmatch(text):
        yield Fact(table, "index", "", f"{found[1]} {found[3]}", _index_name(found[2], found[3]))
    elif found := _CONSTRAINT.fullmatch(text):
        yield Fact(table, "constraint", "", found[2], None if _GIVEN.fullmatch(found[1]) else found[1])
    else:
        yield Fact(table, "constraint", "", text)


def _index_name(name: str, columns: str) -> str | None:
    """The name of an index; None where the server made it of the first column, or of a foreign key's name."""
    first = re.match(rf"\({_NAME}", columns)
    given = first is not None and re.fullmatch(rf"{re.escape(first[1])}(?:_\d+)?", name)
    return None if given or _GIVEN.fullmatch(name) else name


def statement_of(verbs: ServerVerbs, target: Target, table: str) -> str:
    """What makes a table."""
    with verbs.connection(target, target.name) as connection:
        quoted = f"`{table.replace('`', '``')}`"
        return _COUNTER.sub("", str(_rows(connection.cursor(), f"SHOW CREATE TABLE {quoted}")[0][1]))


def named_lines(verbs: ServerVerbs, target: Target, table: str) -> dict[str, str]:
    """The names of indexes and constraints, also of those that the server has named, by the value of their facts."""
    found = {}
    for line in statement_of(verbs, target, table).split("\n"):
        text = line.strip().removesuffix(",")
        if key := _KEY.fullmatch(text):
            found[f"{key[1]} {key[3]}"] = key[2]
        elif constraint := _CONSTRAINT.fullmatch(text):
            found[constraint[2]] = constraint[1]
    return found
