"""Which values the columns of MySQL and MariaDB do not take, of those that other databases hold."""

from __future__ import annotations

from framefox_tasks.databases import fits
from framefox_tasks.databases.fits import Refuses
from framefox_tasks.databases.mysql.types import read
from framefox_tasks.databases.mysql.values import MOST_DIGITS
from framefox_tasks.databases.rows import Field, Kind, escaped

_DAY = rb"\d{4}-\d\d-\d\d"
_CLOCK = rb"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"


def _is_cut(cell: bytes) -> bool:
    """Whether the server reads not all digits of a number, and be they zeros: nine groups of nine."""
    whole, _, behind = cell.lstrip(b"-+").partition(b".")
    return -(-len(whole) // 9) + -(-len(behind) // 9) > 9


def refuses(field: Field) -> Refuses | None:
    """The check of a column; None where all values of its kind go in."""
    type_ = read(field.native)
    match field.kind, type_.kind:
        case Kind.DATE, Kind.DATE:
            return fits.unlike(_DAY)
        case ((Kind.TIMESTAMP | Kind.TIMESTAMPTZ), (Kind.TIMESTAMP | Kind.TIMESTAMPTZ)):
            return fits.unlike(_DAY + b"[ T]" + _CLOCK)
        case Kind.TIME, Kind.TIME:
            return fits.unlike(rb"-?\d?" + _CLOCK)
        case Kind.FLOAT, _:
            return fits.unlike(rb"[-+\d.eE]+")
        case Kind.NUMERIC, Kind.NUMERIC:
            fitting = fits.numbers(type_.size or 10, type_.scale or 0)
            return fitting if type_.size == MOST_DIGITS else fits.any_of(fitting, _is_cut)
        case Kind.INTEGER, Kind.INTEGER if not field.native.startswith("year"):
            return fits.integers(type_.size or 8, unsigned=type_.unsigned)
        case _, Kind.ENUM:
            labels = {escaped(value.encode()) for value in type_.values}
            return lambda cell: cell not in labels
        case _:
            return None
