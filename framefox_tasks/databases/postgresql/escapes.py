"""PostgreSQL writes three more characters as escapes than lines have: they become themselves again."""

from __future__ import annotations

import re

_ESCAPES = (b"\\b", b"\\f", b"\\v")
_ESCAPE = re.compile(rb"\\([\\bfv])")
_PLAIN = {b"\\": b"\\\\", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def plain_controls(block: bytes) -> bytes:
    r"""A block of lines whose backspaces, form feeds and vertical tabs are not written as `\b`, `\f` and `\v`."""
    if not any(escape in block for escape in _ESCAPES):
        return block
    return _ESCAPE.sub(lambda match: _PLAIN[match[1]], block)
