"""Masks of values that have a form of their own: dates, numbers, addresses, documents, what a project makes itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from importlib import import_module
from math import inf
from typing import Any

from framefox_tasks.copies.mask.contract import ColumnMask, Function, MaskKind
from framefox_tasks.copies.mask.secret import Secret
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.errors import CopyError

_FEW = 1000.0
"""Values of masks that are not meant to tell rows apart: a key refuses them."""
_STREETS = (
    *("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Lake", "Linden", "Maple", "Meadow", "Mill", "Oak"),
    *("Park", "Pine", "River", "Rose", "Spring", "Willow"),
)
_TOWNS = (
    *("Ashford", "Brookfield", "Clearwater", "Fairview", "Greenhill"),
    *("Lakeside", "Millbrook", "Oakdale", "Riverton", "Springfield"),
)
_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
_YEAR = 365
_DIGITS = 32  # of a UUID
_PLAIN_UUID = re.compile(rb"[0-9a-f]{32}")


def _number(secret: Secret, text: bytes) -> int:
    return int.from_bytes(secret.digest(text)[:8], "big")


class DateMask(MaskKind):
    """Another day: all are moved by as many days, which nobody knows."""

    summary = "another day, all moved by as many days, which the secret tells"
    kinds = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
    shortest = 0
    value_text = None

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """No two days become one."""
        return inf

    def function(self, _: ColumnMask, secret: Secret, /) -> Function:
        """The time of the day stays; what is no day of the calendar becomes the first one."""
        days = _number(secret, b"days of dates") % (2 * _YEAR) - _YEAR or _YEAR

        def moved(text: bytes) -> bytes:
            with suppress(ValueError, OverflowError):
                if _DAY.match(text):
                    day = date.fromisoformat(text[:10].decode()) + timedelta(days)
                    return day.isoformat().encode() + text[10:]
            return b"0001-01-01" + (b" 00:00:00" if b":" in text else b"")

        return moved


class NumberMask(MaskKind):
    """A number near the one that there was, with its sign."""

    summary = "a number within VALUE percent of what it was, with its sign"
    kinds = (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT)
    shortest = 0

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        """A whole number from 1 to 100."""

        def percent(_: Field, value: str) -> str:
            if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= 100):
                raise ValueError("a number of percent from 1 to 100")
            return value

        return percent

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """Two may become the same."""
        return _FEW

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """One value becomes the same everywhere; with as many digits behind the point, and none more before it."""
        percent = int(column.value)

        def near(text: bytes) -> bytes:
            try:
                value = Decimal(text.decode())
            except InvalidOperation:
                return b"0"
            if not value.is_finite() or not value:
                return b"0"
            with localcontext(prec=400):
                share = Decimal(_number(secret, text) % 2_000_001 - 1_000_000) / 1_000_000 * percent / 100
                # What would have one digit more may not fit: it goes the other way.
                share = -abs(share) if column.holds is Kind.INTEGER else share  # its type may end just above
                found = value * (1 + share)
                if found.adjusted() > value.adjusted():
                    found = value * (1 - share)
                exponent: Any = value.as_tuple().exponent
                return format(found.quantize(Decimal(1).scaleb(min(exponent, 0))), "f").encode()

        return near


class UuidMask(MaskKind):
    """Another UUID: without hyphens where the value has none, or there is no room for them."""

    summary = "another UUID"
    kinds = (Kind.UUID, Kind.TEXT)
    shortest = _DIGITS
    value_text = None

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """As many as there are of version 4."""
        return 2.0**122

    def function(self, mask: ColumnMask, secret: Secret, /) -> Function:
        """Of version 4, by the digest of its digits: in whichever spelling, one UUID becomes one other."""
        is_short = mask.length is not None and mask.length < _DIGITS + 4

        def other(text: bytes) -> bytes:
            lower = text.lower()
            is_plain = _PLAIN_UUID.fullmatch(lower) is not None
            digits = secret.digest(_hyphenated(lower) if is_plain else lower).hex()
            variant = "89ab"[int(digits[16], 16) & 3]
            found = f"{digits[:12]}4{digits[13:16]}{variant}{digits[17:32]}".encode()
            return found if is_plain or is_short else _hyphenated(found)

        return other


def _hyphenated(digits: bytes) -> bytes:
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class AddressMask(MaskKind):
    """A street, a number and a town that are nobody's."""

    summary = "a made-up street, house number, postal code and town"
    kinds = (Kind.TEXT,)
    shortest = 1
    value_text = None

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """Too few for a key."""
        return _FEW

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """Cut where there is no room for all of it."""

        def address(text: bytes) -> bytes:
            number = _number(secret, text)
            street, town = _STREETS[number % len(_STREETS)], _TOWNS[number // 7 % len(_TOWNS)]
            whole = f"{number // 97 % 200 + 1} {street} Street, 0000{number // 31 % 10} {town}"
            return whole[: column.length].encode()

        return address


class IbanMask(MaskKind):
    """A number of an account at a bank that is not there, whose check digits are right."""

    summary = "an IBAN with right check digits, of a bank that is not there"
    kinds = (Kind.TEXT,)
    shortest = 22
    value_text = None

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """As many as there are accounts."""
        return 10.0**10

    def function(self, _: ColumnMask, secret: Secret, /) -> Function:
        """The account is of the digest."""

        def iban(text: bytes) -> bytes:
            account = f"00000000{int.from_bytes(secret.digest(text)[:8], 'big') % 10**10:010d}"
            check = 98 - int(f"{account}131400") % 97  # D and E are 13 and 14
            return f"DE{check:02d}{account}".encode()

        return iban


class PatternMask(MaskKind):
    """A text of a pattern."""

    summary = "a text of the pattern VALUE: A is a capital letter, a a small one, 9 a digit, any other itself"
    kinds = (Kind.TEXT,)
    shortest = 0

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        """What the column has room for."""

        def pattern(field: Field, value: str) -> str:
            if not set(value) & set("Aa9"):
                raise ValueError("a pattern with A, a or 9 in it")
            if field.length is not None and len(value) > field.length:
                raise ValueError(f"nothing longer than {field.length}")
            return value

        return pattern

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """Two may become the same."""
        return _FEW

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """Each character is of the digest."""
        sets = {"A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz", "9": "0123456789"}

        def text_of(text: bytes) -> bytes:
            number = int.from_bytes(secret.digest(text), "big")
            found = []
            for one in column.value:
                letters = sets.get(one, one)
                found.append(letters[number % len(letters)])
                number = number // len(letters) or int.from_bytes(secret.digest(text + b"%d" % len(found)), "big")
            return "".join(found).encode()

        return text_of


class PythonMask(MaskKind):
    """What a function of the project makes."""

    summary = "what the function VALUE of the project makes of it, as package.module:function: a text of a text"
    kinds = tuple(kind for kind in Kind if kind is not Kind.NATIVE)
    shortest = 0

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        """A function that can be imported."""

        def name(_: Field, value: str) -> str:
            _imported(value)
            return value

        return name

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """That is the function's to know."""
        return inf

    def function(self, column: ColumnMask, _: Secret, /) -> Function:
        """It gets the text that the value travels as, and gives another."""
        call = _imported(column.value)

        def made(text: bytes) -> bytes:
            found = call(text.decode())
            if not isinstance(found, str):
                raise CopyError(
                    f"{column.value} gave {type(found).__name__} for {column.column}, and a mask gives a text.",
                    hint="Let it return a str.",
                )
            return found.encode()

        return made


def _imported(name: str) -> Callable[[str], Any]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        found = None
    if not callable(found):
        raise ValueError("a function as package.module:function")
    return found  # type: ignore[no-any-return]  # whatever it is, it can be called
