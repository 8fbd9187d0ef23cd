"""SQL expressions of one database in the SQL of another: what a check, a condition or an index is made of.

The parser is sqlglot's. What is in its tree is carried only if it is listed here, with all that it consists of, and if
it means the same in both databases for values of such kinds; what is carried is written here too. sqlglot's own
generator lets too much through that means something else elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.rows import Kind

if TYPE_CHECKING:
    from framefox_tasks.databases.dialect import Dialect

Node = Any
"""A node of sqlglot's tree, whose classes are not the same in all of its versions."""

_TEXTS = {Kind.TEXT, Kind.ENUM}
_NUMBERS = {Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT}
_MOMENTS = {Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_SIGNED = re.compile(r"-?\d+(?:\.\d+)?")
_LITERALS = {
    Kind.DATE: re.compile(r"\d{4}-\d\d-\d\d"),
    Kind.TIME: re.compile(r"\d\d:\d\d:\d\d"),
    Kind.TIMESTAMP: re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
}
_ESCAPE = re.compile(r"\\[^\\'\"]")
_COMPARISONS = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Mod": "%"}
_LOGIC = {"And": "AND", "Or": "OR"}
_PREDICATES = {*_COMPARISONS, *_LOGIC, "NullSafeEQ", "NullSafeNEQ", "Is", "In", "Between", "Like", "Not"}
_OF_TEXTS = {"Lower": "lower", "Upper": "upper", "Trim": "trim"}
_CHARACTERS, _INTEGERS = {"TEXT", "VARCHAR", "BPCHAR", "CHAR"}, {"SMALLINT", "INT", "BIGINT"}


class UntranslatableError(Exception):
    """An expression holds what may mean something else elsewhere, or nothing."""


@dataclass(frozen=True)
class _Part:
    """A part of an expression in the target's SQL.

    Attributes:
        sql: That.
        kind: Of its values; None of NULL.
        text: Of a literal in quotes.
        number: Of a number without them.
        column: Whether it is a column alone.
    """

    sql: str
    kind: Kind | None
    text: str | None = None
    number: str | None = None
    column: bool = False


class Translator:
    """From the SQL of one database to that of another.

    Args:
        source: The dialect of the one.
        target: That of the other.
        exact: Whether the columns of texts are compared by their characters.
    """

    def __init__(self, source: Dialect, target: Dialect, *, exact: bool = False) -> None:
        self._source = source
        self._target = target
        self._exact = exact

    def expression(
        self, sql: str, columns: Mapping[str, str], kinds: Mapping[str, Kind], *, condition: bool = False
    ) -> str | None:
        """The expression in the target's SQL; None where it may mean something else.

        Args:
            sql: SQL of the source.
            columns: The columns that it may name, with their names in the target.
            kinds: What they hold: not every database compares them alike, and a cast may change a value.
            condition: Whether it has to be true or false.
        """
        try:
            writer = _Writer(self._source, self._target, columns, kinds, exact=self._exact)
            node = parsed(sql, self._source)
            return (writer.condition(node) if condition else writer.part(node)).sql
        except UntranslatableError:
            return None


def parsed(sql: str, source: Dialect) -> Node:
    """The tree of an expression, without parentheses around all of it.

    Raises:
        UntranslatableError: It is no expression, or its texts have escapes that are read in more than one way.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    text = source.plain_sql(sql)
    if source.backslash_escapes and _ESCAPE.search(text):
        raise UntranslatableError(text)
    try:
        select = sqlglot.parse_one(f"SELECT (\n{text}\n)", dialect=source.parser)
    except (SqlglotError, RecursionError) as exc:
        raise UntranslatableError(text) from exc
    (found,) = _parts(select, "expressions")
    if len(found) != 1 or _sort(found[0]) != "Paren":
        raise UntranslatableError(text)
    return found[0].unnest()


def _sort(node: Node) -> str:
    return type(node).__name__


def _parts(node: Node, *names: str) -> list[Any]:
    """What a node consists of.

    Raises:
        UntranslatableError: It has something else, too.
    """
    for name, value in node.args.items():
        if name not in names and not (value is None or value is False or value == []):
            raise UntranslatableError(name)
    return [node.args.get(name) for name in names]


class _Writer:
    """The writer of one expression. Its methods raise UntranslatableError."""

    def __init__(
        self,
        source: Dialect,
        target: Dialect,
        columns: Mapping[str, str],
        kinds: Mapping[str, Kind],
        *,
        exact: bool = False,
    ) -> None:
        self._exact = exact
        self._source = source
        self._target = target
        self._columns = columns
        self._kinds = kinds
        self._folded = {name.casefold(): name for name in columns}
        self._typed = source.has_booleans or target.has_booleans  # and a boolean is no number
        self._writers: dict[str, Callable[[Node], _Part]] = {
            "Paren": self._paren,
            "Column": self._column,
            "Literal": self._literal,
            "ByteString": lambda node: self._text(node.this),  # PostgreSQL's texts with escapes
            "Null": lambda _: _Part("NULL", None),
            "Boolean": lambda node: self._truth(bool(node.this)),
            "Neg": self._negative,
            "Cast": self._cast,
            "Not": self._not,
            "NullSafeEQ": self._same,
            "NullSafeNEQ": lambda node: self._same(node, negated=True),
            "Is": self._is,
            "In": self._in,
            "Between": self._between,
            "Like": self._like,
            "Abs": self._absolute,
            "Coalesce": self._coalesce,
            "Nullif": self._nullif,
            "Length": self._length,
            "ByteLength": self._bytes,
            "Anonymous": self._named,
            **dict.fromkeys(_COMPARISONS, self._comparison),
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
            **dict.fromkeys(_LOGIC, self._logic),
            **dict.fromkeys(_OF_TEXTS, self._of_text),
        }

    def part(self, node: Node) -> _Part:
        """A part of the expression."""
        if _sort(node) not in self._writers:
            raise UntranslatableError(_sort(node))
        return self._writers[_sort(node)](node)

    def condition(self, node: Node) -> _Part:
        """A part that is true or false."""
        found = self.part(node)
        if found.kind in (Kind.BOOLEAN, None) or (found.kind in _NUMBERS and not self._typed):
            return found
        raise UntranslatableError(found.sql)

    def _operand(self, node: Node) -> _Part:
        """A part beside an operator; not every database gives two of those without parentheses the same order."""
        if _sort(node) in _PREDICATES:
            raise UntranslatableError(_sort(node))
        return self.part(node)

    def _number(self, node: Node) -> _Part:
        found = self._operand(node)
        if found.text is None and found.kind in (_NUMBERS if self._typed else _NUMBERS | {Kind.BOOLEAN}):
            return found
        raise UntranslatableError(found.sql)

    def _paren(self, node: Node) -> _Part:
        inner = self.part(_parts(node, "this")[0])
        return replace(inner, sql=f"({inner.sql})")

    def _column(self, node: Node) -> _Part:
        [identifier] = _parts(node, "this")
        if _sort(identifier) != "Identifier":
            raise UntranslatableError(_sort(identifier))
        name = identifier.this if identifier.this in self._columns else self._folded.get(identifier.this.casefold())
        if name is not None:
            kind = self._kinds.get(name, Kind.OTHER)
            quoted = self._target.quoted(self._columns[name])
            return _Part(self._target.exact(quoted) if self._exact and kind in _TEXTS else quoted, kind, column=True)
        if self._source.double_quoted_text and identifier.args.get("quoted"):
            return self._text(identifier.this)
        raise UntranslatableError(identifier.this)

    def _text(self, text: str) -> _Part:
        return _Part(self._target.literal(text), Kind.TEXT, text=text)

    def _literal(self, node: Node) -> _Part:
        if node.is_string:
            return self._text(node.this)
        if not _NUMBER.fullmatch(node.this):
            raise UntranslatableError(node.this)
        digits = len(node.this.replace(".", ""))
        if digits > min(self._source.exact_digits or digits, self._target.exact_digits or digits):
            raise UntranslatableError(node.this)
        return _Part(node.this, Kind.INTEGER if node.this.isdigit() else Kind.NUMERIC, number=node.this)

    def _truth(self, truth: bool) -> _Part:
        word = str(truth).upper() if self._target.has_truth_words else str(int(truth))
        return _Part(word, Kind.BOOLEAN)

    def _negative(self, node: Node) -> _Part:
        [this] = _parts(node, "this")
        if _sort(this) not in ("Literal", "Column", "Paren", "Cast"):
            raise UntranslatableError(_sort(this))
        inner = self._number(this)
        return _Part(f"-{inner.sql}", inner.kind, number=f"-{inner.number}" if inner.number else None)

    def _cast(self, node: Node) -> _Part:
        """A cast that gives what it is given."""
        this, to = _parts(node, "this", "to", "_type")[:2]
        inner, type_ = self._operand(this), getattr(to.this, "name", "")
        if inner.text is not None:
            return self._cast_text(inner, type_, to)
        if to.expressions:
            raise UntranslatableError(type_)
        same = (
            (type_ in _CHARACTERS and inner.kind in _TEXTS)
            or (type_ == "DECIMAL" and inner.kind in (Kind.INTEGER, Kind.NUMERIC))
            or (type_ == "BIGINT" and inner.kind is Kind.INTEGER)
            or (inner.number and type_ in _INTEGERS and inner.kind is Kind.INTEGER)
            or (inner.number and type_ == "DOUBLE")
        )
        if not same:
            raise UntranslatableError(type_)
        return replace(inner, kind=Kind.FLOAT) if type_ == "DOUBLE" else inner

    @staticmethod
    def _cast_text(inner: _Part, type_: str, to: Node) -> _Part:
        """A literal, which is compared as what it is compared with."""
        if type_ == "INTERVAL" or (to.expressions and type_ != "USERDEFINED") or not type_:
            raise UntranslatableError(type_)
        return inner

    def _logic(self, node: Node) -> _Part:
        left, right = map(self.condition, _parts(node, "this", "expression"))
        return _Part(f"{left.sql} {_LOGIC[_sort(node)]} {right.sql}", Kind.BOOLEAN)

    def _not(self, node: Node) -> _Part:
        [this] = _parts(node, "this")
        negated: dict[str, Callable[..., _Part]] = {
            "Is": self._is, "In": self._in, "Between": self._between, "Like": self._like
        }  # fmt: skip
        if _sort(this) in negated:
            return negated[_sort(this)](this, negated=True)
        return _Part(f"NOT {self.condition(this).sql}", Kind.BOOLEAN)

    def _comparison(self, node: Node) -> _Part:
        this, other = _parts(node, "this", "expression")
        operator = _COMPARISONS[_sort(node)]
        listed = _array(other, {"=": "ANY", "<>": "ALL"}.get(operator, ""))
        if listed is not None:
            return self._listed(self._operand(this), listed, negated=operator == "<>")
        left, right = self._matched(self._operand(this), self._operand(other), ordered=operator not in ("=", "<>"))
        return _Part(f"{left.sql} {operator} {right.sql}", Kind.BOOLEAN)

    def _same(self, node: Node, *, negated: bool = False) -> _Part:
        """A comparison in which NULL is a value."""
        this, other = _parts(node, "this", "expression")
        if _sort(other) == "Null":
            return _Part(f"{self._operand(this).sql} IS {'NOT ' * negated}NULL", Kind.BOOLEAN)
        left, right = self._matched(self._operand(this), self._operand(other))
        sql = f"{left.sql} {self._target.null_safe_equal} {right.sql}"
        return _Part(f"NOT ({sql})" if negated else sql, Kind.BOOLEAN)

    def _is(self, node: Node, *, negated: bool = False) -> _Part:
        this, other = _parts(node, "this", "expression")
        if _sort(other) != "Boolean":
            return self._same(node, negated=negated)
        found = self._operand(this)
        if found.kind is not Kind.BOOLEAN:
            raise UntranslatableError(found.sql)
        return _Part(f"{found.sql} IS {'NOT ' * negated}{self.part(other).sql}", Kind.BOOLEAN)

    def _in(self, node: Node, *, negated: bool = False) -> _Part:
        this, listed = _parts(node, "this", "expressions")
        if not listed:
            raise UntranslatableError("IN")
        return self._listed(self._operand(this), listed, negated=negated)

    def _listed(self, this: _Part, listed: Sequence[Node], *, negated: bool) -> _Part:
        pairs = [self._matched(this, self._operand(one)) for one in listed]
        inside = ", ".join(other.sql for _, other in pairs)
        return _Part(f"{pairs[0][0].sql} {'NOT ' * negated}IN ({inside})", Kind.BOOLEAN)

    def _between(self, node: Node, *, negated: bool = False) -> _Part:
        this, *ends = map(self._operand, _parts(node, "this", "low", "high"))
        low, high = (self._matched(this, end, ordered=True)[1] for end in ends)
        return _Part(f"{this.sql} {'NOT ' * negated}BETWEEN {low.sql} AND {high.sql}", Kind.BOOLEAN)

    def _like(self, node: Node, *, negated: bool = False) -> _Part:
        this, pattern = map(self._operand, _parts(node, "this", "expression", "negate")[:2])
        if self._source.like_folds != self._target.like_folds_in_copy or this.kind is not Kind.TEXT:
            raise UntranslatableError("LIKE")  # the copy might refuse rows that the source takes
        if pattern.text is None or "\\" in pattern.text:
            raise UntranslatableError("LIKE")
        negated = negated != bool(node.args.get("negate"))
        return _Part(f"{this.sql} {'NOT ' * negated}LIKE {pattern.sql}", Kind.BOOLEAN)

    def _arithmetic(self, node: Node) -> _Part:
        left, right = map(self._number, _parts(node, "this", "expression"))
        kinds = {Kind.INTEGER if part.kind is Kind.BOOLEAN else part.kind for part in (left, right)}
        kind = next((one for one in (Kind.FLOAT, Kind.NUMERIC) if one in kinds), Kind.INTEGER)
        if kind is Kind.NUMERIC and self._source.exact_digits != self._target.exact_digits:
            raise UntranslatableError(left.sql)  # one of them rounds
        if _sort(node) == "Mod" and (kind is not Kind.INTEGER or not (right.number or "").strip("-0")):
            raise UntranslatableError("%")  # by zero it is an error, or NULL
        return _Part(f"{left.sql} {_ARITHMETIC[_sort(node)]} {right.sql}", kind)

    def _of_text(self, node: Node) -> _Part:
        [this, position] = _parts(node, "this", "position")
        inner = self._operand(this)
        if inner.kind not in _TEXTS or (position or "BOTH") != "BOTH":
            raise UntranslatableError(_sort(node))
        if inner.kind is Kind.ENUM and self._target.has_enum_types:
            raise UntranslatableError(_sort(node))
        return _Part(f"{_OF_TEXTS[_sort(node)]}({inner.sql})", Kind.TEXT)

    def _absolute(self, node: Node) -> _Part:
        inner = self._number(_parts(node, "this")[0])
        return _Part(f"abs({inner.sql})", inner.kind)

    def _coalesce(self, node: Node) -> _Part:
        this, others = _parts(node, "this", "expressions")
        first = self._operand(this)
        pairs = [self._matched(first, self._operand(one)) for one in others]
        inside = ", ".join([pairs[0][0].sql, *(other.sql for _, other in pairs)])
        return _Part(f"coalesce({inside})", first.kind)

    def _nullif(self, node: Node) -> _Part:
        left, right = self._matched(*map(self._operand, _parts(node, "this", "expression")))
        return _Part(f"nullif({left.sql}, {right.sql})", left.kind)

    def _length(self, node: Node) -> _Part:
        this, binary = _parts(node, "this", "binary")
        return self._counted(this, in_bytes=bool(binary))

    def _bytes(self, node: Node) -> _Part:
        return self._counted(_parts(node, "this")[0], in_bytes=True)

    def _named(self, node: Node) -> _Part:
        name, arguments = _parts(node, "this", "expressions")
        if name.lower() != "octet_length" or len(arguments) != 1:
            raise UntranslatableError(name)
        return self._counted(arguments[0], in_bytes=True)

    def _counted(self, node: Node, *, in_bytes: bool) -> _Part:
        """How long a text is; of bytes, every database counts them."""
        inner = self._operand(node)
        if inner.kind not in (Kind.TEXT, Kind.BYTES):
            raise UntranslatableError(inner.sql)
        function = self._target.char_length
        if in_bytes or inner.kind is Kind.BYTES:
            function = self._target.octet_length or ("length" if inner.kind is Kind.BYTES else "")
        if not function:
            raise UntranslatableError("octet_length")
        return _Part(f"{function}({inner.sql})", Kind.INTEGER)

    def _matched(self, left: _Part, right: _Part, *, ordered: bool = False) -> tuple[_Part, _Part]:
        """Two parts, which the databases compare alike, by equality or also by their order."""
        if left.kind is None or right.kind is None:
            return left, right
        if Kind.BOOLEAN in (left.kind, right.kind) and self._typed:
            left, right = self._as_truth(left), self._as_truth(right)
            fits = left.kind is right.kind and not ordered
        elif (left.text is None) != (right.text is None):
            literal, other = (left, right) if left.text is not None else (right, left)
            fits = self._takes(other, literal.text or "", ordered=ordered)
        else:
            fits = self._alike(left, right, ordered=ordered)
        if not fits:
            raise UntranslatableError(f"{left.sql}, {right.sql}")
        return left, right

    def _as_truth(self, part: _Part) -> _Part:
        """The numbers that a boolean is compared with as what they mean."""
        return self._truth(part.number == "1") if part.number in ("0", "1") and self._target.has_booleans else part

    def _takes(self, part: _Part, text: str, *, ordered: bool) -> bool:
        """Whether a part is compared with a literal in quotes as with what it says."""
        if part.kind in _TEXTS:
            return not ordered or text == ""  # texts have another order in each collation
        if part.kind in _NUMBERS:
            return part.column and _SIGNED.fullmatch(text) is not None
        if part.kind not in _LITERALS or not _LITERALS[part.kind].fullmatch(text):
            return False
        # Where moments are texts, 10:00:00 and 10:00:00.000 are not the same.
        return part.kind is Kind.DATE or (self._source.binds_values and self._target.binds_values)

    def _alike(self, left: _Part, right: _Part, *, ordered: bool) -> bool:
        numbers = _NUMBERS if self._typed else _NUMBERS | {Kind.BOOLEAN}
        if left.kind in numbers and right.kind in numbers:
            return True
        if left.kind is right.kind:
            return left.kind in _MOMENTS or (left.kind in (*_TEXTS, Kind.UUID) and not ordered)
        return not ordered and {left.kind, right.kind} <= _TEXTS and not self._target.has_enum_types


def _array(node: Node, quantifier: str) -> Sequence[Node] | None:
    """The elements of `ANY (ARRAY[...])`, as PostgreSQL keeps an IN, or of `ALL (ARRAY[...])`; None for all else."""
    if _sort(node).upper() == quantifier:
        [inner] = _parts(node, "this")
    elif _sort(node) == "Anonymous" and node.name.upper() == quantifier and len(node.expressions) == 1:
        [inner] = node.expressions
    else:
        return None
    while _sort(inner) in ("Paren", "Cast"):
        if _sort(inner) == "Cast" and getattr(inner.args["to"].this, "name", "") != "ARRAY":
            raise UntranslatableError(quantifier)
        inner = inner.this
    if _sort(inner) != "Array" or not inner.expressions:
        raise UntranslatableError(quantifier)
    return list(inner.expressions)
