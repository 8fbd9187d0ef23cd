"""Views, triggers, routines and events of a database, as statements that make them in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from framefox_tasks.databases.mysql.session import SQL_MODE, Session, literal, name
from framefox_tasks.databases.mysql.tokens import names_in, unqualified, without_definer
from framefox_tasks.databases.order import after_needed
from framefox_tasks.databases.rows import Statement

_ROUTINES = (
    "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() "
    "AND routine_name <> 'framefox_tasks_protected' "
    "ORDER BY FIELD(routine_type, 'FUNCTION', 'PACKAGE', 'PACKAGE BODY', 'PROCEDURE'), routine_name"
)
_TRIGGERS = (
    "SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
    "ORDER BY event_object_table, action_timing, event_manipulation, action_order"
)
_EVENTS = "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY event_name"


@dataclass
class Programs:
    """What a database holds beside tables.

    Attributes:
        placed: What makes it, in order.
        lost: What is not made, and why.
    """

    placed: list[Statement] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Reading:
    """Reads the programs of a database.

    Args:
        session: A connection to it.
        known: What it holds, in small letters: tables, views, sequences.
        missing: The tables of it that are not copied, in small letters.
    """

    def __init__(self, session: Session, known: set[str], missing: set[str]) -> None:
        self._session = session
        self._missing = missing
        self._routines = [(kind, routine) for kind, routine in session.rows(_ROUTINES)]
        self._known = known | {routine.casefold() for _, routine in self._routines}
        self._mode: tuple[str, str, str] | None = None
        self._found = Programs()

    @cached_property
    def _plain(self) -> tuple[str, str, str]:
        return SQL_MODE, "+00:00", str(self._session.value("SELECT @@collation_connection"))

    def read(self, views: list[str]) -> Programs:
        """The statements: routines, views that may use them, triggers, events."""
        for kind, routine in self._routines:
            row = self._session.rows(f"SHOW CREATE {kind} {name(routine)}")[0]
            self._add(f"{kind.lower()} {routine}", row[2], row[1], collation=row[4])
        self._views(views)
        for trigger, table in self._session.rows(_TRIGGERS):
            if table.casefold() not in self._missing:
                row = self._session.rows(f"SHOW CREATE TRIGGER {name(trigger)}")[0]
                self._add(f"trigger {trigger} of {table}", row[2], row[1], collation=row[4])
        for (event,) in self._session.rows(_EVENTS):
            row = self._session.rows(f"SHOW CREATE EVENT {name(event)}")[0]
            self._add(f"event {event}", row[3], row[1], row[2], row[5])
        if self._mode:
            self._set(*self._plain)
        return self._found

    def _views(self, views: list[str]) -> None:
        made = {view: self._session.rows(f"SHOW CREATE VIEW {name(view)}")[0] for view in views}
        texts = {view: row[1] for view, row in made.items()}
        for view in _in_order(texts):
            self._add(f"view {view}", texts[view], SQL_MODE, collation=made[view][3])
            if not self._carried:
                self._missing.add(view.casefold())

    def _add(self, about: str, sql: str | None, mode: str, zone: str = "+00:00", collation: str = "") -> None:
        self._carried = False
        if sql is None:
            self._found.lost.append(f"{about}: the user may not see how it is made")
            return
        used = sorted(names_in(sql) & self._missing)
        if used:
            self._found.lost.append(f"{about}: it uses {used[0]}, which is not copied")
            return
        self._carried = True
        self._set(mode, zone, collation)
        made = unqualified(without_definer(sql), self._session.target.name, self._known)
        self._found.placed.append(Statement(made, about, optional=about.startswith("view ")))

    def _set(self, mode: str, zone: str, collation: str) -> None:
        if (mode, zone, collation) != (self._mode or self._plain):
            self._mode = (mode, zone, collation)
            sql = f"SET SESSION sql_mode = {literal(mode)}, time_zone = {literal(zone)}"
            sql += f", collation_connection = {collation}" if collation else ""
            self._found.placed.append(Statement(sql, "the mode of what follows"))


def _in_order(texts: dict[str, str]) -> Iterator[str]:
    """Each view after those whose names it holds."""
    names = {view.casefold(): view for view in texts}
    used = {
        view: [names[word] for word in sorted(names_in(text)) if names.get(word, view) != view]
        for view, text in texts.items()
    }
    return after_needed(texts, used)
