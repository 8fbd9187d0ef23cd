"""The foreign keys of a database that is there, and the rows that break them."""

from __future__ import annotations

from framefox_tasks.databases.mysql.session import Session, name

_KEYS = (
    "SELECT constraint_name, table_name, column_name, referenced_table_schema, referenced_table_name, "
    "referenced_column_name FROM information_schema.key_column_usage "
    "WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL "
    "ORDER BY table_name, constraint_name, ordinal_position"
)


class HeldKey:
    """A foreign key of a table of the target.

    Attributes:
        name: Its own.
        child: The table that refers.
        parent: That which is referred to.
        columns: Of the one.
        referred: Of the other.
    """

    def __init__(self, constraint: str, child: str, schema: str, parent: str) -> None:
        self.name = constraint
        self.child = child
        self.parent = parent
        self._schema = schema
        self.columns: list[str] = []
        self.referred: list[str] = []

    def orphans(self, shown: str = "") -> str:
        """The query for rows that refer to none: for something of them all, or for the columns of one."""
        pairs = list(zip(map(name, self.columns), map(name, self.referred), strict=True))
        equal = " AND ".join(f"p.{there} = c.{here}" for here, there in pairs)
        given = " AND ".join(f"c.{here} IS NOT NULL" for here, _ in pairs)
        columns = ", ".join(f"c.{here}" for here, _ in pairs)
        return (
            f"SELECT {shown or columns} FROM {name(self.child)} c "  # noqa: S608 - quoted
            f"LEFT JOIN {name(self._schema)}.{name(self.parent)} p "
            f"ON {equal} WHERE {given} AND p.{pairs[0][1]} IS NULL{'' if shown else ' LIMIT 1'}"
        )


def foreign_keys(held: Session) -> list[HeldKey]:
    """Those of the tables of a database."""
    found: dict[tuple[str, str], HeldKey] = {}
    for constraint, child, column, schema, parent, referred in held.rows(_KEYS):
        key = found.setdefault((child, constraint), HeldKey(constraint, child, schema, parent))
        key.columns.append(column)
        key.referred.append(referred)
    return list(found.values())
