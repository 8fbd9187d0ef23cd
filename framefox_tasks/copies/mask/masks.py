"""The masks. Another one is a class and a line in MASKS: nothing else knows them by their names."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from re import compile as pattern

from framefox_tasks.copies.mask.contract import ColumnMask, Function, MaskKind
from framefox_tasks.copies.mask.documents import JsonMask
from framefox_tasks.copies.mask.fixed import fixed_text
from framefox_tasks.copies.mask.secret import Secret
from framefox_tasks.copies.mask.values import (
    AddressMask,
    DateMask,
    IbanMask,
    NumberMask,
    PatternMask,
    PythonMask,
    UuidMask,
)
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Mask

_FIRST = """
    Ada Adrian Agnes Alan Alba Amir Ana Anton Aoife Arthur Astrid Beatriz Ben Bianca Bruno Carla Cecilia Chen Clara
    Daniel Daria David Diego Dora Edith Elena Elias Emil Emma Erik Esther Eva Farah Felix Fiona Frida Gabriel Gina
    Greta Hana Hans Helen Hugo Ida Ines Ingrid Iris Ivan Jana Jonas Jorge Julia Kai Karim Karin Kenji Lars Laura
    Lena Leo Lina Lucas Luz Maria Marta Max Mei Mia Miguel Milan Mina Nadia Nils Nina Noah Nora Olga Omar Oscar
    Paula Petra Quentin Rafael Rania Rosa Ruth Samir Sara Selma Simon Sofia Stefan Tara Theo Tomas Uma Vera Victor
    Wanda Yara Yusuf
""".split()  # noqa: SIM905 - one name a line would be long
_LAST = """
    Abel Adams Ahmed Almeida Anders Arnold Baker Bauer Becker Berg Bianchi Blanc Bosch Brandt Brown Campos Carter
    Castro Clark Costa Cruz Dahl Dietrich Dubois Duran Eklund Evans Falk Farkas Ferrari Fischer Fontaine Foster
    Fuchs Garcia Gomez Graf Gray Hall Hansen Harris Hoffman Horvat Ibrahim Ito Jansen Johnson Kaplan Keller Khan Kim
    Klein Koch Kovacs Kraus Lang Larsen Lee Lindberg Lopez Ludwig Marino Martin Mendes Meyer Moreau Moreno Mueller
    Nagy Nakamura Nielsen Novak Ortiz Park Perez Petrov Quinn Ramos Reyes Ricci Rossi Roth Santos Sato Schmidt Silva
    Singh Stone Suzuki Tanaka Torres Vargas Vogel Wagner Walker Weber Wolf Yilmaz Young Zhang Ziegler
""".split()  # noqa: SIM905 - one name a line would be long
_AREAS = """
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252
    253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320
    321 323 325 330 331 334 336 337 339 346 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412 413
    414 415 417 419 423 424 425 430 432 434 435 440 443 458 469 470 475 478 479 480 484
""".split()  # noqa: SIM905 - one name a line would be long
"""Area codes of North America. In each the numbers 555-0100 to 555-0199 are kept for fiction."""
_COUNTRY = b"+999"
"""A country code that is kept free, so that no number behind it is anyone's. There are too few fictional numbers of
North America to tell the rows of a table apart."""
_DIGIT = pattern(rb"[0-9]")
_ONE = ord("1")


def _digits(most: int, length: int | None, rest: int = 0) -> int:
    """How many digits there is room for beside the rest of a value."""
    return most if length is None else min(most, length - rest)


class EmailMask(MaskKind):
    """An address of a domain that is nobody's."""

    summary = "an address at `example.com`"
    kinds = (Kind.TEXT,)
    shortest = len("user_0123@example.com")
    value_text = None

    def _digits(self, length: int | None) -> int:
        return _digits(20, length, len("user_@example.com"))

    def distinct(self, _: Kind, length: int | None, /) -> float:
        """As many as its hexadecimal digits tell apart."""
        return 16.0 ** self._digits(length)

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """An address whose digits are of the digest."""
        digits, digest = self._digits(column.length), secret.digest
        return lambda text: b"user_%s@example.com" % digest(text).hex().encode()[:digits]


class NameMask(MaskKind):
    """A first and a last name; digits behind them where values must stay apart."""

    summary = "a made-up first and last name, with digits behind it in a unique column"
    kinds = (Kind.TEXT,)
    shortest = 1
    value_text = None

    def _digits(self, length: int | None) -> int:
        return _digits(16, length, 2)

    def distinct(self, _: Kind, length: int | None, /) -> float:
        """As many as its hexadecimal digits tell apart."""
        return 16.0 ** self._digits(length)

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """A name that the digest chooses."""
        length, digest = column.length, secret.digest
        digits = self._digits(length) if column.unique else 0
        room = None if length is None else length - digits - bool(digits)

        def name(text: bytes) -> bytes:
            found = digest(text)
            first = _FIRST[int.from_bytes(found[:4], "big") % len(_FIRST)]
            whole = f"{first} {_LAST[int.from_bytes(found[4:8], 'big') % len(_LAST)]}"
            if room is not None and len(whole) > room:
                whole = first[:room]
            return (f"{whole} {found[8:].hex()[:digits]}" if digits else whole).encode()

        return name


class PhoneMask(MaskKind):
    """A number that is kept for fiction; one of no country where values must stay apart."""

    summary = "a number that is kept for fiction, in the shape that it had; one of no country in a unique column"
    kinds = (Kind.TEXT,)
    shortest = len("5550123")
    value_text = None

    def _digits(self, length: int | None) -> int:
        return _digits(16, length, len(_COUNTRY))

    def distinct(self, _: Kind, length: int | None, /) -> float:
        """As many as its decimal digits tell apart."""
        return 10.0 ** self._digits(length)

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """A number whose digits are of the digest."""
        length, digest = column.length, secret.digest
        if column.unique:
            digits = self._digits(length)
            return lambda text: _COUNTRY + b"%0*d" % (digits, int.from_bytes(digest(text), "big") % 10**digits)

        def phone(text: bytes) -> bytes:
            found = int.from_bytes(digest(text)[:8], "big")
            number = b"1%s55501%02d" % (_AREAS[found // 100 % len(_AREAS)].encode(), found % 100)
            between = _DIGIT.split(text)
            old = len(between) - 1
            american = old == 10 or (old == 11 and text[len(between[0])] == _ONE)
            if american and (length is None or len(text) <= length):
                number = number[-old:]
                return b"".join([part + number[index : index + 1] for index, part in enumerate(between)])
            whole = b"+" + number
            return whole if length is None else whole[-length:]

        return phone


class HashMask(MaskKind):
    """The digest itself, in the form of the column's values."""

    summary = "a digest; of a whole number another one, of a UUID another UUID"
    kinds = (Kind.TEXT, Kind.INTEGER, Kind.UUID, Kind.BYTES)
    shortest = 1
    value_text = None

    def distinct(self, holds: Kind, length: int | None, /) -> float:
        """As many as its digits or bytes tell apart; integers are permuted."""
        if holds is Kind.INTEGER:
            return inf
        if holds is Kind.UUID:
            return 2.0**122
        return (256.0 if holds is Kind.BYTES else 16.0) ** _digits(32, length)

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """A value of the column's kind."""
        length, digest, bits = column.length, secret.digest, column.bits
        if column.holds is Kind.INTEGER:
            number = secret.permutation.number
            return lambda text: b"%d" % number(int(text), bits)
        if column.holds is Kind.UUID:
            return lambda text: _uuid(digest(text.lower()).hex()).encode()
        if column.holds is Kind.BYTES:
            size = length if length is not None and column.padded else _digits(32, length)
            return lambda text: b"\\x" + (digest(text) * (size // 32 + 1))[:size].hex().encode()
        digits = _digits(32, length)
        return lambda text: digest(text).hex().encode()[:digits]


def _uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


class FixedMask(MaskKind):
    """The same value in every row that has one."""

    summary = "always VALUE, where there is a value; `{fixed: VALUE}` in the settings"
    kinds = tuple(Kind)
    shortest = 0

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        """Any value that the column takes."""
        return fixed_text

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """One."""
        return 1

    def function(self, column: ColumnMask, _: Secret, /) -> Function:
        """The value, whatever there was."""
        value = column.value.encode()
        return lambda _: value


class NullMask(MaskKind):
    """NULL in every row."""

    summary = "NULL"
    kinds = tuple(Kind)
    shortest = 0
    value_text = None

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """None at all."""
        return 0

    def function(self, _: ColumnMask, __: Secret, /) -> None:
        """No value is made."""


MASKS: dict[str, MaskKind] = {
    "email": EmailMask(),
    "name": NameMask(),
    "phone": PhoneMask(),
    "hash": HashMask(),
    "null": NullMask(),
    "fixed": FixedMask(),
    "date": DateMask(),
    "number": NumberMask(),
    "uuid": UuidMask(),
    "address": AddressMask(),
    "iban": IbanMask(),
    "pattern": PatternMask(),
    "json": JsonMask(),
    "python": PythonMask(),
}
"""The masks by the names that users write."""
KEEP = "keep"
"""What is written instead of a mask for a column that looks personal, and is to stay as it is."""


def usages() -> list[str]:
    """How each mask is written: `email`, or `fixed:VALUE`."""
    return [f"{name}:VALUE" if kind.value_text else name for name, kind in MASKS.items()]


def parse_mask(column: str, text: str, what: str) -> Mask:
    """The mask of a column, from one of the usages.

    Raises:
        ConfigError: It is something else, or the column is not written as table.column.
    """
    name, colon, value = text.partition(":")
    if "." not in column.strip("."):
        raise ConfigError(f"{what}: {column!r} names no column.", hint="Write table.column, as in user.email.")
    if text == KEEP:
        return Mask(column, KEEP)
    if name not in MASKS or bool(colon) != (MASKS[name].value_text is not None):
        raise ConfigError(f"{what}: unknown mask {text!r}.", hint=f"Known are {', '.join(usages())}.")
    return Mask(column, name, value)
