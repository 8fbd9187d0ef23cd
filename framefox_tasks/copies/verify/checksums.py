"""The checksums of a table in the source and in the copy, each computed where the rows are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from framefox_tasks.copies.verify.canonical import FORMS, Column, is_padded, is_single
from framefox_tasks.copies.verify.sides import Sides
from framefox_tasks.databases.checksum import PLAIN, SIZED, Form, RowTotals
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import NULL, Field, Kind, TablePlan, unescaped

_KINDS = {
    **dict.fromkeys((Kind.INTEGER, Kind.BOOLEAN, Kind.DATE), Form.LINE),
    **dict.fromkeys((Kind.TEXT, Kind.ENUM, Kind.OTHER, Kind.BYTES), Form.TEXT),
    **dict.fromkeys((Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ), Form.MOMENT),
    Kind.NUMERIC: Form.NUMBER,
    Kind.FLOAT: Form.DOUBLE,
    Kind.UUID: Form.HEX,
}


def are_same(sides: Sides) -> bool:
    """Whether the checksums are the same; False also where there are none, and the rows themselves must be compared."""
    forms = forms_of(sides.plan, sides.dialects)
    if forms is None:
        return False
    own = sides.transform is None and _are_alike(sides)
    with ThreadPoolExecutor(1) as beside:
        theirs = beside.submit(sides.target.checksum, sides.plan.target, forms, own=own)
        source, where = sides.plan.source, sides.where
        ours = None if sides.transform else sides.source.checksum(source, forms, where=where, own=own)
        found = theirs.result()
    if ours is None and found is None:
        return False  # both are in this process, which has a faster one
    if own and None in (ours, found):
        return False  # one of them knows no form of its own that the other has
    ours = ours or RowTotals.of_lines(canonical_lines(sides.ours(), forms))
    found = found or RowTotals.of_lines(canonical_lines(sides.theirs(), forms))
    return ours == found and ours.total is not None


def _are_alike(sides: Sides) -> bool:
    """Whether both are of one kind of database, and have the same types."""
    natives = [[field.native for field in side.fields] for side in (sides.plan.source, sides.plan.target)]
    return sides.dialects[0].name == sides.dialects[1].name and natives[0] == natives[1]


def forms_of(plan: TablePlan, dialects: tuple[Dialect, Dialect]) -> tuple[Form, ...] | None:
    """The form of each field; None where one has no form that both databases can write."""
    pairs = zip(plan.source.fields, plan.target.fields, strict=True)
    found = tuple(_form(here, there, dialects) for here, there in pairs)
    return tuple(form for form in found if form) if all(found) else None


def _form(here: Field, there: Field, dialects: tuple[Dialect, Dialect]) -> Form | None:
    if dialects[0].name == dialects[1].name and here.native == there.native:
        return Form.LINE if here.kind in PLAIN else Form.TEXT
    if here.kind is Kind.FLOAT and any(map(is_single, (here, there), dialects)):
        return None
    if here.kind is Kind.TEXT and any(map(is_padded, (here, there))):
        return Form.UNPADDED
    return _KINDS.get(here.kind)


def canonical_lines(blocks: Iterable[bytes], forms: Sequence[Form]) -> Iterator[bytes]:
    """The canonical lines of blocks."""
    columns = [(place, FORMS[form]) for place, form in enumerate(forms) if form in FORMS]
    sized = [place for place, form in enumerate(forms) if form in SIZED]
    return chain.from_iterable(_lines(block, columns, sized) for block in blocks if block)


def _lines(block: bytes, columns: Sequence[tuple[int, Column]], sized: Sequence[int]) -> Iterable[bytes]:
    lines = block[:-1].split(b"\n")
    if not (columns or sized):
        return lines
    fields: list[Sequence[bytes]] = list(zip(*[line.split(b"\t") for line in lines], strict=True))
    before = [fields[place] for place in sized]
    escapes = b"\\" in block
    if escapes:
        for place in sized:
            fields[place] = [*map(_plain, fields[place])]
    for place, column in columns:
        fields[place] = column(fields[place])
    for place, written in zip(sized, before, strict=True):
        fields.append(_sizes(fields[place], written if escapes else ()))
    return map(b"\t".join, zip(*fields, strict=True))


def _plain(field: bytes) -> bytes:
    return field if b"\\" not in field or field == NULL else unescaped(field)


def _sizes(column: Sequence[bytes], written: Sequence[bytes]) -> list[bytes]:
    """The lengths of fields; `written` has the same with their escapes, if any has some: NULL is none without."""
    sizes = [b"%d" % len(field) for field in column]
    for place, field in enumerate(written):
        if field == NULL:
            sizes[place] = NULL
    return sizes
