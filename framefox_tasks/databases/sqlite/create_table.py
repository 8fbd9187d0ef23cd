"""What only the text of a CREATE TABLE tells of a SQLite table: names of constraints, checks, what may be deferred."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from framefox_tasks.databases.schema import LiveCheck
from framefox_tasks.databases.sqlite.clauses import Clause, Item, group, unquoted, words_of
from framefox_tasks.databases.sqlite.definition import SQLiteDefinition


class CreateTable:
    """The text of a CREATE TABLE."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._definition = SQLiteDefinition(sql)

    def conflicts(self) -> Iterator[str]:
        """What a row that breaks a constraint does, where that is not the usual error."""
        for item, clause in self._clauses("PRIMARY", "UNIQUE", "NOT NULL", "CHECK"):
            words = [word.keyword for word in clause.words if word.sort != "space"]
            action = next((after for word, after in pairwise(words) if word == "CONFLICT"), "ABORT")
            if action != "ABORT":
                columns = item.column if item.is_column else ", ".join(clause.columns)
                yield f"ON CONFLICT {action} of {clause.name or f'{clause.kind} ({columns})'}"

    def _clauses(self, *kinds: str) -> Iterator[tuple[Item, Clause]]:
        for item in (*self._definition.columns, *self._definition.constraints):
            yield from ((item, clause) for clause in item.of(*kinds))

    def checks(self) -> Iterator[LiveCheck]:
        """The checks of the table and of its columns."""
        for _, clause in self._clauses("CHECK"):
            yield LiveCheck(clause.name, _inside(clause))

    def primary_name(self) -> str | None:
        """The name of the primary key."""
        return next((clause.name for _, clause in self._clauses("PRIMARY")), None)

    def unique_names(self) -> dict[tuple[str, ...], str]:
        """The names of unique constraints, by their columns in small letters."""
        named = [(item, clause, clause.name) for item, clause in self._clauses("UNIQUE")]
        return {
            (item.column.casefold(),) if item.is_column else tuple(clause.columns): name
            for item, clause, name in named
            if name
        }

    def references(self) -> list[tuple[str | None, bool]]:
        """The foreign keys as they stand there: their names, and whether they are deferred."""
        return [(clause.name, _is_deferred(clause)) for _, clause in self._clauses("REFERENCES", "FOREIGN")]

    def matches(self) -> list[str]:
        """What stands behind MATCH in each of the foreign keys, which no pragma tells; nothing for the usual SIMPLE."""
        return [_match(clause) for _, clause in self._clauses("REFERENCES", "FOREIGN")]

    def generated(self) -> dict[str, str]:
        """The expressions of computed columns."""
        return {item.column: _inside(clause) for item, clause in self._clauses("GENERATED")}

    def collation_of(self) -> dict[str, str]:
        """The collations of columns that have one of their own, in capitals."""
        return {item.column: unquoted(clause.words[-1].text).upper() for item, clause in self._clauses("COLLATE")}

    def collations(self) -> list[str]:
        """The names behind COLLATE, wherever it stands, in small letters."""
        words = [word for word in words_of(self._sql) if word.sort != "space"]
        return [unquoted(name.text).lower() for word, name in pairwise(words) if word.keyword == "COLLATE"]


def _inside(clause: Clause) -> str:
    """What is in its parentheses, as it is written."""
    return "".join(word.text for word in group(words_of(clause.text))).strip()


def _match(clause: Clause) -> str:
    keywords = [word.keyword for word in clause.words]
    found = next((after for word, after in pairwise(keywords) if word == "MATCH"), "SIMPLE")
    return "" if found == "SIMPLE" else found


def _is_deferred(clause: Clause) -> bool:
    keywords = [word.keyword for word in clause.words]
    if "DEFERRABLE" not in keywords:
        return False
    at = keywords.index("DEFERRABLE")
    return keywords[at - 1] != "NOT" and keywords[at + 1 : at + 3] == ["INITIALLY", "DEFERRED"]
