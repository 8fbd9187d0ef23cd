"""The mask of a document, some of whose values become others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from framefox_tasks.copies.mask.contract import ColumnMask, Function, MaskKind
from framefox_tasks.copies.mask.secret import Secret
from framefox_tasks.databases.rows import Field, Kind

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\*)\]")


class JsonMask(MaskKind):
    """A document some of whose values are others."""

    summary = "of a document the values at the paths VALUE, as $.email,$.lines[*].name: texts and numbers become others"
    kinds = (Kind.JSON, Kind.TEXT)
    shortest = 0

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        """Paths with commas between them."""

        def paths(_: Field, value: str) -> str:
            for path in value.split(","):
                if _steps(path.strip()) is None:
                    raise ValueError("paths such as $.email,$.lines[*].name")
            return value

        return paths

    def distinct(self, _: Kind, __: int | None, /) -> float:
        """Two may become the same."""
        return 1000.0

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        """What is no document becomes null, so that nothing goes unmasked."""
        paths = [_steps(path.strip()) or [] for path in column.value.split(",")]

        def masked(text: bytes) -> bytes:
            try:
                document = json.loads(text)
            except ValueError:
                return b"null"
            for path in paths:
                document = _replaced(document, path, secret)
            return json.dumps(document, ensure_ascii=False).encode()

        return masked


def _steps(path: str) -> list[str | int] | None:
    """The steps of a path: keys, places, and * for all places; None where it is no path."""
    if not path.startswith("$") or _STEP.sub("", path[1:]):
        return None
    return [key or (place if place == "*" else int(place)) for key, place in _STEP.findall(path[1:])]


def _replaced(value: Any, path: list[str | int], secret: Secret) -> Any:
    if not path:
        return _other(value, secret)
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step in value:
        return {**value, step: _replaced(value[step], rest, secret)}
    if isinstance(value, list):
        return [_replaced(one, rest, secret) if step in ("*", place) else one for place, one in enumerate(value)]
    return value


def _other(value: Any, secret: Secret) -> Any:
    """Another text or number, in a list or an object of each; what is neither stays."""
    if isinstance(value, dict):
        return {key: _other(one, secret) for key, one in value.items()}
    if isinstance(value, list):
        return [_other(one, secret) for one in value]
    if isinstance(value, str):
        return secret.digest(value.encode()).hex()[:16]
    if isinstance(value, bool) or value is None:
        return value
    return int.from_bytes(secret.digest(repr(value).encode())[:8], "big") % 10**6
