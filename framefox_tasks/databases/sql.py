"""SQL expressions of one database in the words of another: what a check, a condition or an index is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind

_KEYWORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "LIKE", "TRUE", "FALSE"}
_OPERATORS = {"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "(", ")", ","}
_WORDS = {"~~": ["LIKE"], "!~~": ["NOT", "LIKE"]}
_FUNCTIONS = {"lower", "upper", "abs", "coalesce", "nullif", "trim"}
_TYPES = (
    r"(?:character varying|timestamp with(?:out)? time zone|double precision|bit varying|time without time zone"
    r"|\"[^\"]+\"|[a-z_][\w.]*)(?:\(\d+(?:,\d+)?\))?(?:\[\])*"
)
_WORD = (
    r"|(?P<ticked>`(?:[^`]|``)*`)"
    r'|(?P<double>"(?:[^"]|"")*")'
    rf"|(?P<cast>::\s*{_TYPES})|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[^\W\d]\w*)"
    r"|(?P<operator><=>|<>|!=|==|<=|>=|!?~~|[=<>+\-*(),\[\]]))"
)
_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')" + _WORD, re.IGNORECASE)
_ESCAPED_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^'\\]|''|\\.)*')" + _WORD, re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A word of SQL: `string` and `name` hold what is meant, not how it was quoted."""

    sort: str
    text: str


class UntranslatableError(Exception):
    """An expression holds what may mean something else elsewhere, or nothing."""


class Translator:
    """From the SQL of one database to that of another."""

    def __init__(self, source: Dialect, target: Dialect) -> None:
        self._source = source
        self._target = target

    def expression(self, sql: str, columns: Mapping[str, str], kinds: Mapping[str, Kind]) -> str | None:
        """The expression in the target's SQL; None where it may mean something else.

        Args:
            sql: SQL of the source.
            columns: The columns that it may name, with their names in the target.
            kinds: What they hold: not every target compares booleans with numbers, and a cast may change a value.
        """
        try:
            tokens = _listed(_uncast(tokenized(sql, self._source, columns), kinds))
            _check_comparisons(tokens)
            if self._target.has_booleans:
                tokens = _truths(tokens, {name for name, kind in kinds.items() if kind is Kind.BOOLEAN})
            return self._joined([self._written(tokens, place, columns) for place in range(len(tokens))])
        except UntranslatableError:
            return None

    def _written(self, tokens: list[Token], place: int, columns: Mapping[str, str]) -> str:
        token = tokens[place]
        if token.sort == "string":
            return self._target.literal(token.text)
        if token.sort == "name":
            return self._target.quoted(columns[token.text])
        if token.sort != "word":
            return token.text
        word = token.text.upper()
        if word == "LIKE" and self._source.like_folds != self._target.like_folds_in_copy:
            # The copy might refuse rows that the source takes.
            raise UntranslatableError(token.text)
        if word in _KEYWORDS:
            return word if self._target.has_truth_words else {"TRUE": "1", "FALSE": "0"}.get(word, word)
        if place + 1 < len(tokens) and tokens[place + 1].text == "(":
            return self._function(token.text.lower())
        raise UntranslatableError(token.text)

    def _function(self, name: str) -> str:
        if name in _FUNCTIONS:
            return name
        if name in ("char_length", "character_length") or (name == "length" and not self._source.length_counts_bytes):
            return self._target.char_length
        if name in ("octet_length", "length") and self._target.octet_length:
            return self._target.octet_length
        raise UntranslatableError(name)

    def _joined(self, words: list[str]) -> str:
        text = " ".join(words).replace("( ", "(").replace(" )", ")").replace(" ,", ",")
        text = re.sub(r"(\b(?:lower|upper|abs|coalesce|nullif|trim|\w*length)) \(", r"\1(", text)
        return text[1:-1] if closes_last(text) else text


def tokenized(sql: str, source: Dialect, columns: Mapping[str, str]) -> list[Token]:
    """The words of an expression.

    Raises:
        UntranslatableError: It has others than these.
    """
    tokens: list[Token] = []
    place, text = 0, source.plain_sql(sql)
    folded: dict[str, str] = {column.casefold(): column for column in columns}
    pattern = _ESCAPED_TOKEN if source.backslash_escapes else _TOKEN
    while place < len(text):
        match = pattern.match(text, place)
        if match is None or match.end() == place:
            raise UntranslatableError(text[place:])
        place = match.end()
        tokens += _token(match, source, columns, folded)
    return tokens


def _token(match: re.Match[str], source: Dialect, columns: Mapping[str, str], folded: Mapping[str, str]) -> list[Token]:
    sort, text = str(match.lastgroup), str(match[str(match.lastgroup)])
    if sort == "cast":
        return [Token("cast", text.lstrip(":").strip().lower())]
    if sort == "string":
        return [Token("string", _unquoted(text, source))]
    if sort in ("ticked", "double"):
        name = text[1:-1].replace(text[0] * 2, text[0])
        if name in columns or name.casefold() in folded:
            return [Token("name", name if name in columns else folded[name.casefold()])]
        if sort == "double" and source.double_quoted_text:
            return [Token("string", name)]
        raise UntranslatableError(text)
    if sort == "word":
        column = text if text in columns else folded.get(text.casefold())
        known = text.upper() in _KEYWORDS
        return [Token("name", column)] if column and not known else [Token("word", text)]
    if text == "==":
        return [Token("operator", "=")]
    return [Token("word", word) for word in _WORDS[text]] if text in _WORDS else [Token(sort, text)]


def _unquoted(text: str, source: Dialect) -> str:
    inner = text[1:-1].replace("''", "'")
    return re.sub(r"\\(.)", r"\1", inner) if source.backslash_escapes else inner


_TEXTS = {"text", "character varying", "varchar", "bpchar", "character"}
_EXACT = {"numeric", "decimal"}
_INTEGERS = {"smallint": 2, "integer": 4, "int": 4, "bigint": 8}


def _uncast(tokens: list[Token], kinds: Mapping[str, Kind]) -> list[Token]:
    """Without the casts that change no value.

    Raises:
        UntranslatableError: One may: it rounds, cuts, or compares as something else.
    """
    found: list[Token] = []
    for token in tokens:
        if token.sort != "cast":
            found.append(token)
        elif not _is_same(_operand(found), token.text, kinds):
            raise UntranslatableError(token.text)
    return found


def _operand(tokens: list[Token]) -> list[Token]:
    """What a cast that follows is of: one word, or what is in the parentheses before it."""
    depth = 0
    for place in range(len(tokens) - 1, -1, -1):
        text = tokens[place].text if tokens[place].sort == "operator" else ""
        depth += (text in (")", "]")) - (text in ("(", "["))
        if depth == 0:
            inside = [token for token in tokens[place:] if token.sort != "operator" or token.text not in "()"]
            is_call = text == "(" and place > 0 and tokens[place - 1].sort == "word"
            return [tokens[place - 1], *inside] if is_call else inside
    return []


def _is_same(operand: list[Token], type_: str, kinds: Mapping[str, Kind]) -> bool:
    """Whether a cast gives what it is given."""
    if len(operand) == 1 and operand[0].sort == "string":
        return not type_.startswith("interval")  # which is a text elsewhere, and sorts in another way
    if any(token.text.upper() == "ARRAY" for token in operand):
        return type_.endswith("[]")
    held = {kinds.get(token.text, Kind.OTHER) for token in operand if token.sort == "name"}
    if type_ in _TEXTS:
        is_text = len(operand) > 1 and operand[0].text.lower() in ("lower", "upper", "trim")
        return (held <= {Kind.TEXT, Kind.ENUM} and bool(held)) or is_text
    numbers = held <= {Kind.INTEGER, Kind.NUMERIC} and not any(token.sort == "string" for token in operand)
    if type_ in _EXACT:
        return numbers
    whole = numbers and held <= {Kind.INTEGER} and all("." not in token.text for token in operand)
    return whole and type_ == "bigint" if type_ in _INTEGERS and held else whole and type_ in _INTEGERS


def _check_comparisons(tokens: list[Token]) -> None:
    """See that IS compares with nothing but NULL and truths: only one database has it for any value."""
    words = [token.text.upper() if token.sort in ("word", "operator") else "" for token in tokens]
    if "<=>" in words:
        raise UntranslatableError("<=>")
    for place, word in enumerate(words):
        following = [*words[place + 1 :], "", ""]
        if word == "IS" and (following[1] if following[0] == "NOT" else following[0]) not in ("NULL", "TRUE", "FALSE"):
            raise UntranslatableError("IS")


def _truths(tokens: list[Token], booleans: Collection[str]) -> list[Token]:
    """Write the numbers that a boolean is compared with as what they mean."""
    found: list[Token] = []
    for token in tokens:
        before = found[-2:]
        compared = len(before) == 2 and before[1].text in ("=", "<>", "!=") and before[0].sort == "name"
        if compared and before[0].text in booleans and token.text in ("0", "1"):
            found.append(Token("word", "TRUE" if token.text == "1" else "FALSE"))
        else:
            found.append(token)
    return found


def _listed(tokens: list[Token]) -> list[Token]:
    """Write `= ANY (ARRAY[...])`, as PostgreSQL keeps an IN, as one."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        length, words = _array(tokens[place:])
        found += words or [tokens[place]]
        place += length or 1
    if any(token.text in "[]" for token in found if token.sort == "operator"):
        raise UntranslatableError("[")
    return found


def _array(tokens: list[Token]) -> tuple[int, list[Token]]:
    head = [token.text.upper() for token in tokens[:6] if token.sort in ("word", "operator")]
    for operator, quantifier, words in (("=", "ANY", ["IN"]), ("<>", "ALL", ["NOT", "IN"])):
        for opening in (["("], ["(", "("]):
            start = [operator, quantifier, *opening, "ARRAY", "["]
            if head[: len(start)] != start:
                continue
            end = next(place for place, token in enumerate(tokens) if token == Token("operator", "]"))
            inside = tokens[len(start) : end]
            listed = [*(Token("word", word) for word in words), Token("operator", "("), *inside, Token("operator", ")")]
            return end + 1 + len(opening), listed
    return 0, []


def closes_last(sql: str) -> bool:
    """Whether one pair of parentheses is around the whole."""
    depth = 0
    for place, character in enumerate(sql):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place > 0 and place == len(sql) - 1
    return False


def pieces(sql: str, find: Callable[[str], bool] = ",".__eq__) -> list[str]:
    """The items of a list, split at commas outside of parentheses and quotes."""
    found, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(sql):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0 and find(character):
            found.append(sql[start:place].strip())
            start = place + 1
    return [*found, sql[start:].strip()]
