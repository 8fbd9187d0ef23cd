"""The writer of an expression in the SQL of another database, from an allowlist of what it may consist of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.sql.comparability import NUMBERS, TEXTS, Comparability, Part
from framefox_tasks.databases.sql.tree import Node, UntranslatableError, array_of, parts_of, sort_of

if TYPE_CHECKING:
    from framefox_tasks.databases.dialect import Dialect

_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_COMPARISONS = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Mod": "%"}
_LOGIC = {"And": "AND", "Or": "OR"}
_PREDICATES = {*_COMPARISONS, *_LOGIC, "NullSafeEQ", "NullSafeNEQ", "Is", "In", "Between", "Like", "Not"}
_OFTEXTS = {"Lower": "lower", "Upper": "upper", "Trim": "trim"}
_CHARACTERS, _INTEGERS = {"TEXT", "VARCHAR", "BPCHAR", "CHAR"}, {"SMALLINT", "INT", "BIGINT"}


class ExpressionWriter:
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
        self._comparability = Comparability(source, target)
        self._writers: dict[str, Callable[[Node], Part]] = {
            "Paren": self._paren,
            "Column": self._column,
            "Literal": self._literal,
            "ByteString": lambda node: self._text(node.this),  # PostgreSQL's texts with escapes
            "Null": lambda _: Part("NULL", None),
            "Boolean": lambda node: self._comparability.truth(bool(node.this)),
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
            **dict.fromkeys(_COMPARISONS, self._compared),
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
            **dict.fromkeys(_LOGIC, self._logic),
            **dict.fromkeys(_OFTEXTS, self._of_text),
        }

    def part(self, node: Node) -> Part:
        """A part of the expression."""
        if sort_of(node) not in self._writers:
            raise UntranslatableError(sort_of(node))
        return self._writers[sort_of(node)](node)

    def condition(self, node: Node) -> Part:
        """A part that is true or false."""
        found = self.part(node)
        if found.kind in (Kind.BOOLEAN, None) or (found.kind in NUMBERS and not self._comparability.typed):
            return found
        raise UntranslatableError(found.sql)

    def _operand(self, node: Node) -> Part:
        """A part beside an operator; not every database gives two of those without parentheses the same order."""
        if sort_of(node) in _PREDICATES:
            raise UntranslatableError(sort_of(node))
        return self.part(node)

    def _number(self, node: Node) -> Part:
        found = self._operand(node)
        if found.text is None and found.kind in (NUMBERS if self._comparability.typed else NUMBERS | {Kind.BOOLEAN}):
            return found
        raise UntranslatableError(found.sql)

    def _paren(self, node: Node) -> Part:
        inner = self.part(parts_of(node, "this")[0])
        return replace(inner, sql=f"({inner.sql})")

    def _column(self, node: Node) -> Part:
        [identifier] = parts_of(node, "this")
        if sort_of(identifier) != "Identifier":
            raise UntranslatableError(sort_of(identifier))
        name = identifier.this if identifier.this in self._columns else self._folded.get(identifier.this.casefold())
        if name is not None:
            kind = self._kinds.get(name, Kind.OTHER)
            quoted = self._target.quoted(self._columns[name])
            return Part(self._target.exact(quoted) if self._exact and kind in TEXTS else quoted, kind, column=True)
        if self._source.double_quoted_text and identifier.args.get("quoted"):
            return self._text(identifier.this)
        raise UntranslatableError(identifier.this)

    def _text(self, text: str) -> Part:
        return Part(self._target.literal(text), Kind.TEXT, text=text)

    def _literal(self, node: Node) -> Part:
        if node.is_string:
            return self._text(node.this)
        if not _NUMBER.fullmatch(node.this):
            raise UntranslatableError(node.this)
        digits = len(node.this.replace(".", ""))
        if digits > min(self._source.exact_digits or digits, self._target.exact_digits or digits):
            raise UntranslatableError(node.this)
        return Part(node.this, Kind.INTEGER if node.this.isdigit() else Kind.NUMERIC, number=node.this)

    def _negative(self, node: Node) -> Part:
        [this] = parts_of(node, "this")
        if sort_of(this) not in ("Literal", "Column", "Paren", "Cast"):
            raise UntranslatableError(sort_of(this))
        inner = self._number(this)
        return Part(f"-{inner.sql}", inner.kind, number=f"-{inner.number}" if inner.number else None)

    def _cast(self, node: Node) -> Part:
        """A cast that gives what it is given."""
        this, to = parts_of(node, "this", "to", "_type")[:2]
        inner, type_ = self._operand(this), getattr(to.this, "name", "")
        if inner.text is not None:
            return self._cast_text(inner, type_, to)
        if to.expressions:
            raise UntranslatableError(type_)
        same = (
            (type_ in _CHARACTERS and inner.kind in TEXTS)
            or (type_ == "DECIMAL" and inner.kind in (Kind.INTEGER, Kind.NUMERIC))
            or (type_ == "BIGINT" and inner.kind is Kind.INTEGER)
            or (inner.number and type_ in _INTEGERS and inner.kind is Kind.INTEGER)
            or (inner.number and type_ == "DOUBLE")
        )
        if not same:
            raise UntranslatableError(type_)
        return replace(inner, kind=Kind.FLOAT) if type_ == "DOUBLE" else inner

    @staticmethod
    def _cast_text(inner: Part, type_: str, to: Node) -> Part:
        """A literal, which is compared as what it is compared with."""
        if type_ == "INTERVAL" or (to.expressions and type_ != "USERDEFINED") or not type_:
            raise UntranslatableError(type_)
        return inner

    def _logic(self, node: Node) -> Part:
        left, right = map(self.condition, parts_of(node, "this", "expression"))
        return Part(f"{left.sql} {_LOGIC[sort_of(node)]} {right.sql}", Kind.BOOLEAN)

    def _not(self, node: Node) -> Part:
        [this] = parts_of(node, "this")
        negated: dict[str, Callable[..., Part]] = {
            "Is": self._is, "In": self._in, "Between": self._between, "Like": self._like
        }  # fmt: skip
        if sort_of(this) in negated:
            return negated[sort_of(this)](this, negated=True)
        return Part(f"NOT {self.condition(this).sql}", Kind.BOOLEAN)

    def _compared(self, node: Node) -> Part:
        this, other = parts_of(node, "this", "expression")
        operator = _COMPARISONS[sort_of(node)]
        listed = array_of(other, {"=": "ANY", "<>": "ALL"}.get(operator, ""))
        if listed is not None:
            return self._listed(self._operand(this), listed, negated=operator == "<>")
        left, right = self._comparability.matched(
            self._operand(this), self._operand(other), ordered=operator not in ("=", "<>")
        )
        return Part(f"{left.sql} {operator} {right.sql}", Kind.BOOLEAN)

    def _same(self, node: Node, *, negated: bool = False) -> Part:
        """A comparison in which NULL is a value."""
        this, other = parts_of(node, "this", "expression")
        if sort_of(other) == "Null":
            return Part(f"{self._operand(this).sql} IS {'NOT ' * negated}NULL", Kind.BOOLEAN)
        left, right = self._comparability.matched(self._operand(this), self._operand(other))
        sql = f"{left.sql} {self._target.null_safe_equal} {right.sql}"
        return Part(f"NOT ({sql})" if negated else sql, Kind.BOOLEAN)

    def _is(self, node: Node, *, negated: bool = False) -> Part:
        this, other = parts_of(node, "this", "expression")
        if sort_of(other) != "Boolean":
            return self._same(node, negated=negated)
        found = self._operand(this)
        if found.kind is not Kind.BOOLEAN:
            raise UntranslatableError(found.sql)
        return Part(f"{found.sql} IS {'NOT ' * negated}{self.part(other).sql}", Kind.BOOLEAN)

    def _in(self, node: Node, *, negated: bool = False) -> Part:
        this, listed = parts_of(node, "this", "expressions")
        if not listed:
            raise UntranslatableError("IN")
        return self._listed(self._operand(this), listed, negated=negated)

    def _listed(self, this: Part, listed: Sequence[Node], *, negated: bool) -> Part:
        pairs = [self._comparability.matched(this, self._operand(one)) for one in listed]
        inside = ", ".join(other.sql for _, other in pairs)
        return Part(f"{pairs[0][0].sql} {'NOT ' * negated}IN ({inside})", Kind.BOOLEAN)

    def _between(self, node: Node, *, negated: bool = False) -> Part:
        this, *ends = map(self._operand, parts_of(node, "this", "low", "high"))
        low, high = (self._comparability.matched(this, end, ordered=True)[1] for end in ends)
        return Part(f"{this.sql} {'NOT ' * negated}BETWEEN {low.sql} AND {high.sql}", Kind.BOOLEAN)

    def _like(self, node: Node, *, negated: bool = False) -> Part:
        this, pattern = map(self._operand, parts_of(node, "this", "expression", "negate")[:2])
        if self._source.like_folds != self._target.like_folds_in_copy or this.kind is not Kind.TEXT:
            raise UntranslatableError("LIKE")  # the copy might refuse rows that the source takes
        if pattern.text is None or "\\" in pattern.text:
            raise UntranslatableError("LIKE")
        negated = negated != bool(node.args.get("negate"))
        return Part(f"{this.sql} {'NOT ' * negated}LIKE {pattern.sql}", Kind.BOOLEAN)

    def _arithmetic(self, node: Node) -> Part:
        left, right = map(self._number, parts_of(node, "this", "expression"))
        kinds = {Kind.INTEGER if part.kind is Kind.BOOLEAN else part.kind for part in (left, right)}
        kind = next((one for one in (Kind.FLOAT, Kind.NUMERIC) if one in kinds), Kind.INTEGER)
        if kind is Kind.NUMERIC and self._source.exact_digits != self._target.exact_digits:
            raise UntranslatableError(left.sql)  # one of them rounds
        if sort_of(node) == "Mod" and (kind is not Kind.INTEGER or not (right.number or "").strip("-0")):
            raise UntranslatableError("%")  # by zero it is an error, or NULL
        return Part(f"{left.sql} {_ARITHMETIC[sort_of(node)]} {right.sql}", kind)

    def _of_text(self, node: Node) -> Part:
        [this, position] = parts_of(node, "this", "position")
        inner = self._operand(this)
        if inner.kind not in TEXTS or (position or "BOTH") != "BOTH":
            raise UntranslatableError(sort_of(node))
        if inner.kind is Kind.ENUM and self._target.has_enum_types:
            raise UntranslatableError(sort_of(node))
        return Part(f"{_OFTEXTS[sort_of(node)]}({inner.sql})", Kind.TEXT)

    def _absolute(self, node: Node) -> Part:
        inner = self._number(parts_of(node, "this")[0])
        return Part(f"abs({inner.sql})", inner.kind)

    def _coalesce(self, node: Node) -> Part:
        this, others = parts_of(node, "this", "expressions")
        first = self._operand(this)
        pairs = [self._comparability.matched(first, self._operand(one)) for one in others]
        inside = ", ".join([pairs[0][0].sql, *(other.sql for _, other in pairs)])
        return Part(f"coalesce({inside})", first.kind)

    def _nullif(self, node: Node) -> Part:
        left, right = self._comparability.matched(*map(self._operand, parts_of(node, "this", "expression")))
        return Part(f"nullif({left.sql}, {right.sql})", left.kind)

    def _length(self, node: Node) -> Part:
        this, binary = parts_of(node, "this", "binary")
        return self._counted(this, in_bytes=bool(binary))

    def _bytes(self, node: Node) -> Part:
        return self._counted(parts_of(node, "this")[0], in_bytes=True)

    def _named(self, node: Node) -> Part:
        name, arguments = parts_of(node, "this", "expressions")
        if name.lower() != "octet_length" or len(arguments) != 1:
            raise UntranslatableError(name)
        return self._counted(arguments[0], in_bytes=True)

    def _counted(self, node: Node, *, in_bytes: bool) -> Part:
        """How long a text is; of bytes, every database counts them."""
        inner = self._operand(node)
        if inner.kind not in (Kind.TEXT, Kind.BYTES):
            raise UntranslatableError(inner.sql)
        function = self._target.char_length
        if in_bytes or inner.kind is Kind.BYTES:
            function = self._target.octet_length or ("length" if inner.kind is Kind.BYTES else "")
        if not function:
            raise UntranslatableError("octet_length")
        return Part(f"{function}({inner.sql})", Kind.INTEGER)
