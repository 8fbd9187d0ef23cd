"""Generated columns as SQLAlchemy reads them from the text of a SQLite table."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import MetaData, TextClause

_WORDS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|.", re.DOTALL)


def end_expressions(metadata: Iterable[MetaData]) -> None:
    """End the expression of a generated column where its parenthesis is closed.

    SQLAlchemy takes all up to the last parenthesis in the line for it, as `a + 1) STORED, b TEXT, PRIMARY KEY (b`, and
    tools that write entities from a database write that down.
    """
    for item in metadata:
        for table in item.tables.values():
            for column in table.columns:
                clause = column.computed.sqltext if column.computed is not None else None
                if isinstance(clause, TextClause) and ")" in clause.text:
                    clause.text = _ended(clause.text)


def _ended(sql: str) -> str:
    depth = 0
    for word in _WORDS.finditer(sql):
        depth += (word[0] == "(") - (word[0] == ")")
        if depth < 0:
            return sql[: word.start()].strip()
    return sql
