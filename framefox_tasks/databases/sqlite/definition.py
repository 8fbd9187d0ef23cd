"""The definition of a SQLite table: the text of its CREATE TABLE, in which what is not changed stays as it is written.

No reader of a schema tells everything that such a text can hold: AUTOINCREMENT, collations, conflict clauses, checks
without a name, STRICT. So a table is rebuilt from its text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from framefox_tasks.databases.sqlite.clauses import Clause, Item, meanings, split, words_of


class SQLiteDefinition:
    """A CREATE TABLE whose columns and constraints can be changed.

    Attributes:
        columns: The definitions of the columns.
        constraints: Those of the table.
        changed: The columns whose types, defaults or nullability were changed, and those that were dropped, in small
            letters.
    """

    def __init__(self, sql: str) -> None:
        words = words_of(sql)
        opening = next(place for place, word in enumerate(words) if word.text == "(")
        depth, closing = 0, len(words)
        for place, word in enumerate(words):
            depth += (word.text == "(") - (word.text == ")")
            if word.text == ")" and depth == 0:
                closing = place
                break
        items = [Item("".join(word.text for word in item)) for item in split(words[opening + 1 : closing])]
        self._head = "".join(word.text for word in words[: opening + 1])
        self._options = "".join(word.text for word in words[closing + 1 :])
        self.columns = [item for item in items if item.is_column]
        self.constraints = [item for item in items if not item.is_column]
        self.changed: set[str] = set()
        self._before = sql
        self._removed: list[str] = []

    @property
    def sql(self) -> str:
        """The statement."""
        return self._head + ",".join(item.text for item in self._items) + ")" + self._options

    @property
    def _items(self) -> list[Item]:
        return [*self.columns, *self.constraints]

    def column(self, name: str) -> Item:
        """The definition of a column. Raises KeyError."""
        for item in self.columns:
            if item.column.casefold() == name.casefold():
                return item
        raise KeyError(name)

    def words_lost(self, sql: str) -> list[str]:
        """The words of the table as it was that stand neither in other SQL nor in what was removed."""
        lost = Counter(meanings(self._before)) - Counter(meanings(" ".join([sql, *self._removed])))
        return sorted(word for word in lost if word not in ("(", ")", ","))

    def add_column(self, sql: str) -> None:
        """Add a column behind the last one."""
        self._append(self.columns, sql)

    def add_constraint(self, sql: str) -> None:
        """Add a constraint of the table."""
        self._append(self.constraints, sql)

    def _append(self, items: list[Item], sql: str) -> None:
        lead = next((clause.text for clause in self.columns[-1].clauses[:1] if clause.text.isspace()), " ")
        item, last = Item(lead + sql), self._items[-1]
        if not items or items[-1] is last:
            item.clauses.append(last.trail())
        items.append(item)

    def drop_column(self, name: str) -> None:
        """Drop a column, and every constraint that uses it."""
        item, last = self.column(name), self._items[-1]
        self.changed.add(name.casefold())
        self.columns.remove(item)
        self._removed.append(item.text)
        if item is last:
            self.columns[-1].clauses.append(item.trail())
        self._remove(lambda clause, _: clause.kind in ("UNIQUE", "FOREIGN") and name.casefold() in clause.columns)
        self._remove(lambda clause, _: clause.kind == "CHECK" and clause.uses(name))
        self._leave_key(name)

    def _leave_key(self, name: str) -> None:
        """Leave a column out of the primary key."""
        for item in self.constraints:
            for clause in item.of("PRIMARY"):
                if name.casefold() in clause.columns:
                    rest = [column for column in self._written(clause) if meanings(column)[0] != name.casefold()]
                    if rest:
                        head = clause.text[: clause.text.index("(")]
                        item.replace("PRIMARY", f"{head}({', '.join(rest)})")
                    self._removed.append(clause.text)
        self._remove(lambda clause, _: clause.kind == "PRIMARY" and clause.columns == [name.casefold()])

    @staticmethod
    def _written(clause: Clause) -> list[str]:
        """The columns of a key as they stand there."""
        text = clause.text[clause.text.index("(") + 1 : clause.text.rindex(")")]
        return ["".join(word.text for word in item).strip() for item in split(words_of(text))]

    def order(self, names: Sequence[str]) -> None:
        """Put the columns into an order."""
        places = {name.casefold(): place for place, name in enumerate(names)}
        self.columns.sort(key=lambda item: places[item.column.casefold()])

    def change(self, name: str, kind: str, text: str) -> None:
        """Have one clause of a kind in a column, or none where there is no text for it."""
        item = self.column(name)
        self.changed.add(name.casefold())
        self._removed += [clause.text for clause in item.of(kind)]
        item.replace(kind, text)

    def change_default(self, name: str, sql: str) -> None:
        """Give a column the default, or the expression, of another definition of it; or none."""
        new = Item(sql)
        for kind in ("DEFAULT", "GENERATED"):
            self.change(name, kind, next((clause.text for clause in new.of(kind)), ""))

    def change_type(self, name: str, sql: str) -> None:
        """Give a column the type, and the collation if there is one, of another definition of it.

        A check without a name that lists its values belongs to the old type.
        """
        item, new = self.column(name), Item(sql)
        self.changed.add(name.casefold())
        kept = next((clause.text for clause in new.of("type")), "")
        self._removed += [clause.text for clause in item.of("type")]
        if item.of("type") or not kept:
            item.replace("type", kept)
        else:
            item.add("type", kept, "name")
        for clause in new.of("COLLATE"):
            self.change(name, "COLLATE", clause.text)
        self._remove(lambda clause, _: clause.name is None and clause.lists_values_of(name))

    def set_nullable(self, name: str, nullable: bool) -> None:
        """Let a column be NULL, or forbid it."""
        item = self.column(name)
        if nullable:
            self.change(name, "NOT NULL", "")
        elif not item.of("NOT NULL"):
            self.change(name, "NULL", "")
            kinds = [clause.kind for clause in item.clauses if clause.kind in ("name", "type", "DEFAULT")]
            item.add("NOT NULL", "NOT NULL", kinds[-1])

    def drop_named(self, name: str) -> bool:
        """Drop the constraint of a name; False if there is none."""
        return self._remove(lambda clause, _: clause.name is not None and clause.name.casefold() == name.casefold())

    def drop_unique(self, columns: Iterable[str]) -> bool:
        """Drop a unique constraint without a name by its columns; False if there is none."""
        wanted = {column.casefold() for column in columns}
        return self._remove(
            lambda clause, item: clause.kind == "UNIQUE" and not clause.name and _columns(clause, item) == wanted
        )

    def drop_foreign_key(self, columns: Iterable[str], parent: str) -> bool:
        """Drop a foreign key without a name by its columns and parent; False if there is none."""
        wanted = ({column.casefold() for column in columns}, parent.casefold())
        return self._remove(
            lambda clause, item: (
                clause.is_reference and not clause.name and (_columns(clause, item), clause.parent) == wanted
            )
        )

    def drop_check(self, condition: str) -> bool:
        """Drop a check without a name by its condition; False if there is none."""
        wanted = meanings(condition)
        return self._remove(lambda clause, _: clause.kind == "CHECK" and not clause.name and clause.condition == wanted)

    def drop_unnamed_checks(self) -> None:
        """Drop all checks without a name."""
        self._remove(lambda clause, _: clause.kind == "CHECK" and not clause.name)

    def drop_key(self) -> bool:
        """Drop the primary key; False if there is none."""
        self.changed |= {item.column.casefold() for item in self.columns}
        return self._remove(lambda clause, _: clause.kind == "PRIMARY")

    def holds(self, sql: str) -> bool:
        """Whether a constraint of the same words stands there."""
        wanted = meanings(sql)
        return any(meanings(clause.text) == wanted for item in self._items for clause in item.clauses if clause.kind)

    def number_key(self) -> None:
        """Have AUTOINCREMENT in the key of one column."""
        for item in self._items:
            for clause in item.of("PRIMARY"):
                if "AUTOINCREMENT" in [word.keyword for word in clause.words]:
                    return
                key = item if item.is_column else self.column(clause.columns[0])
                self.drop_key()
                key.add("PRIMARY", "PRIMARY KEY AUTOINCREMENT")
                return

    def add_option(self, option: str) -> None:
        """Have an option behind the columns: WITHOUT ROWID, or STRICT."""
        self.changed |= {item.column.casefold() for item in self.columns}
        if meanings(option)[-1] not in meanings(self._options):
            self._options += f", {option}" if self._options.strip() else f" {option}"

    def _remove(self, matches: Callable[[Clause, Item], bool]) -> bool:
        """Remove the constraints that match; False if none does."""
        found = [(item, clause) for item in self._items for clause in item.clauses if _is_constraint(clause)]
        found = [(item, clause) for item, clause in found if matches(clause, item)]
        for item, clause in found:
            self._removed.append(clause.text)
            last = self._items[-1]
            item.remove(clause)
            if not item.is_column and not any(one.kind for one in item.clauses):
                self.constraints.remove(item)
                if item is last:
                    self._items[-1].clauses.append(item.trail() if item.clauses else Clause("", ""))
        return bool(found)

    def unnamed_uniques(self) -> list[tuple[str, ...]]:
        """The columns of each unique constraint without a name."""
        found = [(item, clause) for item in self._items for clause in item.of("UNIQUE") if not clause.name]
        spelled = {item.column.casefold(): item.column for item in self.columns}
        return [
            (item.column,) if item.is_column else tuple(spelled[column] for column in clause.columns)
            for item, clause in found
        ]

    def facts(self) -> Iterator[str]:
        """What cannot be told from the names and types of the columns, in one form of writing each."""
        for item in self._items:
            for clause in item.clauses:
                yield from _facts(clause, item)
        yield from (" ".join(meanings(option)).upper() for option in self._options.split(",") if option.strip())


def _is_constraint(clause: Clause) -> bool:
    return clause.kind not in ("", "name", "type")


def _columns(clause: Clause, item: Item) -> set[str]:
    """The columns of a key: for that of one column it is written with the column."""
    return {item.column.casefold()} if item.is_column else set(clause.columns)


def _facts(clause: Clause, item: Item) -> Iterator[str]:
    columns = ", ".join(sorted(_columns(clause, item)))
    keywords = [word.keyword for word in clause.words]
    if clause.kind == "CHECK":
        yield f"CHECK ({' '.join(clause.condition)})"
    elif clause.kind == "UNIQUE":
        yield f"UNIQUE ({columns})"
    elif clause.is_reference:
        yield f"foreign key ({columns}) to {clause.parent}"
        yield from (f"{word} of the key ({columns})" for word in ("CASCADE", "DEFERRABLE", "MATCH") if word in keywords)
    elif clause.kind in ("COLLATE", "GENERATED"):
        yield f"{' '.join(meanings(clause.text)).upper()} of {columns}"
    if "CONFLICT" in keywords:
        yield f"ON CONFLICT {keywords[keywords.index('CONFLICT') + 1]} of ({columns})"
    if "AUTOINCREMENT" in keywords:
        yield "AUTOINCREMENT"
