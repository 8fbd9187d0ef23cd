"""Whether two server defaults are the same, where Alembic takes the spelling of one database for a difference."""

from __future__ import annotations

import re
from typing import Any, Literal

from sqlalchemy import Boolean, Column

_NOW = {"now()", "current_timestamp", "current_timestamp()", "localtimestamp", "localtimestamp()"}
_CAST = re.compile(r"::[\w .\"\[\]]+(\(\d+(,\d+)?\))?$")
_TRUTH = {"true": "1", "false": "0"}


def compare_server_default(
    context: Any,  # noqa: ARG001 - Alembic's signature
    inspected_column: Column[Any],  # noqa: ARG001
    metadata_column: Column[Any],
    inspected_default: str | None,
    metadata_default: object,  # noqa: ARG001
    rendered_metadata_default: str | None,
) -> Literal[False] | None:
    """Alembic's compare_server_default hook: False for no difference, None to let Alembic decide."""
    if inspected_default is None or rendered_metadata_default is None:
        return None
    truth = isinstance(metadata_column.type, Boolean)
    same = normalized(inspected_default, truth=truth) == normalized(rendered_metadata_default, truth=truth)
    return False if same else None


def normalized(default: str, *, truth: bool = False) -> str:
    """A default without the parentheses, quotes and casts around it; `truth` reads true and false as 1 and 0."""
    text = default.strip()
    while (bare := _bare(text)) != text:
        text = bare
    if text.lower() in _NOW:
        return "now()"
    return _TRUTH.get(text.lower(), text) if truth else text


def _bare(text: str) -> str:
    text = _CAST.sub("", text)
    if len(text) > 1 and (text[0], text[-1]) in (("(", ")"), ("'", "'"), ('"', '"')):
        return text[1:-1].strip() if text[0] == "(" else text[1:-1]
    return text
