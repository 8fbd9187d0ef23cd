"""What SQLAlchemy and Alembic need to know of it: that it is SQLite by another name."""

from __future__ import annotations

from alembic.ddl.sqlite import SQLiteImpl
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite


class ToyAlchemy(SQLiteDialect_pysqlite):
    name = "toy"
    supports_statement_cache = True


class ToyImpl(SQLiteImpl):
    __dialect__ = "toy"
