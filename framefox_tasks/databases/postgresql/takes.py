"""Which values the columns of PostgreSQL do not take, of those that other databases hold."""

from __future__ import annotations

from framefox_tasks.databases import fits
from framefox_tasks.databases.fits import Refuses
from framefox_tasks.databases.postgresql.types import read
from framefox_tasks.databases.rows import Field, Kind

_ENDLESS = (b"NaN", b"-?Infinity")


def refuses(field: Field) -> Refuses | None:
    """The check of a column; None where all values of its kind go in."""
    type_ = read(field.native)
    match field.kind, type_.kind:
        case ((Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ), _):
            return fits.no_day
        case Kind.TIME, Kind.TIME:
            return fits.unlike(rb"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?|24:00:00(?:\.0+)?")
        case Kind.NUMERIC, Kind.NUMERIC if type_.size is not None:
            return fits.numbers(type_.size, type_.scale or 0, *_ENDLESS)
        case Kind.BOOLEAN, Kind.BOOLEAN:
            return fits.unlike(b"[01]")
        case Kind.INTEGER, Kind.INTEGER:
            return fits.integers(type_.size or 8)
        case Kind.JSON, _:
            return lambda cell: b"\0" in cell or ("b" in field.native and rb"\\u0000" in cell)
        case ((Kind.TEXT | Kind.OTHER | Kind.ENUM), _):
            return lambda cell: b"\0" in cell
        case _:
            return None
