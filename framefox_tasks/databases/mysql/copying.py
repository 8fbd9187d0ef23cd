"""Copying from and to MySQL and MariaDB."""

from __future__ import annotations

from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.mysql.place import MySQLPlace
from framefox_tasks.databases.mysql.place_rows import RowsPlace
from framefox_tasks.databases.mysql.snapshot import open_source
from framefox_tasks.model import Target


def open_place(target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
    """Where a copy to a database is made.

    Args:
        target: The database.
        overwrite: Whether what it holds may be replaced.
        data_only: Whether rows go into the tables that it has.
        force_disconnect: Whether sessions of others may be ended, where they hinder the copy.
    """
    if data_only:
        return RowsPlace(target)
    return MySQLPlace(target, overwrite=overwrite, force_disconnect=force_disconnect)


__all__ = ["open_place", "open_source"]
