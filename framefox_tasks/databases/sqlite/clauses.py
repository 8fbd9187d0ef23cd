"""The words and clauses of a SQLite CREATE TABLE."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from framefox_tasks.databases.rebuild import IndexText

_WORDS = re.compile(
    r"(?P<space>\s+|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))|(?P<string>'(?:[^']|'')*')"
    r"|(?P<name>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^]]*\])|(?P<word>[^\W\d][\w$]*)|(?P<number>\d[\w.]*)|(?P<sign>.)",
    re.DOTALL,
)
_STARTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "COLLATE", "REFERENCES", "FOREIGN", "GENERATED", "DEFAULT"}
_OF_TABLES = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")


@dataclass(frozen=True)
class Word:
    """A word, name, literal or sign of SQL, or the space and comments between them."""

    sort: str
    text: str

    @property
    def keyword(self) -> str:
        """In capitals, if it can be a keyword."""
        return self.text.upper() if self.sort == "word" else ""

    @property
    def meaning(self) -> str:
        """The same however it is quoted, and in whatever letters names are written."""
        if self.sort in ("name", "word"):
            return unquoted(self.text).casefold()
        return self.text


def unquoted(name: str) -> str:
    """A name without its quotes."""
    name = name.strip()
    if len(name) > 1 and name[0] in "\"`'":
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name.startswith("[") else name


def words_of(sql: str) -> list[Word]:
    """All words, whose texts joined are the SQL again."""
    return [Word(str(match.lastgroup), match[0]) for match in _WORDS.finditer(sql)]


def meanings(sql: str) -> list[str]:
    """The words without space, comments and quotes."""
    return [word.meaning for word in words_of(sql) if word.sort != "space"]


def split(words: Sequence[Word]) -> list[list[Word]]:
    """The items of a list, split at the commas outside of parentheses."""
    items: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += (word.text == "(") - (word.text == ")")
        if word.text == "," and depth == 0:
            items.append([])
        else:
            items[-1].append(word)
    return items


def group(words: Sequence[Word]) -> list[Word]:
    """What is in the first parentheses."""
    found: list[Word] = []
    depth = 0
    for word in words:
        depth -= word.text == ")"
        if depth > 0:
            found.append(word)
        elif word.text == ")":
            return found
        depth += word.text == "("
    return found


def index_of(sql: str, columns: Collection[str]) -> IndexText:
    """The index that a CREATE INDEX makes on a table with some columns, which are in small letters."""
    words = [word for word in words_of(sql) if word.sort != "space"]
    keywords = [word.keyword for word in words]
    at = keywords.index("ON")
    inside = group(words[at:])
    behind = words[at + 4 + len(inside) :]
    parts = split(inside)
    plain = [part[0].meaning in columns and {word.keyword for word in part[1:]} <= {"ASC", "DESC"} for part in parts]
    normal = [word.meaning for word in (*inside, *behind) if word.keyword != "ASC"]
    unique = "UNIQUE" in keywords[:at]
    return IndexText(
        unquoted(words[at - 1].text),
        unique,
        tuple(text_of(part) for part in parts),
        text_of(behind[1:]) if behind else None,
        (str(unique), *normal),
        not all(plain),
    )


def parts_of(sql: str) -> tuple[list[str], str | None]:
    """The parts of the index that a CREATE INDEX makes, without their order, and its condition, as they are written."""
    words = words_of(sql)
    at = [word.keyword for word in words].index("ON")
    opening = next(place for place in range(at, len(words)) if words[place].text == "(")
    inside = group(words[opening:])
    behind = words[opening + len(inside) + 2 :]
    where = next((place for place, word in enumerate(behind) if word.keyword == "WHERE"), None)
    parts = ["".join(word.text for word in _without_order(part)).strip() for part in split(inside)]
    return parts, None if where is None else "".join(word.text for word in behind[where + 1 :]).strip()


def _without_order(part: Sequence[Word]) -> list[Word]:
    found = list(part)
    while found and (found[-1].sort == "space" or found[-1].keyword in ("ASC", "DESC")):
        found.pop()
    return found


def text_of(words: Sequence[Word]) -> str:
    """Words as SQL, with a space wherever there may be one."""
    text = " ".join(word.text for word in words)
    return text.replace("( ", "(").replace(" )", ")").replace(" (", "(").replace(" ,", ",")


@dataclass(frozen=True)
class Clause:
    """A part of the definition of a column or table: its name, its type, or a constraint; else the space between."""

    kind: str
    text: str

    @cached_property
    def words(self) -> list[Word]:
        """Its words without space and comments."""
        return [word for word in words_of(self.text) if word.sort != "space"]

    @property
    def name(self) -> str | None:
        """The name of a constraint, as it was meant."""
        return unquoted(self.words[1].text) if self.words[0].keyword == "CONSTRAINT" else None

    @property
    def columns(self) -> list[str]:
        """The columns in the first parentheses, in small letters; none for a constraint of one column."""
        if self.kind == "CHECK":
            return []
        before = [word.keyword for word in self.words].index("REFERENCES") if self.is_reference else len(self.words)
        return [item[0].meaning for item in split(group(self.words[:before])) if item]

    @property
    def is_reference(self) -> bool:
        """Whether it is a foreign key."""
        return self.kind in ("FOREIGN", "REFERENCES")

    @property
    def parent(self) -> str:
        """The table that a foreign key refers to, in small letters."""
        keywords = [word.keyword for word in self.words]
        return self.words[keywords.index("REFERENCES") + 1].meaning

    @property
    def condition(self) -> list[str]:
        """The words of a check's condition."""
        return [word.meaning for word in group(self.words)]

    def uses(self, column: str) -> bool:
        """Whether the condition of a check names a column."""
        inside = group(self.words)
        for word, follower in zip(inside, [*inside[1:], Word("space", "")], strict=True):
            if word.sort in ("word", "name") and word.meaning == column.casefold() and follower.text != "(":
                return True
        return False

    def lists_values_of(self, column: str) -> bool:
        """Whether it is the check of a type of SQLAlchemy's that lists the values of a column."""
        inside = group(self.words)
        start = [word.meaning for word in inside[:3]] == [column.casefold(), "in", "("]
        literals = all(word.sort in ("string", "number") or word.text in ",)" for word in inside[3:])
        return self.kind == "CHECK" and start and literals


class Item:
    """The definition of a column, or a constraint of the table, whose clauses can be changed."""

    def __init__(self, text: str) -> None:
        words = words_of(text)
        first = next(word for word in words if word.sort != "space")
        self.is_column = first.keyword not in _OF_TABLES
        self.clauses = list(_clauses(words, named=self.is_column))

    @property
    def text(self) -> str:
        """The SQL."""
        return "".join(clause.text for clause in self.clauses)

    @property
    def column(self) -> str:
        """The name of the column."""
        return unquoted(self.of("name")[0].text)

    def of(self, *kinds: str) -> list[Clause]:
        """The clauses of some kinds."""
        return [clause for clause in self.clauses if clause.kind in kinds]

    def remove(self, clause: Clause) -> None:
        """Remove a clause, and the space before it."""
        place = next(place for place, one in enumerate(self.clauses) if one is clause)
        del self.clauses[place]
        if place and self.clauses[place - 1].text.isspace() and place > 1:
            del self.clauses[place - 1]

    def add(self, kind: str, text: str, after: str | None = None) -> None:
        """Add a clause behind the last one, or behind the one of a kind."""
        places = [place for place, one in enumerate(self.clauses) if one.kind == after or not (after or one.kind == "")]
        self.clauses[places[-1] + 1 : places[-1] + 1] = [Clause("", " "), Clause(kind, text)]

    def replace(self, kind: str, text: str) -> None:
        """Have one clause of a kind, or none where there is no text for it."""
        old = self.of(kind)
        if old and text:
            self.clauses[self.clauses.index(old[0])] = Clause(kind, text)
            return
        for clause in old:
            self.remove(clause)
        if text:
            self.add(kind, text)

    def trail(self) -> Clause:
        """Take the space off its end."""
        last = self.clauses[-1]
        return self.clauses.pop() if last.kind == "" and last.text.isspace() else Clause("", "")


def _clauses(words: Sequence[Word], *, named: bool) -> Iterator[Clause]:
    """The clauses of an item and the space between them; `named` if it begins with the name and type of a column."""
    starts = dict(_starts(words))
    kind, text, gap = "", "", ""
    for place, word in enumerate(words):
        following = starts.get(place)
        if following is None and named and word.sort != "space" and kind in ("", "name"):
            following = "name" if kind == "" else "type"
        if word.sort == "space":
            gap += word.text
            continue
        if following:
            yield from (Clause(*one) for one in ((kind, text), ("", gap)) if one[1])
            kind, text, gap = following, "", ""
        text, gap = text + gap + word.text, ""
    yield from (Clause(*one) for one in ((kind, text), ("", gap)) if one[1])


def _starts(words: Sequence[Word]) -> Iterator[tuple[int, str]]:
    """Where constraints begin, and their kinds."""
    depth, pending, kind = 0, -1, ""
    solid = [(place, word) for place, word in enumerate(words) if word.sort != "space"]
    for index, (place, word) in enumerate(solid):
        depth += (word.text == "(") - (word.text == ")")
        before = solid[index - 1][1].keyword if index else ""
        after = solid[index + 1][1].keyword if index + 1 < len(solid) else ""
        begun = "" if depth else _kind(word.keyword, before, after, kind)
        if not begun or (index == 0 and begun not in _OF_TABLES):
            continue
        if begun == "CONSTRAINT":
            pending = place
            kind = begun
            continue
        yield (place if pending < 0 else pending), begun
        pending, kind = -1, begun


def _kind(keyword: str, previous: str, after: str, current: str) -> str:
    """The kind of constraint that a keyword begins, if it does."""
    if previous in ("SET", "DEFAULT", "CONSTRAINT"):  # an action, a value, a name
        return ""
    if keyword == "NOT" and after == "NULL":
        return "NOT NULL"
    if keyword == "NULL":
        return "" if previous == "NOT" else "NULL"
    if keyword == "AS":
        return "" if current == "GENERATED" else "GENERATED"
    if keyword == "REFERENCES" and current == "FOREIGN":
        return ""
    return keyword if keyword in _STARTS else ""
