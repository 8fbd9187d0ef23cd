"""Whether a column is the same in the entities and in the database, where Alembic needs help to tell."""

from __future__ import annotations

import re
from typing import Any, Literal

from sqlalchemy import Boolean, Column, Enum
from sqlalchemy.dialects.mysql import ENUM

_NOW = {"now()", "current_timestamp", "current_timestamp()", "localtimestamp", "localtimestamp()"}
_CAST = re.compile(r"::[\w .\"\[\]]+(\(\d+(,\d+)?\))?$")
_TRUTH = {"true": "1", "false": "0"}


def compare_type(
    context: Any,  # noqa: ARG001 - Alembic's signature
    inspected_column: Column[Any],  # noqa: ARG001
    metadata_column: Column[Any],  # noqa: ARG001
    inspected_type: Any,
    metadata_type: Any,
) -> bool | None:
    """Alembic's compare_type hook: the values of MySQL's ENUM; None to let Alembic decide."""
    if isinstance(inspected_type, ENUM) and isinstance(metadata_type, Enum):
        return list(inspected_type.enums) != list(metadata_type.enums)
    return None


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
