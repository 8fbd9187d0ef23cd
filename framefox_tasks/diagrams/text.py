"""Text in a picture: its width, and visible signs for control characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, count

# The widths of Helvetica's letters, which Arial and Liberation Sans share, in thousandths of the font's size.
_WIDTHS = {
    222: "'ijl",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    389: '"*{|}',
    500: "Jcksvxyz^",
    556: "#$0123456789?L_abdeghnopqu",
    611: "+<=>FTZ~",
    722: "&ABCDEHKNPRSUVXYw",
    833: "GMOQm",
    944: "%W",
    1015: "@",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER_LETTER = 700
_SYMBOL = 1000
_WIDE = 1300
_BOLD = 1.12  # how much wider bold letters are, rather too much than too little
_ROOM = 1.15  # for wider fonts, such as DejaVu Sans
# Control characters, what has no width or turns the direction of the text, and what XML does not allow.
_NOT_SHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text may become, in points; the same on every machine, whatever fonts it has."""
    return sum(map(_advance, text)) / 1000 * size * _ROOM * (_BOLD if bold else 1)


@lru_cache(maxsize=4096)
def _advance(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    # An accented letter is as wide as the plain one.
    plain = unicodedata.normalize("NFD", character)[0]
    return _WIDTH_OF.get(plain, _OTHER_LETTER if plain < "\u2000" else _SYMBOL)


def shown(text: str) -> str:
    """The text with a visible sign for each character that could not be seen or written, such as a newline."""
    return _NOT_SHOWN.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    return {"\n": "↵", "\r": "↵", "\t": "⇥"}.get(match.group(), "\ufffd")


def wrapped(text: str, limit: int) -> list[str]:
    """The text in lines of at most `limit` characters."""
    return [text[start : start + limit] for start in range(0, len(text), limit)]


def distinct(names: Iterable[str], clean: Callable[[str], str]) -> list[str]:
    """The names as `clean` makes them, with a number where two would be the same.

    A name that needs no cleaning keeps its spelling, wherever it stands.
    """
    names = list(names)
    taken = {name for name in names if clean(name) == name}
    unused = set(taken)
    result: list[str] = []
    for name in names:
        new = name if name in unused else next(each for each in _numbered(clean(name)) if each not in taken)
        unused.discard(name)
        taken.add(new)
        result.append(new)
    return result


def _numbered(name: str) -> Iterator[str]:
    return chain([name], (f"{name}_{number}" for number in count(2)))
