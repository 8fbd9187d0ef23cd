"""Sequences and domains in generated migrations: made before the tables that use them, and dropped after those."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, DefaultClause, MetaData, Sequence, TextClause
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import to_instance

from framefox_tasks.databases.definitions import Name, ServerDefinitions
from framefox_tasks.migrations.alembic.database_types import (
    compares_last,
    declared_of,
    declared_tables,
    definitions_of,
    domain_of,
    plain,
)
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, ownership_of

_OPTIONS = ("start", "increment", "minvalue", "maxvalue", "cache", "cycle")
_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


class DomainOp(ops.MigrateOperation):
    """Creates or drops a domain, if it is not there or is there."""

    def __init__(self, domain: DOMAIN, *, create: bool) -> None:
        self.domain = domain
        self.name = domain.name
        self.create = create

    def reverse(self) -> DomainOp:
        """The other of the two."""
        return DomainOp(self.domain, create=not self.create)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("create_domain" if self.create else "drop_domain", self.name)


class SequenceOp(ops.MigrateOperation):
    """Creates a sequence, changes its options, or drops it.

    Args:
        name: Its schema and name.
        before: Its options now; None where it is not there.
        after: Its options then; None where it goes.
    """

    def __init__(self, name: Name, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        self.schema, self.name = name
        self.before = before
        self.after = after

    def reverse(self) -> SequenceOp:
        """The way back."""
        return SequenceOp((self.schema, self.name), self.after, self.before)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        kind = "create" if self.before is None else "drop" if self.after is None else "modify"
        return (f"{kind}_sequence", self.name)


@renderers.dispatch_for(DomainOp)
def _render_domain(context: AutogenContext, op: DomainOp) -> str:
    alembic = context.opts.get("alembic_module_prefix") or "op."
    verb = "create" if op.create else "drop"
    return f"{rendered_domain(op.domain, context)}.{verb}({alembic}get_bind(), checkfirst=True)"


@renderers.dispatch_for(SequenceOp)
def _render_sequence(context: AutogenContext, op: SequenceOp) -> str | list[str]:
    sa = context.opts.get("sqlalchemy_module_prefix") or "sa."
    alembic = context.opts.get("alembic_module_prefix") or "op."
    schema = f", schema={op.schema!r}" if op.schema else ""
    if op.before is None or op.after is None:
        context.imports.add("from sqlalchemy.schema import CreateSequence, DropSequence")
        options = "".join(f", {key}={value!r}" for key, value in (op.after or {}).items() if key in _OPTIONS)
        kind = (op.after or {}).get("data_type")
        typed = f", data_type={_type_source(kind, sa, context)}" if kind is not None else ""
        verb = "DropSequence" if op.after is None else "CreateSequence"
        # Where a database has no sequences, SQLAlchemy leaves out what uses them.
        made = f"{alembic}execute({verb}({sa}Sequence({op.name!r}{options}{typed}{schema})))"
        return [f"if {alembic}get_context().dialect.supports_sequences:", made, ""]
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    quote = context.dialect.identifier_preparer.quote
    name = ".".join(quote(part) for part in (op.schema, op.name) if part)
    changed = " ".join(_clauses(op.before, op.after))
    statement = f"{alembic}execute({f'ALTER SEQUENCE {name} {changed}'!r})"
    return [f"if {alembic}get_context().dialect.name == {context.dialect.name!r}:", statement, ""]


def _type_source(kind: Any, prefix: str, context: AutogenContext) -> str:
    if isinstance(kind, str):  # as the server calls it
        return f"{prefix}{['BigInteger', 'SmallInteger', 'Integer'][['bigint', 'smallint', 'integer'].index(kind)]}()"
    return str(render._repr_type(to_instance(kind), context))


def _collated_once(domain: DOMAIN) -> DOMAIN:
    """A domain without the collation of its type: reflection gives both one, and the default one as well."""
    domain.data_type = domain.data_type.copy()
    if getattr(domain.data_type, "collation", None) in ("default", domain.collation):
        domain.data_type.collation = None  # type: ignore[attr-defined]
    if domain.collation == "default":
        domain.collation = None
    return domain


def create_domains(metadata: MetaData, connection: Connection) -> None:
    """Create the domains that tables use and do not create: SQLAlchemy makes none that was reflected."""
    used = (domain_of(column) for table in metadata.tables.values() for column in table.columns)
    for domain in {domain.name: domain for domain in used if domain is not None and not domain.create_type}.values():
        made = _collated_once(domain.adapt(DOMAIN, create_type=False))  # type: ignore[no-untyped-call]
        made.create(connection, checkfirst=True)


def rendered_domain(domain: DOMAIN, context: AutogenContext) -> str:
    """The source text of a domain that a table does not create: a statement of its own does."""
    given = _collated_once(domain.adapt(DOMAIN, create_type=False))  # type: ignore[no-untyped-call]
    text: str = context.migration_context.impl._render_DOMAIN_type(given, context)  # type: ignore[attr-defined]
    return text


@compares_last("schema")
def _compare(context: AutogenContext, upgrade: ops.UpgradeOps, schemas: Iterable[str | None]) -> None:  # noqa: ARG001 - Alembic's signature
    migration = context.migration_context
    definitions = definitions_of(migration) if OWNERSHIP in migration.opts else None
    if definitions is None:
        return
    domains = {
        plain(migration, domain.schema, str(domain.name)): domain
        for table in declared_tables(context)
        for domain in filter(None, map(domain_of, table.columns))
    }
    new = [DomainOp(domain, create=True) for name, domain in domains.items() if name not in definitions.domains]
    changes = list(_changed_sequences(context, definitions))
    created = [op for op in changes if op.after is not None]
    dropped = [op for op in changes if op.after is None]
    after_enums = next((at for at, op in enumerate(upgrade.ops) if "Enum" not in type(op).__name__), len(upgrade.ops))
    upgrade.ops[after_enums:after_enums] = [*created, *new]
    upgrade.ops.extend(dropped)


def _changed_sequences(context: AutogenContext, definitions: ServerDefinitions) -> Iterator[SequenceOp]:
    migration = context.migration_context
    declared = {plain(migration, item.schema, item.name): item for item in _declared_sequences(context)}
    found = definitions.sequences
    for name, sequence in sorted(declared.items(), key=str):
        after = options_of(sequence)
        if name not in found:
            yield SequenceOp(name, None, after)
        elif not found[name]["owned"] and completed(after, type_name(migration, after)) != completed(
            found[name], found[name]["data_type"]
        ):
            yield SequenceOp(name, found[name], {**after, "data_type": type_name(migration, after)})
    for name in sorted(set(_needed(context)) - found.keys() - declared.keys(), key=str):
        yield SequenceOp(name, None, {})
    mine = ownership_of(migration).includes_sequence
    for name in sorted(found.keys() - declared.keys() - set(_mentioned(context)), key=str):
        if mine(*name, of_column=bool(found[name]["owned"] or found[name]["used"])):
            yield SequenceOp(name, found[name], None)


def _declared_sequences(context: AutogenContext) -> Iterator[Sequence]:
    for metadata in declared_of(context):
        yield from (sequence for sequence in metadata._sequences.values() if not sequence.optional)
    for table in declared_tables(context):
        for column in table.columns:
            yield from _sequences_of(column)


def _mentioned(context: AutogenContext) -> Iterator[Name]:
    """The sequences that a default names in its text, as it does where the entities were made from a database."""
    for table in declared_tables(context):
        for column in table.columns:
            text = getattr(column.server_default, "arg", None)
            for name in sequences_in(str(text) if text is not None else ""):
                yield named_sequence(context.migration_context, name)


def _needed(context: AutogenContext) -> Iterator[Name]:
    """Those of them that the column does not make itself, as a serial one does."""
    dialect: Any = context.dialect
    compiler = dialect.ddl_compiler(dialect, None)
    for table in declared_tables(context):
        for column in table.columns:
            if isinstance(getattr(column.server_default, "arg", None), TextClause):
                specification = compiler.get_column_specification(column)
                yield from (named_sequence(context.migration_context, name) for name in sequences_in(specification))


def named_sequence(migration: MigrationContext, name: str) -> Name:
    """A sequence by its name in SQL."""
    schema, _, plain_name = name.replace('"', "").rpartition(".")
    return plain(migration, schema or None, plain_name)


def _sequences_of(column: Column[Any]) -> Iterator[Sequence]:
    """The sequence that gives the values of a column, whether here or on the server."""
    if isinstance(column.default, Sequence) and not column.default.optional:
        yield column.default
    if isinstance(column.server_default, DefaultClause):
        sequence = getattr(column.server_default.arg, "sequence", None)
        if isinstance(sequence, Sequence):
            yield sequence


def options_of(sequence: Any) -> dict[str, Any]:
    """The options of a declared sequence or identity that are set."""
    found = {name: getattr(sequence, name, None) for name in _OPTIONS}
    found["data_type"] = getattr(sequence, "data_type", None)
    return {name: value for name, value in found.items() if value is not None}


def type_name(migration: MigrationContext, options: Mapping[str, Any]) -> str:
    """The type of a sequence, as SQL."""
    kind = options.get("data_type")
    if kind is None or isinstance(kind, str):
        return kind or "bigint"
    return str(to_instance(kind).compile(dialect=migration.dialect)).lower()


def completed(options: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """All options, with those that the server sets where they are not declared."""
    largest = _LARGEST[type_]
    increment = options.get("increment") or 1
    least, most = (1, largest) if increment > 0 else (-largest - 1, -1)
    least = options["minvalue"] if options.get("minvalue") is not None else least
    most = options["maxvalue"] if options.get("maxvalue") is not None else most
    start = options.get("start")
    return {
        "start": start if start is not None else (least if increment > 0 else most),
        "increment": increment,
        "minvalue": least,
        "maxvalue": most,
        "cache": options.get("cache") or 1,
        "cycle": bool(options.get("cycle")),
    }


def _clauses(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    words = {"start": "START WITH", "increment": "INCREMENT BY"}
    if old["data_type"] != new["data_type"]:
        yield f"AS {new['data_type']}"
    before = completed(old, old["data_type"])
    for name, value in completed(new, new["data_type"]).items():
        if value != before[name] and name == "cycle":
            yield "CYCLE" if value else "NO CYCLE"
        elif value != before[name]:
            yield f"{words.get(name, name.upper())} {value}"


def leave_numbers_to_sequences(container: ops.OpContainer) -> None:
    """A key that a sequence of its own numbers is created without another one, as SQLAlchemy would in the file."""
    for op in container.ops:
        if isinstance(op, ops.CreateTableOp):
            op.columns = [_not_numbered(item) for item in op.columns]


def _not_numbered(item: Any) -> Any:
    if not (isinstance(item, Column) and isinstance(item.default, Sequence) and not item.default.optional):
        return item
    if item.server_default is not None or item.autoincrement is False:
        return item
    plain_column = item._copy()
    plain_column.autoincrement = False
    return plain_column


def sequences_in(default: str) -> Iterator[str]:
    """The names of the sequences that a default takes its values from, as SQL."""
    yield from (match[1] for match in re.finditer(r"nextval\('([^']+)'", default))
