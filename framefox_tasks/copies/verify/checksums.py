"""The checksums of a table in the source and in the copy, each computed where the rows are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from framefox_tasks.copies.verify.canonical import is_padded
from framefox_tasks.copies.verify.sides import Sides
from framefox_tasks.databases.canonical import totals_of
from framefox_tasks.databases.checksum import PLAIN, Form, RowTotals
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Field, Kind, TablePlan

_KINDS = {
    **dict.fromkeys((Kind.INTEGER, Kind.BOOLEAN, Kind.DATE, Kind.BITS, Kind.INTERVAL), Form.LINE),
    **dict.fromkeys((Kind.TEXT, Kind.ENUM, Kind.OTHER, Kind.BYTES, Kind.JSON), Form.TEXT),
    **dict.fromkeys((Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ), Form.MOMENT),
    Kind.NUMERIC: Form.NUMBER,
    Kind.FLOAT: Form.DOUBLE,
    Kind.UUID: Form.HEX,
}


def are_same(sides: Sides, known: RowTotals | None = None) -> bool:
    """Whether the checksums are the same; False also where there are none, and the rows themselves must be compared.

    Args:
        sides: Both sides.
        known: The source's checksum, where it has been computed.
    """
    forms = forms_of(sides.plan, sides.dialects)
    if forms is None:
        return False
    own = sides.transform is None and _are_alike(sides.plan, sides.dialects)
    with ThreadPoolExecutor(1) as beside:
        theirs = beside.submit(sides.target.checksum, sides.plan.target, forms, own=own)
        ours = known
        if ours is None and sides.transform is None:
            ours = source_checksum(sides.plan, sides.source, sides.where, sides.dialects)
        found = theirs.result()
    if ours is None and found is None:
        return False  # both are in this process, which has a faster one
    if own and None in (ours, found):
        return False  # one of them knows no form of its own that the other has
    ours = ours or totals_of(sides.ours(), forms)
    found = found or totals_of(sides.theirs(), forms)
    return ours == found and ours.total is not None


def source_checksum(plan: TablePlan, reader: Reader, where: str, dialects: tuple[Dialect, Dialect]) -> RowTotals | None:
    """The checksum of a table in the source, to be compared with its copy's; None where there is none.

    Args:
        plan: The table.
        reader: Reads the source.
        where: The condition that its rows were read with.
        dialects: The source's and the copy's.
    """
    forms = forms_of(plan, dialects)
    return reader.checksum(plan.source, forms, where=where, own=_are_alike(plan, dialects)) if forms else None


def _are_alike(plan: TablePlan, dialects: tuple[Dialect, Dialect]) -> bool:
    """Whether both are of one kind of database, and have the same types."""
    natives = [[field.native for field in side.fields] for side in (plan.source, plan.target)]
    return dialects[0].name == dialects[1].name and natives[0] == natives[1]


def forms_of(plan: TablePlan, dialects: tuple[Dialect, Dialect]) -> tuple[Form, ...] | None:
    """The form of each field; None where one has no form that both databases can write."""
    pairs = zip(plan.source.fields, plan.target.fields, strict=True)
    found = tuple(_form(here, there, dialects) for here, there in pairs)
    return tuple(form for form in found if form) if all(found) else None


def forms_to_read_back(plan: TablePlan, dialects: tuple[Dialect, Dialect]) -> tuple[Form, ...] | None:
    """The forms in which lines of the copy are those that were loaded, if these have their values in these forms.

    To read the copy then takes less than two servers need for a checksum of their own; only their notation of some
    numbers, as 1e-05, may differ all the same. None where both have a checksum that is still cheaper, or no forms.
    """
    return None if _are_alike(plan, dialects) else forms_of(plan, dialects)


def forms_to_load(plan: TablePlan, dialects: tuple[Dialect, Dialect]) -> tuple[Form, ...] | None:
    """The forms of the lines that are loaded, so that the copy's can be compared with them; None where they cannot.

    Only what the copy holds as the same value in any notation has one: doubles, and numbers without their last zeros.
    """
    forms = forms_to_read_back(plan, dialects)
    if forms is None:
        return None
    pairs = zip(forms, plan.target.fields, strict=True)
    loaded = [form is Form.DOUBLE or (form is Form.NUMBER and dialects[1].shortens(there)) for form, there in pairs]
    return tuple(form if given else Form.LINE for form, given in zip(forms, loaded, strict=True))


def _form(here: Field, there: Field, dialects: tuple[Dialect, Dialect]) -> Form | None:
    if dialects[0].name == dialects[1].name and here.native == there.native:
        return Form.LINE if here.kind in PLAIN else Form.TEXT
    if here.kind is Kind.TEXT and any(map(is_padded, (here, there))):
        return Form.UNPADDED
    if dialects[1].rewrites(there):
        return None
    if here.kind is Kind.NUMERIC and _are_as_exact(here, there, dialects):
        return Form.LINE
    return _KINDS.get(here.kind)


def _are_as_exact(here: Field, there: Field, dialects: tuple[Dialect, Dialect]) -> bool:
    """Whether both databases write all numbers of a column with as many digits behind the point."""
    if any(dialect.exact_digits for dialect in dialects):
        return False
    one, other = (dialect.read(field.native) for dialect, field in zip(dialects, (here, there), strict=True))
    return one is not None and other is not None and one.scale is not None and one.scale == other.scale
