"""Keys that a source tells apart, and the copy does not: one moment, UUID or truth value in two spellings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import NULL, TablePlan


class KeyValues:
    """The values of a key of the source, as they would be in the copy.

    Args:
        columns: The key.

    Attributes:
        count: How many of them were there already.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self._seen: set[bytes] = set()
        self.count = 0
        self._first = ""

    def look(self, cells: Sequence[bytes], places: Mapping[str, int]) -> None:
        """Look at the cells of whole rows.

        Args:
            cells: One row after the other.
            places: Which cell of a row is that of a column.
        """
        columns = [cells[places[name] :: len(places)] for name in self.columns]
        for values in zip(*columns, strict=True):
            value = b"\t".join(values)
            if NULL in values:
                continue
            if value in self._seen:
                self.count += 1
                self._first = self._first or value.decode("utf-8", "replace").replace("\t", ", ")
            self._seen.add(value)

    def told(self, label: str) -> str:
        """What is wrong with them in a table."""
        rows = "1 row has" if self.count == 1 else f"{self.count:,} rows have"
        return f"{label}: {rows} the same {', '.join(self.columns)} as another in the copy, the first: {self._first}"


def doubtful_keys(plan: TablePlan, reader: Reader, source: Dialect) -> Iterator[KeyValues]:
    """The keys of a table with a column whose values are written in more than one way.

    Args:
        plan: The table.
        reader: Of the source.
        source: Its dialect.
    """
    fields = {field.name: field for field in plan.source.fields}
    for key in dict.fromkeys([plan.primary_key, *plan.uniques]):
        forms = [source.spelling(fields[name]) for name in key if name in fields]
        if len(forms) == len(key) and any(form and _differ(plan, reader, source, form) for form in forms):
            yield KeyValues(key)


def _differ(plan: TablePlan, reader: Reader, source: Dialect, form: str) -> bool:
    table = plan.source.name.quoted(source.quote)
    first = f"SELECT {form} FROM {table} WHERE {form} IS NOT NULL LIMIT 1"  # noqa: S608 - quoted
    return bool(reader.count(plan.source.name, where=f"{form} <> ({first})"))
