"""SQL files as single statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"""
_PLAIN = re.compile(f"{_QUOTED}|;|.", re.DOTALL)
_ESCAPED = re.compile(_QUOTED.replace("(?:[^']|'')", r"(?:[^'\\]|''|\\.)") + r"|\#[^\n]*|;|.", re.DOTALL)


def statements(sql: str, *, backslash_escapes: bool) -> Iterator[str]:
    """The statements of a script, without the semicolons between them and what is only comments.

    Args:
        sql: The script.
        backslash_escapes: Whether a backslash in a text escapes.
    """
    pattern = _ESCAPED if backslash_escapes else _PLAIN
    parts: list[str] = []
    for match in [*pattern.finditer(sql), None]:
        piece = ";" if match is None else match[0]
        if piece != ";":
            is_comment = piece.startswith(("--", "/*")) or (piece[0] == "#" and len(piece) > 1)
            parts.append(" " if is_comment else piece)
        elif statement := "".join(parts).strip():
            yield statement
        if piece == ";":
            parts.clear()
