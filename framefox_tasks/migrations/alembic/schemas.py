"""The schemas of a database that a history makes, by the text of its migrations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_MAKES = re.compile(r"create[\s_]*schema", re.IGNORECASE)


def schemas_made(migrations: Iterable[Path], names: Iterable[str]) -> set[str]:
    """Those of some names that a migration makes."""
    return _named([text for text in _texts(migrations) if _MAKES.search(text)], names)


def schemas_used(migrations: Iterable[Path], names: Iterable[str]) -> set[str]:
    """Those of some names that a migration makes, or has something in."""
    return _named(list(_texts(migrations)), names)


def _texts(migrations: Iterable[Path]) -> Iterable[str]:
    return (path.read_text(encoding="utf-8", errors="replace") for path in migrations)


def _named(texts: list[str], names: Iterable[str]) -> set[str]:
    return {name for name in names if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for text in texts)}
