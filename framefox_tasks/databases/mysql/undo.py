"""The statements that make a MySQL or MariaDB database as its migrations make it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from framefox_tasks.databases.facts import THERE, Fact, FactDifference, SchemaPair
from framefox_tasks.databases.mysql.facts import named_lines, statement_of
from framefox_tasks.databases.rows import quoted
from framefox_tasks.databases.server import ServerVerbs

_TRIGGER = re.compile(r"(\w+) (\w+) (.*)", re.DOTALL)
_COMMENT = re.compile(r"\bCOMMENT=")


def undo(verbs: ServerVerbs, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
    """A statement for each difference; None where there is none."""
    return [_Undo(verbs, sides, item).statement() for item in found]


class _Undo:
    def __init__(self, verbs: ServerVerbs, sides: SchemaPair, item: FactDifference) -> None:
        self._verbs, self._sides = verbs, sides
        self._wanted, self._held, self._fact = item.wanted, item.held, item.fact
        self._name = _quoted(item.fact.table)

    def statement(self) -> str | None:
        make: Callable[[], str | None] | None = getattr(self, f"_of_{self._fact.what.partition(' ')[0]}", None)
        return make() if make else None

    def _of_table(self) -> str | None:
        if self._wanted is None:
            return None
        if self._fact.attribute == THERE:
            return statement_of(self._verbs, self._sides.wanted, self._fact.table)
        uncommented = self._held and _COMMENT.search(self._held.value) and not _COMMENT.search(self._wanted.value)
        return f"ALTER TABLE {self._name} {self._wanted.value}" + (" COMMENT=''" if uncommented else "")

    def _of_column(self) -> str:
        column = _quoted(self._fact.what.partition(" ")[2])
        if self._wanted is None:
            return f"ALTER TABLE {self._name} DROP COLUMN {column}"
        verb = "ADD" if self._fact.attribute == THERE else "MODIFY"
        return f"ALTER TABLE {self._name} {verb} COLUMN {column} {self._sides.attributes(self._fact)['type']}"

    def _of_index(self) -> str:
        alter = f"ALTER TABLE {self._name}"
        if self._wanted and self._held:
            return f"{alter} RENAME INDEX {_quoted(self._held.name)} TO {_quoted(self._wanted.name)}"
        if self._wanted:
            kind, _, columns = self._wanted.value.partition("(")
            name = f"{_quoted(self._wanted.name)} " if self._wanted.name else ""
            return f"{alter} ADD {kind}{name}({columns}"
        return f"{alter} DROP INDEX {_quoted(self._fact.name or self._live_name())}"

    def _of_constraint(self) -> str | None:
        alter = f"ALTER TABLE {self._name}"
        add = _added(self._wanted) if self._wanted else ""
        if self._wanted and not self._held:
            return f"{alter} {add}"
        held = self._held or self._fact
        if held.value.startswith("PRIMARY KEY"):
            return f"{alter} DROP PRIMARY KEY"
        name = held.name or self._live_name()
        if name is None:  # a check within a column
            return None
        kind = "FOREIGN KEY" if held.value.startswith("FOREIGN KEY") else "CONSTRAINT"
        return f"{alter} DROP {kind} {_quoted(name)}{f', {add}' if add else ''}"

    def _live_name(self) -> str | None:
        return named_lines(self._verbs, self._sides.held, self._fact.table).get(self._fact.value)

    def _of_trigger(self) -> str | None:
        gone = f"DROP TRIGGER {_quoted(self._held.name)}" if self._held else ""
        if self._wanted is None:
            return gone
        timing, event, body = _TRIGGER.fullmatch(self._wanted.value).groups()  # type: ignore[union-attr]
        made = f"CREATE TRIGGER {_quoted(self._wanted.name)} {timing} {event} ON {self._name} FOR EACH ROW {body}"
        return f"{gone}; {made}" if gone else made

    def _of_function(self) -> str | None:
        return f"DROP {self._fact.value.partition(' ')[0]} {self._name}" if self._wanted is None else None

    def _of_view(self) -> str:
        return f"CREATE OR REPLACE VIEW {self._wanted.value}" if self._wanted else f"DROP VIEW {self._name}"

    def _of_sequence(self) -> str:
        return (
            f"CREATE OR REPLACE SEQUENCE {self._name} {self._wanted.value}"
            if self._wanted
            else f"DROP SEQUENCE {self._name}"
        )


def _added(constraint: Fact) -> str:
    named = f"CONSTRAINT {_quoted(constraint.name)} " if constraint.name else ""
    return f"ADD {named}{constraint.value}"


def _quoted(name: str | None) -> str:
    return quoted(str(name), "`")
