"""The statements that make a PostgreSQL database as its migrations make it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from framefox_tasks.databases.drivers import quoted_table
from framefox_tasks.databases.facts import THERE, Fact, FactDifference, SchemaPair
from framefox_tasks.databases.postgresql.enum_values import literal, set_enum_values_sql
from framefox_tasks.databases.postgresql.facts import names_of_constraints
from framefox_tasks.databases.rows import quoted
from framefox_tasks.databases.server import ServerVerbs

_SEQUENCE = re.compile(r"(\w+) start (\S+) increment (\S+) from (\S+) to (\S+) cycle (\w+) cache (\d+)")
_FUNCTION = re.compile(r"FUNCTION|PROCEDURE")
_INDEX = re.compile(r"(UNIQUE )?(.*?)(?: COMMENT (.*?))?( INVALID)?", re.DOTALL)


def undo(verbs: ServerVerbs, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
    """A statement for each difference; None where there is none."""
    return [_Undo(verbs, sides, item).statement() for item in found]


class _Undo:
    def __init__(self, verbs: ServerVerbs, sides: SchemaPair, item: FactDifference) -> None:
        self._verbs, self._sides = verbs, sides
        self._wanted, self._held = item.wanted, item.held
        self._fact = item.fact
        self._name = quoted_table(item.fact.table, '"')

    def statement(self) -> str | None:
        kind = self._fact.what.partition(" ")[0]
        if self._fact.attribute == "owner":
            return self._owner(kind)
        make: Callable[[], str | None] | None = getattr(self, f"_of_{kind}", None)
        return make() if make else None

    def _owner(self, kind: str) -> str | None:
        if self._wanted:
            return f"ALTER {kind.upper()} {self._name} OWNER TO {_quoted(self._wanted.value)}"
        with self._verbs.connection(self._sides.held, self._sides.held.name) as connection:
            cursor = connection.cursor()
            version_table = quoted_table(self._sides.held.project.version_table, '"')
            cursor.execute(
                "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass(%s)", (version_table,)
            )
            return f"ALTER {kind.upper()} {self._name} OWNER TO {_quoted(cursor.fetchone()[0])}"

    def _of_table(self) -> str | None:
        if self._fact.attribute == "comment":
            return f"COMMENT ON TABLE {self._name} IS {_text(self._wanted)}"
        if self._fact.attribute != THERE or self._wanted is None:
            return None
        columns = [fact for fact in self._of_this_table("column") if fact.attribute == THERE]
        parts = [f"{_column(fact)} {_definition(self._sides.attributes(fact))}" for fact in columns]
        parts += [_constraint(fact) for fact in self._of_this_table("constraint")]
        indexes = [_index(self._name, fact) for fact in self._of_this_table("index")]
        return "; ".join([f"CREATE TABLE {self._name} ({', '.join(parts)})", *indexes])

    def _of_this_table(self, kind: str) -> list[Fact]:
        return [f for f in self._sides.facts if f.table == self._fact.table and f.what.partition(" ")[0] == kind]

    def _of_column(self) -> str | None:
        column, alter = _column(self._fact), f"ALTER TABLE {self._name}"
        if self._fact.attribute == THERE:
            if self._wanted is None:
                return f"{alter} DROP COLUMN {column}"
            return f"{alter} ADD COLUMN {column} {_definition(self._sides.attributes(self._fact))}"
        value = self._wanted.value if self._wanted else ""
        match self._fact.attribute:
            case "type":
                return f"{alter} ALTER COLUMN {column} TYPE {value} USING {column}::{value}"
            case "nullable":
                return f"{alter} ALTER COLUMN {column} {'SET' if value == 'no' else 'DROP'} NOT NULL"
            case "default":
                return f"{alter} ALTER COLUMN {column} {f'SET DEFAULT {value}' if value else 'DROP DEFAULT'}"
            case "comment":
                return f"COMMENT ON COLUMN {self._name}.{column} IS {_text(self._wanted)}"
            case "sequence" if value:
                return self._owned_sequence(value)
        return None

    def _owned_sequence(self, value: str) -> str | None:
        with self._verbs.connection(self._sides.held, self._sides.held.name) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (self._name, self._fact.what.partition(" ")[2]))
            (name,) = cursor.fetchone()
        return f"ALTER SEQUENCE {name} {_options(value)}" if name else None

    def _of_constraint(self) -> str | None:
        alter = f"ALTER TABLE {self._name}"
        if self._wanted and self._held:
            return f"{alter} RENAME CONSTRAINT {_quoted(self._held.name)} TO {_quoted(self._wanted.name)}"
        if self._wanted:
            return f"{alter} ADD {_constraint(self._wanted)}"
        names = names_of_constraints(self._verbs, self._sides.held)
        name = names.get((self._fact.table, self._fact.value))
        return f"{alter} DROP CONSTRAINT {_quoted(name)}" if name else None

    def _of_index(self) -> str | None:
        schema = self._fact.table.rpartition(".")[0]

        def full(fact: Fact) -> str:
            return quoted_table(".".join(filter(None, (schema, str(fact.name)))), '"')

        if self._wanted and self._held:
            return f"ALTER INDEX {full(self._held)} RENAME TO {_quoted(self._wanted.name)}"
        return _index(self._name, self._wanted) if self._wanted else f"DROP INDEX {full(self._fact)}"

    def _of_trigger(self) -> str:
        if self._wanted and not self._held:
            return self._wanted.value
        name = _quoted((self._held or self._fact).name)
        if self._wanted:
            return f"ALTER TRIGGER {name} ON {self._name} RENAME TO {_quoted(self._wanted.name)}"
        return f"DROP TRIGGER {name} ON {self._name}"

    def _of_function(self) -> str:
        if self._wanted:
            return self._wanted.value.strip()
        found = _FUNCTION.search(self._fact.value)
        return f"DROP {found[0] if found else 'FUNCTION'} {self._name}"

    def _of_view(self) -> str:
        kinds = {"v": "VIEW", "m": "MATERIALIZED VIEW"}
        gone = f"DROP {kinds[self._held.value[0]]} {self._name}" if self._held else ""
        if self._wanted is None:
            return gone
        kind, _, body = self._wanted.value.partition(" ")
        made = f"CREATE {kinds[kind]} {self._name} AS {body.strip().removesuffix(';')}"
        return f"{gone}; {made}" if gone else made

    def _of_sequence(self) -> str:
        if self._wanted is None:
            return f"DROP SEQUENCE {self._name}"
        return f"{'ALTER' if self._held else 'CREATE'} SEQUENCE {self._name} {_options(self._wanted.value)}"

    def _of_type(self) -> str | None:
        if self._wanted is None:
            return f"DROP TYPE {self._name}"
        if self._held is None:
            return f"CREATE TYPE {self._name} AS ENUM ({self._wanted.value})"
        values = [value.replace("''", "'") for value in re.findall(r"'((?:[^']|'')*)'", self._wanted.value)]
        held = re.findall(r"'((?:[^']|'')*)'", self._held.value)
        missing = [value for value in values if value.replace("'", "''") not in held]
        if len(missing) == 1 and len(held) == len(values) - 1:
            place = values.index(missing[0])
            where = f"AFTER {literal(values[place - 1])}" if place else f"BEFORE {literal(values[1])}"
            return f"ALTER TYPE {self._name} ADD VALUE {literal(missing[0])} {where}"
        return set_enum_values_sql(self._name, values)


def _quoted(name: str | None) -> str:
    return quoted(str(name), '"')


def _column(fact: Fact) -> str:
    return _quoted(fact.what.partition(" ")[2])


def _text(fact: Fact | None) -> str:
    return literal(fact.value) if fact else "NULL"


def _definition(attributes: Mapping[str, str]) -> str:
    parts = [attributes["type"]]
    if collation := attributes.get("collation"):
        parts.append(f"COLLATE {_quoted(collation)}")
    if identity := attributes.get("identity"):
        parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
    if expression := attributes.get("expression"):
        parts.append(f"GENERATED ALWAYS AS ({expression.partition(' ')[2]}) {_GENERATED[expression[0]]}")
    default = attributes.get("default", "")
    if default and "its sequence" not in default:
        parts.append(f"DEFAULT {default}")
    if attributes.get("nullable") == "no":
        parts.append("NOT NULL")
    return " ".join(parts)


_GENERATED = {"s": "STORED", "v": "VIRTUAL"}


def _constraint(fact: Fact) -> str:
    return f"CONSTRAINT {_quoted(fact.name)} {fact.value}" if fact.name else fact.value


def _index(table: str, fact: Fact) -> str:
    found: Any = _INDEX.fullmatch(fact.value)
    made = f"CREATE {found[1] or ''}INDEX {_quoted(fact.name)} ON {table} USING {found[2]}"
    return f"{made}; COMMENT ON INDEX {_quoted(fact.name)} IS {literal(found[3])}" if found[3] else made


def _options(value: str) -> str:
    found: Any = _SEQUENCE.fullmatch(value)
    type_, start, step, low, high, cycle, cache = found.groups()
    cycles = "CYCLE" if cycle.lower() in ("true", "t") else "NO CYCLE"
    return f"AS {type_} START {start} INCREMENT {step} MINVALUE {low} MAXVALUE {high} {cycles} CACHE {cache}"
