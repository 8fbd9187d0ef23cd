"""How a MySQL or MariaDB server writes a column that it was given in other words: FLOAT(53) is a double to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.columns import ColumnComparison
from framefox_tasks.databases.mysql.tokens import NAME, bare, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Connection, Index, Table, UniqueConstraint

_COLUMN = re.compile(rf"  ({NAME}) (.*?),?", re.DOTALL)
_ENDS = {
    "NOT",
    "NULL",
    "DEFAULT",
    "COMMENT",
    "ON",
    "AUTO_INCREMENT",
    "CHECK",
    "GENERATED",
    "INVISIBLE",
    "REF_SYSTEM_ID",
}
_PART = re.compile(r"(?:`([^`]+)`|(\w+))(?:\((\d+)\))?(?: +(ASC|DESC))?", re.IGNORECASE)
_SCRATCH = "framefox_tasks_column"
_OF_JSON = "utf8mb4_bin"
"""The collation of MariaDB's JSON, which is a longtext with a check."""
_WIDTH = re.compile(r"\b((?:small|medium|big)?int)(?:eger)?(?:\(\d+\))?(?! zerofill| unsigned zerofill)")


@dataclass(frozen=True)
class _Form:
    """A column in the words of the server.

    Attributes:
        type: Without the character set and the collation.
        collation: Where it is not that of the table.
        default: With what an update sets; empty where there is none.
    """

    type: str
    collation: str
    default: str


class MySQLColumns(ColumnComparison):
    """Asks the server for a table, and for a temporary one that is made of a declared column.

    Args:
        connection: To the database. Where its user may not make temporary tables, nothing is told.
    """

    def __init__(self, connection: Connection) -> None:
        dialect: Any = connection.dialect
        super().__init__(generated_not_null=not dialect.is_mariadb)
        self._dialect = dialect
        self._connection = connection
        self._definitions: dict[str, str] = {}
        self._declared: dict[int, _Form | None] = {}

    def same_type(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """By their texts alone where these agree. The collation counts where it is declared."""
        from sqlalchemy.types import NullType

        named = not isinstance(live.type, NullType)  # one such as point has no text in SQLAlchemy
        if named and self._plain_type(live) == self._plain_type(declared):
            return True
        one, other = self._live(live), self._as_declared(declared, live)
        if one is None or other is None:
            return None
        collated = getattr(declared.type, "collation", None) is not None
        if f"{other.type} json" == one.type and (
            getattr(declared.type, "collation", None) == _OF_JSON or not self._has_collation_of_json(live)
        ):
            return True  # what a tool sees that writes entities from the database
        return one.type == other.type and (not collated or one.collation == other.collation)

    def _has_collation_of_json(self, column: Column[Any]) -> bool:
        """Whether a longtext with the check of JSON can have been declared as JSON; else that check is another's."""
        options = self._definition(column.table).rpartition("\n)")[2]
        return _OF_JSON in self._line(column.table, column.name) or _OF_JSON in options

    def same_default(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """By what the server makes of both."""
        one, other = self._live(live), self._as_declared(declared, live)
        return None if one is None or other is None else one.default == other.default

    def reflect(self, table: Any, column: dict[str, Any]) -> None:
        """JSON is a longtext with a check on MariaDB, and bits are a default that SQLAlchemy does not read."""
        from sqlalchemy.dialects.mysql import BIT, JSON, LONGTEXT

        if isinstance(column["type"], BIT):
            pieces = [token for token in tokens(self._line(table, column["name"])) if not token.isspace()]
            column["default"] = _after(pieces, "DEFAULT").removeprefix("NULL").replace(" ", "") or None
            column["comment"] = _text(_after(pieces, "COMMENT"))
        elif isinstance(column["type"], LONGTEXT) and self._is_json(table, column["name"]):
            column["type"] = JSON()

    def _is_json(self, table: Any, column: str) -> bool:
        return re.search(rf" CHECK \(json_valid\({NAME}\)\)$", self._line(table, column)) is not None

    def _line(self, table: Any, column: str) -> str:
        return _lines(self._definition(table)).get(column, "")

    def same_index(self, live: Index, declared: Index, *, orders: bool = True) -> bool:
        """By how much of each column they have, in which order, and of which kind they are."""
        one, other = self._parts(live), self._parts(declared)
        if not orders and not any(falls for _, _, falls in other):
            one = [(name, taken, False) for name, taken, _ in one]
        return self._kind(live) == self._kind(declared) and one == other

    def _kind(self, index: Index) -> tuple[str, str]:
        options = index.dialect_options[self._dialect.name]
        return str(options["prefix"] or "").upper(), str(options["with_parser"] or "").lower()

    def _parts(self, index: Index) -> list[tuple[str, int | None, bool]]:
        length = index.dialect_options[self._dialect.name]["length"]
        parts = []
        for part in index.expressions:
            falls = getattr(getattr(part, "modifier", None), "__name__", "") == "desc_op"
            column: Any = getattr(part, "element", part)
            name, taken = str(getattr(column, "name", column)), None
            if as_text := _PART.fullmatch(name):
                name, taken = as_text[1] or as_text[2], int(as_text[3]) if as_text[3] else None
                falls = falls or (as_text[4] or "").upper() == "DESC"
            taken = taken or (length.get(name) if isinstance(length, Mapping) else length)
            whole = getattr(getattr(column, "type", None), "length", None)
            # A part that is as long as the column is the column.
            parts.append((name, None if whole and taken and taken >= whole else taken, falls))
        return parts

    def refused_parts(self, index: Index | UniqueConstraint) -> list[str]:
        """Texts and blobs, of which MariaDB alone makes a unique index by itself."""
        options = index.dialect_options[self._dialect.name]
        length = options.get("length") or {}
        unique = not hasattr(index, "unique") or index.unique
        if options.get("prefix") or not isinstance(length, Mapping) or (unique and self._dialect.is_mariadb):
            return []
        columns = [column for column in index.columns if column.name not in length]
        return [column.name for column in columns if re.match(r"\w*(text|blob)\b", self._plain_type(column))]

    def reflect_index(self, index: Index) -> None:
        """SQLAlchemy does not see a descending order."""
        from sqlalchemy import desc

        wanted = f"KEY {self._dialect.identifier_preparer.quote_identifier(str(index.name))} ("
        line = next((line for line in self._definition(index.table).split("\n") if wanted in line), "")
        falling = {bare(match[1]) for match in re.finditer(rf"({NAME})(?:\(\d+\))? DESC", line)}
        index.expressions = [
            desc(part) if getattr(part, "name", None) in falling else part for part in index.expressions
        ]

    def native_type(self, table: Any, column: str) -> str | None:
        """As SHOW CREATE TABLE has it."""
        line = self._line(table, column)
        return _form(line).type if line else None

    def written(self, table: Any, column: str) -> str | None:
        """As SHOW CREATE TABLE has it."""
        line = _lines(self._definition(table)).get(column)
        return None if line is None else f"{self._dialect.identifier_preparer.quote_identifier(column)} {line}"

    def specification(self, column: Column[Any]) -> str:
        """As SQLAlchemy writes it, but for what MariaDB refuses."""
        nullable = column.computed is not None and not self.generated_not_null
        compiler: Any = self._dialect.ddl_compiler(self._dialect, None)
        return str(
            compiler.get_column_specification(column, **({"_force_column_to_nullable": True} if nullable else {}))
        )

    def _plain_type(self, column: Column[Any]) -> str:
        text = str(self._dialect.type_compiler_instance.process(column.type, type_expression=column)).lower()
        return _WIDTH.sub(r"\1", "tinyint(1)" if text == "bool" else text)

    def _live(self, column: Column[Any]) -> _Form | None:
        line = _lines(self._definition(column.table)).get(column.name)
        return None if line is None else _form(line)

    def _as_declared(self, column: Column[Any], live: Column[Any]) -> _Form | None:
        if id(column) not in self._declared:
            self._declared[id(column)] = self._made(column, live)
        return self._declared[id(column)]

    def _made(self, column: Column[Any], live: Column[Any]) -> _Form | None:
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.schema import CreateTable, DropTable

        scratch = _scratch(column, self._definition(live.table))
        try:
            self._connection.execute(CreateTable(scratch))
        except DBAPIError:
            return None  # no right to it, or nothing that the server takes: then an upgrade says so
        try:
            line = _lines(self._shown(_SCRATCH)).get(column.name)
        finally:
            self._connection.execute(DropTable(scratch))
        return None if line is None else _form(line)

    def _definition(self, table: Any) -> str:
        name = self._dialect.identifier_preparer.format_table(table)
        if name not in self._definitions:
            # A table that a migration renames is not there by its new name.
            self._definitions[name] = self._shown(name) if self._is_there(table) else ""
        return self._definitions[name]

    def _is_there(self, table: Any) -> bool:
        from sqlalchemy import inspect

        return bool(inspect(self._connection).has_table(table.name, schema=table.schema))

    def _shown(self, table: str) -> str:
        statement = f"SHOW CREATE TABLE {table}".replace("%", "%%")  # which the driver fills in
        return str(self._connection.exec_driver_sql(statement).one()[1])


def _scratch(column: Column[Any], definition: str) -> Table:
    """A temporary table of one column, with the character set and collation of a table that is there."""
    from sqlalchemy import Column as NewColumn, DefaultClause, MetaData, Table as NewTable

    default = column.server_default if isinstance(column.server_default, DefaultClause) else None
    alone: Column[Any] = NewColumn(column.name, column.type, nullable=column.nullable, server_default=default)
    options = definition.rpartition("\n)")[2]
    charset, collate = (re.search(rf"{word}=(\w+)", options) for word in ("CHARSET", "COLLATE"))
    keywords: dict[str, Any] = {
        **({"mysql_default_charset": charset[1]} if charset else {}),
        **({"mysql_collate": collate[1]} if collate else {}),
    }
    return NewTable(_SCRATCH, MetaData(), alone, prefixes=["TEMPORARY"], **keywords)


def _lines(definition: str) -> dict[str, str]:
    """What SHOW CREATE TABLE has for each column, behind its name."""
    found = (_COLUMN.fullmatch(line) for line in definition.split("\n"))
    return {bare(match[1]): match[2] for match in found if match}


def _text(literal: str) -> str | None:
    """The text of a literal; None where there is none."""
    return re.sub(r"''|\\(.)", lambda match: match[1] or "'", literal[1:-1]) or None


def _form(line: str) -> _Form:
    pieces = [token for token in tokens(line) if not token.isspace()]
    end = next((place for place, token in enumerate(pieces) if token in _ENDS or token.startswith("/*")), len(pieces))
    kept, collation = pieces[:end], ""
    if "CHARACTER" in kept:
        place = kept.index("CHARACTER")
        del kept[place : place + 3]
    if "COLLATE" in kept:
        place = kept.index("COLLATE")
        collation = kept[place + 1]
        del kept[place : place + 2]
    check = ["json"] if "json_valid" in pieces else []
    default = _after(pieces, "DEFAULT").removeprefix("NULL")
    return _Form(" ".join(kept + check), collation, f"{default} {_after(pieces, 'UPDATE')}".strip())


def _after(pieces: Sequence[str], word: str) -> str:
    """The expression behind a word; empty where the word is not there."""
    taken: list[str] = []
    depth = 0
    for piece in pieces[pieces.index(word) + 1 :] if word in pieces else ():
        if taken and not depth and piece in _ENDS:
            break
        depth += (piece == "(") - (piece == ")")
        taken.append(piece)
    return " ".join(taken)
