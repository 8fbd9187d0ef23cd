"""Random schemas, and random changes of them, as the source of modules that declare them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

TEXTS = ("plain", "it's", "'quoted'", 'say "hi"', "a\\b", "50%", "a:b", "ünï", " ", "")
# A type, what it may become, and its defaults, all as Python source.
TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sa.SmallInteger()": (("sa.Integer()", "sa.BigInteger()"), ("'0'", "'-7'")),
    "sa.Integer()": (("sa.BigInteger()",), ("'0'", "'42'", "sa.text('7')")),
    "sa.BigInteger()": ((), ("'9000000000'",)),
    "sa.String(20)": (("sa.String(50)", "sa.Text()"), tuple(map(repr, TEXTS))),
    "sa.String(50)": (("sa.String(80)",), tuple(map(repr, TEXTS))),
    "sa.Text()": ((), ()),
    "sa.Boolean()": ((), ("sa.true()", "sa.false()")),
    "sa.Float()": ((), ("'1.5'", "'2'")),
    "sa.Double()": ((), ("'0'",)),
    "sa.Numeric(8, 2)": (("sa.Numeric(12, 2)", "sa.Numeric(12, 4)"), ("'0'", "'1.50'")),
    "sa.Date()": ((), ("'2024-02-29'",)),
    "sa.DateTime()": ((), ("sa.func.now()", "'2024-01-31 12:00:00'")),
    "sa.Time()": ((), ("'12:30:00'",)),
    "sa.LargeBinary()": ((), ()),
    "sa.JSON()": ((), ()),
    "sa.Uuid()": ((), ()),
    "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')": ((), ()),
    "sa.Enum('new', 'old', name='mood')": ((), ("'new'",)),
}
# They can be a part of a key on every database.
KEYS = ("sa.SmallInteger()", "sa.Integer()", "sa.BigInteger()", "sa.String(20)", "sa.String(50)", "sa.Date()")


@dataclass(frozen=True)
class ColumnSpec:
    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    refers: str | None = None  # a table, by its id
    options: str = ""  # of the foreign key
    check: str | None = None

    def source(self) -> str:
        parts = [repr(self.name), self.type]
        if self.refers:
            parts.append(f"sa.ForeignKey('{self.refers}.id'{self.options})")
        parts += [f"sa.CheckConstraint({self.check!r})"] if self.check else []
        parts.append(f"nullable={self.nullable}")
        parts += [f"server_default={self.default}"] if self.default is not None else []
        parts += [f"comment={self.comment!r}"] if self.comment else []
        return f"sa.Column({', '.join(parts)})"


@dataclass(frozen=True)
class TableSpec:
    name: str
    columns: tuple[ColumnSpec, ...] = ()
    items: frozenset[tuple[str, tuple[str, ...], str | None]] = field(default_factory=frozenset)

    def source(self) -> str:
        parts = [repr(self.name), "metadata", "sa.Column('id', sa.Integer(), primary_key=True)"]
        parts += [column.source() for column in self.columns]
        for kind, names, name in sorted(self.items, key=str):
            listed = ", ".join(map(repr, names))
            if kind == "check":
                parts.append(f"sa.CheckConstraint('{names[0]} IS NOT NULL OR 1 > 0', name={name!r})")
            elif kind == "unique":
                parts.append(f"sa.UniqueConstraint({listed}, name={name!r})")
            else:
                parts.append(f"sa.Index({name!r}, {listed}, unique={kind == 'unique index'})")
        return f"sa.Table({', '.join(parts)})\n"

    def without(self, name: str) -> TableSpec:
        columns = tuple(column for column in self.columns if column.name != name)
        return replace(self, columns=columns, items=frozenset(item for item in self.items if name not in item[1]))


Spec = tuple[TableSpec, ...]


def source_of(spec: Spec) -> str:
    """A module that declares the tables."""
    head = "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\n\nmetadata = sa.MetaData()\n"
    return head + "".join(table.source() for table in spec)


@st.composite
def columns(draw: st.DrawFn, name: str, tables: tuple[str, ...]) -> ColumnSpec:
    if tables and draw(st.integers(0, 3)) == 0:
        options = draw(
            st.sampled_from(["", ", ondelete='CASCADE'", f", name='fk_{name}_of_{draw(st.integers(1, 9))}'"])
        )
        return ColumnSpec(name, "sa.Integer()", refers=draw(st.sampled_from(tables)), options=options)
    type_ = draw(st.sampled_from(sorted(TYPES)))
    defaults = TYPES[type_][1]
    has_default = draw(st.booleans())
    default = draw(st.sampled_from(defaults)) if defaults and has_default else None
    comment = draw(st.sampled_from([None, None, "it's a comment", "50% of a:b"]))
    check = f"{name} >= -10" if type_ == "sa.Integer()" and draw(st.booleans()) else None
    return ColumnSpec(name, type_, draw(st.booleans()), default, comment, check=check)


@st.composite
def tables(draw: st.DrawFn, name: str, others: tuple[str, ...]) -> TableSpec:
    count = draw(st.integers(1, 4))
    table = TableSpec(name, tuple(draw(columns(f"c{index}", (*others, name))) for index in range(count)))
    for _ in range(draw(st.integers(0, 2))):
        table = draw(with_item(table))
    return table


@st.composite
def with_item(draw: st.DrawFn, table: TableSpec, kinds: tuple[str, ...] = ("index", "unique", "check")) -> TableSpec:
    keys = [column.name for column in table.columns if column.type in KEYS]
    if not keys:
        return table
    names = tuple(draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True)))
    kind = draw(st.sampled_from(kinds))
    if any(item[:2] == (kind, names) for item in table.items):
        return table
    label = f"{kind[:2]}_{table.name}_{'_'.join(names)}"
    names = names[:1] if kind == "check" else names
    name = label if kind != "unique" or draw(st.booleans()) else None
    return replace(table, items=table.items | {(kind, names, name)})


@st.composite
def schemas(draw: st.DrawFn) -> Spec:
    """One to three tables."""
    found: list[TableSpec] = []
    for index in range(draw(st.integers(1, 3))):
        found.append(draw(tables(f"t{index}", tuple(table.name for table in found))))
    return tuple(found)


@st.composite
def changed(draw: st.DrawFn, spec: Spec) -> Spec:
    """Another schema, one to three changes away."""
    for number in range(draw(st.integers(1, 3))):
        spec = draw(st.sampled_from(CHANGES))(draw, spec, f"n{number}")
    return spec


Change = Callable[[st.DrawFn, Spec, str], Spec]


def _one(draw: st.DrawFn, spec: Spec, change: Callable[[TableSpec], TableSpec]) -> Spec:
    index = draw(st.integers(0, len(spec) - 1))
    return (*spec[:index], change(spec[index]), *spec[index + 1 :])


def _add_table(draw: st.DrawFn, spec: Spec, name: str) -> Spec:
    return (*spec, draw(tables(f"t_{name}", tuple(table.name for table in spec))))


def _drop_table(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001 - all changes are called alike
    if len(spec) == 1:
        return spec
    gone = draw(st.sampled_from(spec)).name
    kept = [table for table in spec if table.name != gone]
    for index, table in enumerate(kept):
        for column in table.columns:
            if column.refers == gone:
                kept[index] = kept[index].without(column.name)
    return tuple(kept)


def _add_column(draw: st.DrawFn, spec: Spec, name: str) -> Spec:
    column = draw(columns(f"c_{name}", tuple(table.name for table in spec)))
    return _one(draw, spec, lambda table: replace(table, columns=(*table.columns, column)))


def _drop_column(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    def drop(table: TableSpec) -> TableSpec:
        return table.without(draw(st.sampled_from(table.columns)).name) if table.columns else table

    return _one(draw, spec, drop)


def _alter(draw: st.DrawFn, spec: Spec, change: Callable[[ColumnSpec], ColumnSpec]) -> Spec:
    def alter(table: TableSpec) -> TableSpec:
        if not table.columns:
            return table
        index = draw(st.integers(0, len(table.columns) - 1))
        columns = (*table.columns[:index], change(table.columns[index]), *table.columns[index + 1 :])
        return replace(table, columns=columns)

    return _one(draw, spec, alter)


def _alter_type(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    def change(column: ColumnSpec) -> ColumnSpec:
        others = TYPES[column.type][0]
        return (
            column if column.refers or not others else replace(column, type=draw(st.sampled_from(others)), default=None)
        )

    return _alter(draw, spec, change)


def _alter_default(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    def change(column: ColumnSpec) -> ColumnSpec:
        found = [None, *(TYPES[column.type][1] if not column.refers and column.type in TYPES else ())]
        return replace(column, default=draw(st.sampled_from(found)))

    return _alter(draw, spec, change)


def _alter_nullable(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    return _alter(draw, spec, lambda column: replace(column, nullable=not column.nullable))


def _alter_comment(draw: st.DrawFn, spec: Spec, name: str) -> Spec:
    return _alter(draw, spec, lambda column: replace(column, comment=None if column.comment else f"now {name}"))


def _add_key(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    return _one(draw, spec, lambda table: draw(with_item(table, ("index", "unique", "unique index"))))


def _drop_key(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    def drop(table: TableSpec) -> TableSpec:
        keys = sorted((item for item in table.items if item[0] != "check"), key=str)
        return replace(table, items=table.items - {draw(st.sampled_from(keys))}) if keys else table

    return _one(draw, spec, drop)


def _refer(draw: st.DrawFn, spec: Spec, name: str) -> Spec:  # noqa: ARG001
    def change(column: ColumnSpec) -> ColumnSpec:
        if column.type != "sa.Integer()" or column.check:
            return column
        return replace(column, refers=None if column.refers else draw(st.sampled_from(spec)).name, default=None)

    return _alter(draw, spec, change)


CHANGES: list[Change] = [
    _add_table,
    _drop_table,
    _add_column,
    _drop_column,
    _alter_type,
    _alter_default,
    _alter_nullable,
    _alter_comment,
    _add_key,
    _drop_key,
    _refer,
]
