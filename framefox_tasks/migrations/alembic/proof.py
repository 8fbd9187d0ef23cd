"""The proof of a generated migration: on a scratch database it does what the entities declare, and can be undone."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from alembic.operations import ops
from sqlalchemy import Connection, Engine, MetaData, column, table, text
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from sqlalchemy.sql import ddl

from framefox_tasks.databases import database_of
from framefox_tasks.databases.engines import migration_engine
from framefox_tasks.databases.facts import Fact, FactDifference, declarable, differences, is_of
from framefox_tasks.errors import FramefoxTasksError, ReplayError, ScratchError, UnprovenError
from framefox_tasks.migrations.alembic.autogenerate import Comparison, compare
from framefox_tasks.migrations.alembic.claims import claims, names_of
from framefox_tasks.migrations.alembic.describe import operations_of
from framefox_tasks.migrations.alembic.failures import describe
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.made import digest_of
from framefox_tasks.migrations.alembic.older import Untouched, keep_older, untouched
from framefox_tasks.migrations.alembic.ownership import Known
from framefox_tasks.migrations.alembic.replay import guarded, listening, replay, revert
from framefox_tasks.migrations.alembic.schemas import schemas_made
from framefox_tasks.migrations.alembic.sequences import create_domains
from framefox_tasks.model import Target
from framefox_tasks.results import Proof
from framefox_tasks.schema import record
from framefox_tasks.schema.sources import ignored

OnReplay = Callable[[int], None]
_EXTENSION = (
    "Write a migration that creates it, and this one again after it:\n"
    '  doit database_create_migration --empty --message="extension {0}"\n'
    "  its upgrade():   op.execute({1!r})\n"
    "  doit database_upgrade database_create_migration"
)
_SHOWN = 10
_LONG = 10  # migrations from which on a replay takes longer than to keep its state


def prove(
    history: History, generated: Comparison, on_replay: OnReplay | None = None
) -> tuple[Proof, list[Fact] | None]:
    """Run a migration that was generated up, down and up again, behind the history, and compare what is reflected.

    Args:
        history: Knows the migration.
        generated: The migration.
        on_replay: Called with the number of migrations that are replayed first.

    Returns:
        Whether it was proven, or why it could not be; what the history makes with it, where that was found.

    Raises:
        UnprovenError: It does not do what the entities declare, or cannot be run or undone.
    """
    schemas = {table.schema for item in generated.metadata for table in item.tables.values()} - {None}
    if schemas and not database_of(history.target).has_schemas:
        return _unproven(f"the entities name another database: {', '.join(sorted(map(str, schemas)))}")
    try:
        try:
            with listening(), ExitStack() as stack:
                return _Proof(history, generated, stack, on_replay).run()
        except _CommittedError:
            with ExitStack() as stack:
                return _Proof(history, generated, stack, on_replay, apart=True).run()
    except ScratchError as exc:
        return _unproven(exc.message)
    except ReplayError as exc:
        if exc.leaves:
            return _unproven(exc.message)
        raise


def _unproven(reason: str) -> tuple[Proof, None]:
    return Proof(reason=reason), None


def _unchecked(metadata: MetaData) -> Any:
    """Let create_all() not look for each table in an empty database, unless something of the project's may make one."""
    kinds = getattr(ddl, "CheckFirst", None)  # before SQLAlchemy 2.1 it is all or nothing, with the types
    if kinds is None or metadata.dispatch.before_create:
        return True
    return kinds.ALL & ~kinds.TABLES


def _by_table(facts: Iterable[Fact]) -> dict[str, Counter[Fact]]:
    found: dict[str, Counter[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.table, Counter())[fact] += 1
    return found


def _quoted(extension: str) -> str:
    return extension if extension.isidentifier() else f'"{extension}"'


class _CommittedError(Exception):
    """What the project runs while its tables are made has committed what was to be rolled back."""


class _Proof:
    def __init__(
        self,
        history: History,
        generated: Comparison,
        stack: ExitStack,
        on_replay: OnReplay | None,
        *,
        apart: bool = False,
    ) -> None:
        self._apart = apart
        self._history = history
        self._target = history.target
        self._database = database_of(history.target)
        self._generated = generated
        self._stack = stack
        self._on_replay = on_replay
        self._notes: list[str] = []
        self._copied = False
        self._before: list[Fact] | None = None
        self._read: dict[str, list[Fact]] = {}
        self._settled: frozenset[str] = frozenset()
        self._still = Untouched()
        script = history.scripts.get_revision(str(generated.context.generated_revisions[-1].rev_id))
        self._revision = script.revision
        # All that is applied to the live database: with lasting branches more than what the migration follows.
        self._below = sorted({*history.heads, *script._all_down_revisions} - {script.revision})

    def run(self) -> tuple[Proof, list[Fact] | None]:
        """All steps."""
        scratch = self._below_it()
        before = self._before = self._facts(scratch) if self._before is None else self._before
        self._step("upgrade", lambda: replay(self._history, scratch, self._revision))
        after = self._facts(scratch)
        self._settled = self._unchanged(after)
        if not self._copied:
            self._still = untouched(self._history, self._generated, before, after)
        expected = self._declared(scratch)
        wrong, unmended = self._judged(expected, before, after) if expected is not None else ([], [])
        if wrong:
            raise self._failed("After it the schema is not what the entities declare", map(str, wrong))
        older = [*(text for _, text in self._still.older), *map(str, unmended)]
        left = self._operations(scratch)
        self._step("downgrade", lambda: revert(self._history, scratch, self._revision))
        self._leads_back(before, self._facts(scratch))
        if left:
            # Without the new file: Alembic compares a database at the head alone.
            stood = self._operations(scratch, History(self._target))
            claimed = self._generated.difference.operations
            # A type that is not dropped has other users in the live database, which are not on a scratch one.
            left = [item for item in left if item in claimed or not item.startswith("drop enum ")]
            new = [item for item in left if item in claimed or item not in stood]
            if new:
                raise self._failed("After it Alembic still finds", new)
            older += [item for item in left if item not in older]
        self._step("second upgrade", lambda: replay(self._history, scratch, self._revision))
        self._same("Its second upgrade leads to another schema than the first", after, self._facts(scratch))
        if expected is not None and not self._copied:
            keep_older(self._history, self._generated, unmended, self._still)
        if self._is_long and not self._copied:
            self._database.keep_state(self._target, scratch, digest_of(self._history, *self._generated.files))
        proof = Proof(proven=True, reason=" ".join(self._notes), older=tuple(older))
        return proof, None if self._copied else after

    def _below_it(self) -> Target:
        """A scratch database with the schema below the migration."""
        if self._generated.claimed:  # what no history makes
            return self._copy()
        state = digest_of(self._history) if self._is_long else ""
        scratch = self._stack.enter_context(self._database.scratch(self._target, state=state))
        if state and set(self._database.revision(scratch)) == {*self._history.heads} - {self._revision}:
            return scratch
        self._make_schemas(scratch)
        try:
            self._replay(scratch)
        except ReplayError as exc:
            if exc.leaves:
                raise
            try:
                copy = self._copy()
            except (FramefoxTasksError, SQLAlchemyError, NotImplementedError):
                first = exc.message.partition("\n")[0]
                raise ScratchError(f"the history does not run on an empty database: {first}") from exc
            self._notes.append("The history does not run on an empty database: proven on a copy of the schema.")
            return copy
        if unmade := self._unmade(scratch):
            self._notes.append(f"No migration makes {', '.join(unmade)}: proven on a copy of the schema.")
            return self._copy()
        return scratch

    def _unmade(self, scratch: Target) -> list[str]:
        """The tables that the migration changes and no migration below it makes."""
        operations = operations_of(self._generated.context)
        changed = {names_of(op) for op in operations} - {None}
        made = {names_of(op) for op in operations if isinstance(op, ops.CreateTableOp)}
        self._before = self._facts(scratch)
        there = {fact.table for fact in self._before}
        missing = (name for name in changed - made if name and not {".".join(filter(None, name)), name[1]} & there)
        return sorted(".".join(filter(None, name)) for name in missing)

    def _copy(self) -> Target:
        """A copy of the live schema, without rows."""
        copy = self._stack.enter_context(self._database.scratch(self._target))
        self._database.copy_schema(self._target, copy)
        self._note_version(copy)
        self._copied = True
        self._before = None
        return copy

    @property
    def _is_long(self) -> bool:
        """Whether it is worth to keep the state behind the history."""
        return len(self._history.revisions) >= _LONG

    def _replay(self, scratch: Target) -> None:
        if self._on_replay and self._below:
            self._on_replay(len([one for one in self._history.revisions if one.revision != self._revision]))
        for revision in self._below:
            replay(self._history, scratch, revision)

    def _make_schemas(self, scratch: Target) -> None:
        """Make the schemas that the entities name, but for those that the history makes itself."""
        if names := self._schemas:
            paths = [revision.path for revision in self._history.revisions]
            with self._engine(scratch).begin() as connection:
                self._create_schemas(connection, names - schemas_made(paths, names))

    @property
    def _schemas(self) -> set[str]:
        tables = (table for item in self._generated.metadata for table in item.tables.values())
        return {str(table.schema) for table in tables if table.schema}

    def _create_schemas(self, connection: Connection, names: Collection[str]) -> None:
        quote = connection.dialect.identifier_preparer.quote
        for name in sorted(names):
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quote(name)}"))

    def _note_version(self, scratch: Target) -> None:
        schema, _, name = scratch.project.version_table.rpartition(".")
        version = table(name, column("version_num"), schema=schema or None)
        with self._engine(scratch).begin() as connection:
            for revision in self._database.revision(self._target):
                connection.execute(version.insert(), {"version_num": revision})

    def _engine(self, scratch: Target) -> Engine:
        return migration_engine(scratch, self._database)

    def _facts(self, scratch: Target) -> list[Fact]:
        """What a scratch database holds, without the version table and what the settings ignore."""
        facts = self._read[scratch.url] = self._database.facts(scratch)
        return self._looked_at(facts)

    def _looked_at(self, facts: Sequence[Fact]) -> list[Fact]:
        version, project = self._target.project.version_table, self._target.project
        left_out = {fact.table for fact in facts if is_of(fact, version)}
        left_out |= {name for name in {fact.table for fact in facts} if ignored(project, name.rpartition(".")[2])}
        return [fact for fact in facts if fact.table not in left_out]

    def _declared(self, scratch: Target) -> list[Fact] | None:
        """What create_all() of the entities makes where nothing else is; None where it fails."""
        try:
            within = self._database.sets_aside and not self._apart
            facts = self._declared_within(scratch) if within else None
            return self._declared_apart(scratch) if facts is None else self._looked_at(facts)
        except (SQLAlchemyError, ReplayError) as exc:
            if isinstance(exc, ReplayError) and exc.leaves:
                raise
            self._notes.append(f"create_all() of the entities fails, so only Alembic has compared: {describe(exc)}")
            return None

    def _declared_within(self, scratch: Target) -> list[Fact] | None:
        """In the scratch database itself, in a transaction that is rolled back; None where that cannot be."""
        with guarded(self._target, scratch), self._engine(scratch).connect() as connection:
            transaction = connection.begin()
            aside = self._database.set_aside(connection)
            try:
                if aside is None:
                    return None
                self._create_all(connection)
                return aside.facts()
            finally:
                transaction.rollback()
                if aside is not None and aside.is_left():
                    raise _CommittedError

    def _declared_apart(self, scratch: Target) -> list[Fact]:
        """In another scratch database."""
        with self._database.scratch(self._target) as made:
            self._database.equip(made, scratch)
            with guarded(self._target, made), self._engine(made).begin() as connection:
                self._create_all(connection)
            return self._facts(made)

    def _create_all(self, connection: Connection) -> None:
        self._create_schemas(connection, self._schemas)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            for metadata in self._generated.metadata:
                if self._database.has_enum_types:
                    create_domains(metadata, connection)
                tables = self._still.declared(metadata)
                metadata.create_all(connection, tables, checkfirst=_unchecked(metadata))

    def _operations(self, scratch: Target, history: History | None = None) -> list[str]:
        """What Alembic would still do with what was read last; nothing where a hook of the project's fails on it."""
        try:
            with guarded(self._target, scratch):
                # All that is there is the project's, but for what a copy has of others.
                facts = None if self._copied else self._read[scratch.url]
                known = Known(facts, by_record=False, settled=self._settled)
                on_scratch = (history or self._history).on(scratch)
                compared = compare(on_scratch, known, imported=self._generated.metadata)
                return list(compared.difference.operations)
        except ReplayError as exc:
            if exc.leaves:
                raise
            self._notes.append(f"Alembic has not compared once more: {exc.message}")
            return []

    def _unchanged(self, after: list[Fact]) -> frozenset[str]:
        """The tables that Alembic has compared in this very state: in the live database, and that it leaves as it is.

        None at all where anything but a table is another, since tables may use it.
        """
        operations = operations_of(self._generated.context)
        names = [names_of(operation) for operation in operations]
        live, made = _by_table(self._facts(self._target)), _by_table(after)
        differing = {table for table in live.keys() | made.keys() if live.get(table) != made.get(table)}
        tables = {fact.table for facts in (*live.values(), *made.values()) for fact in facts if fact.what == "table"}
        if None in names or differing - tables:
            return frozenset()
        changed = {part for name in names if name for part in (".".join(filter(None, name)), name[1])}
        return frozenset(tables - differing - changed)

    def _judged(
        self, expected: list[Fact], before: list[Fact], after: list[Fact]
    ) -> tuple[list[FactDifference], list[FactDifference]]:
        """What is wrong after the migration: what it has made so or claims to mend, and what was so before."""
        expected, before, after = map(self._still.rest, (expected, before, after))
        stood = {str(item) for item in differences(expected, declarable(before, expected))}
        found = differences(expected, declarable(after, expected))
        claimed = list(claims(operations_of(self._generated.context)))
        new = self._newly_declared()
        wrong = [
            item
            for item in found
            if str(item) not in stood
            or (item.fact.table, item.fact.what, item.fact.attribute) in new
            or any(claim(item.fact) for claim in claimed)
        ]
        return wrong, [] if self._copied else [item for item in found if item not in wrong]

    def _newly_declared(self) -> set[tuple[str, str, str]]:
        """The types that the entities have given columns since the newest migration: these did not differ before."""
        before = record.recorded_tables(self._target.project)
        schema = self._generated.schema
        return {
            (name, f"column {column.name}", "type")
            for table in (schema.tables if schema else ())
            if table.key in before
            for old in before[table.key].columns
            for column in table.columns
            if old.name == column.name and (old.type, old.type_on) != (column.type, column.type_on)
            for name in (table.key, table.name)
        }

    def _step(self, name: str, run: Callable[[], object]) -> None:
        try:
            run()
        except ReplayError as exc:
            if exc.leaves:
                raise
            failed = self._failed(f"Its {name} fails on a scratch database", exc.message.splitlines()[1:-1])
            if extension := self._database.missing_extension(self._target, exc.message):
                failed.message += f"\nNo migration creates the extension {extension}, which has that."
                failed.hint = _EXTENSION.format(extension, f"CREATE EXTENSION IF NOT EXISTS {_quoted(extension)}")
            raise failed from exc

    def _leads_back(self, before: list[Fact], found: list[Fact]) -> None:
        """Compare what is there after the downgrade; what the live database has otherwise may come back so."""
        wrong = differences(before, found)
        if not wrong:
            return
        drifted = {str(item) for item in differences(before, self._facts(self._target))}
        left = [str(item) for item in wrong if str(item) not in drifted]
        if left:
            raise self._failed("Its downgrade does not lead back to the schema before it", left)
        listed = "; ".join(map(str, wrong[:_SHOWN]))
        self._notes.append(
            f"The downgrade leads to what this database has, and not to what its migrations make: {listed}."
        )

    def _same(self, title: str, expected: list[Fact], found: list[Fact]) -> None:
        wrong = differences(expected, found)
        if wrong:
            raise self._failed(title, map(str, wrong))

    def _failed(self, title: str, details: Iterable[str]) -> UnprovenError:
        lines = [line.strip() for line in details]
        more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        listed = "".join(f"\n  {line}" for line in (*lines[:_SHOWN], *more))
        drifted = "".join(f"\n  {line}" for line in self._drifted())
        told = f"\n{self._target.label} is not what its migrations make; undo that in it:{drifted}" if drifted else ""
        return UnprovenError(f"{title}:{listed}{told}")

    def _drifted(self) -> list[str]:
        """In what that this migration changes the live database is not what the migrations below it make."""
        if self._copied or not self._before:
            return []
        claimed = list(claims(operations_of(self._generated.context)))
        found = differences(self._before, self._facts(self._target))
        return [str(item) for item in found if any(claim(item.fact) for claim in claimed)]
