"""What values become: the same digest for the same value, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256, shake_256
from re import compile as pattern
from secrets import token_bytes

from framefox_tasks.copies.mask.names import AREAS, FIRST, LAST
from framefox_tasks.databases.rows import Kind
from framefox_tasks.errors import ConfigError

HEX_DIGITS = 32
EMAIL_DIGITS = 20
NAME_DIGITS = 16
PHONE_DIGITS = 16
EMAIL_REST = len("user_@example.com")
PHONE_CODE = "+999"
"""A country code that is kept free, so that no number behind it is anyone's. There are too few fictional numbers of
North America to tell the rows of a table apart."""
LEVELS = (6, 7, 8, 14, 15, 16, 22, 23, 24, 30, 31, 32, 62, 63, 64)
"""Each type of integer ends at one of these numbers of bits. Half a type is a level too, so that what is masked does
not use up the numbers that the next rows need."""
_BLOCK = 64  # bytes of SHA-256
_ROUNDS = 6
_HALF = 16  # bits
_DIGIT = pattern(rb"[0-9]")
_ONE = ord("1")

Function = Callable[[bytes], bytes]


@dataclass(frozen=True)
class ColumnMask:
    """How a column is masked.

    Attributes:
        index: Where it stands among the fields.
        column: Its name in the source.
        kind: One of MASKS.
        holds: The kind of its values.
        length: The characters or bytes that there is room for, in it and in the columns that share its values.
        unique: Whether it, or one that shares its values, is part of a key.
        bits: The number of bits that the integers of these columns have at least; one of LEVELS.
        padded: Whether a database fills its values to their full length.
        fixed: The text of the value that stands for all.
    """

    index: int
    column: str
    kind: str
    holds: Kind
    length: int | None = None
    unique: bool = False
    bits: int = 30
    padded: bool = False
    fixed: str = ""


class Masker:
    """Makes masked values with a secret: the same from the same value, and nothing to be found out from them.

    Args:
        salt: The secret; None for one that nobody knows, so that another copy gives other values.

    Raises:
        ConfigError: The salt is empty.
    """

    def __init__(self, salt: str | bytes | None) -> None:
        if salt is not None and not salt:
            raise ConfigError(
                "The salt of the masks is empty: whoever knows a value could tell what it becomes.",
                hint="Set it to a long random text, or leave it out for one that is forgotten after the copy.",
            )
        key = token_bytes(32) if salt is None else salt.encode() if isinstance(salt, str) else salt
        key = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        # HMAC's two states after the key: each digest goes on from copies of them, twice as fast as from the key.
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key))
        self._tables = self._random_tables()

    def _random_tables(self) -> tuple[memoryview, ...]:
        size = 2 << _HALF
        stream = memoryview(shake_256(self.digest(b"integers")).digest(size * _ROUNDS))
        return tuple(stream[start : start + size].cast("H") for start in range(0, len(stream), size))

    def digest(self, text: bytes) -> bytes:
        """The HMAC-SHA256 of a text."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()

    def number(self, value: int, bits: int) -> int:
        """Another integer of the same size: different ones stay different, and the sign stays.

        Args:
            value: An integer of up to 64 bits.
            bits: One of LEVELS: all numbers below are mixed with each other, and those above level by level.
        """
        if value < 0:
            return -1 - self.number(-1 - value, bits)
        low, high = 0, bits
        for level in LEVELS:
            if level >= bits:
                high = level
                if value >> level == 0:
                    break
                low = 1 << level
        value = self._mixed(value, high)
        while value < low:  # where a mixing of this range ends outside of it, it is gone on with until it is inside
            value = self._mixed(value, high)
        return value

    def _mixed(self, value: int, bits: int) -> int:
        """A Feistel network, which no two numbers leave as the same."""
        small = bits // 2
        large = bits - small
        left, right = value >> large, value & (1 << large) - 1
        left_mask, right_mask = (1 << small) - 1, (1 << large) - 1
        if large > _HALF:
            for turn in range(0, _ROUNDS, 2):
                left ^= self._wide(right, turn) & left_mask
                right ^= self._wide(left, turn + 1) & right_mask
            return left << large | right
        one, two, three, four, five, six = self._tables
        left ^= one[right] & left_mask
        right ^= two[left] & right_mask
        left ^= three[right] & left_mask
        right ^= four[left] & right_mask
        left ^= five[right] & left_mask
        right ^= six[left] & right_mask
        return left << large | right

    def _wide(self, half: int, turn: int) -> int:
        return int.from_bytes(self.digest(b"%d:%d" % (turn, half))[:8], "big")

    def function(self, mask: ColumnMask) -> Function:
        """What makes another text of a text that is not NULL; neither is escaped."""
        function: Function = _MAKERS[mask.kind](self, mask)
        if mask.padded and mask.kind != "fixed":
            return lambda text: function(text.rstrip(b" "))
        return function


def _fixed(_: Masker, mask: ColumnMask) -> Function:
    value = mask.fixed.encode()
    return lambda _: value


def _email(masker: Masker, mask: ColumnMask) -> Function:
    digits, digest = email_digits(mask.length), masker.digest
    return lambda text: b"user_%s@example.com" % digest(text).hex().encode()[:digits]


def email_digits(length: int | None) -> int:
    """How many digits of an address there is room for."""
    return EMAIL_DIGITS if length is None else min(EMAIL_DIGITS, length - EMAIL_REST)


def _name(masker: Masker, mask: ColumnMask) -> Function:
    length, digest = mask.length, masker.digest
    digits = name_digits(length) if mask.unique else 0
    room = None if length is None else length - digits - bool(digits)

    def name(text: bytes) -> bytes:
        found = digest(text)
        first = FIRST[int.from_bytes(found[:4], "big") % len(FIRST)]
        whole = f"{first} {LAST[int.from_bytes(found[4:8], 'big') % len(LAST)]}"
        if room is not None and len(whole) > room:
            whole = first[:room]
        return (f"{whole} {found[8:].hex()[:digits]}" if digits else whole).encode()

    return name


def name_digits(length: int | None) -> int:
    """How many digits there is room for behind a name."""
    return NAME_DIGITS if length is None else min(NAME_DIGITS, length - 2)


def _phone(masker: Masker, mask: ColumnMask) -> Function:
    length, digest = mask.length, masker.digest
    if mask.unique:
        digits, code = phone_digits(length), PHONE_CODE.encode()
        return lambda text: code + b"%0*d" % (digits, int.from_bytes(digest(text), "big") % 10**digits)

    def phone(text: bytes) -> bytes:
        found = int.from_bytes(digest(text)[:8], "big")
        number = b"1%s55501%02d" % (AREAS[found // 100 % len(AREAS)].encode(), found % 100)
        between = _DIGIT.split(text)
        old = len(between) - 1
        american = old == 10 or (old == 11 and text[len(between[0])] == _ONE)
        if american and (length is None or len(text) <= length):
            number = number[-old:]
            return b"".join([part + number[index : index + 1] for index, part in enumerate(between)])
        whole = b"+" + number
        return whole if length is None else whole[-length:]

    return phone


def phone_digits(length: int | None) -> int:
    """How many digits there is room for behind the country code."""
    return PHONE_DIGITS if length is None else min(PHONE_DIGITS, length - len(PHONE_CODE))


def _hash(masker: Masker, mask: ColumnMask) -> Function:
    length, digest, number, bits = mask.length, masker.digest, masker.number, mask.bits
    if mask.holds is Kind.INTEGER:
        return lambda text: b"%d" % number(int(text), bits)
    if mask.holds is Kind.UUID:
        return lambda text: _uuid(digest(text.lower()).hex()).encode()
    if mask.holds is Kind.BYTES:
        bytes_ = 32 if length is None else length if mask.padded else min(32, length)
        return lambda text: b"\\x" + (digest(text) * (bytes_ // 32 + 1))[:bytes_].hex().encode()
    digits = HEX_DIGITS if length is None else min(HEX_DIGITS, length)
    return lambda text: digest(text).hex().encode()[:digits]


def _uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


_MAKERS = {"email": _email, "name": _name, "phone": _phone, "hash": _hash, "fixed": _fixed}
