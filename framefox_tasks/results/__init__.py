"""The results of operations: frozen dataclasses. Standard library only.

Apart from model, since a task that has nothing to do needs none of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Project, Target
from framefox_tasks.results._copies import (
    Copied as Copied,
    CopiedTable as CopiedTable,
    CopyPlan as CopyPlan,
    CopyProgress as CopyProgress,
    PlannedTable as PlannedTable,
)
from framefox_tasks.results._whereabouts import Whereabouts as Whereabouts
from framefox_tasks.schema.snapshot import Schema


@dataclass(frozen=True)
class Created:
    """A database was created, or was there already."""

    target: Target
    created: bool


@dataclass(frozen=True)
class Dropped:
    """A database was dropped, or was not there."""

    target: Target
    dropped: bool


@dataclass(frozen=True)
class Revision:
    """One migration of the history."""

    revision: str
    description: str
    path: Path
    down_revisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A migration that was run, and for how many seconds."""

    revision: Revision
    seconds: float


@dataclass(frozen=True)
class LockWait:
    """A run waits for another that is changing the same database; `holder` says which, as far as the server knows."""

    target: Target
    holder: str


@dataclass(frozen=True)
class Upgraded:
    """Migrations were applied; none, where the database was up to date.

    Attributes:
        meanwhile: Something was pending, and another run has applied it before this one could.
        by_themselves: The migrations that have committed by themselves, in a database that could roll them back.
        warnings: Python's warnings, each with the file and line of the migration that it comes from.
    """

    target: Target
    steps: tuple[Step, ...]
    current: tuple[str, ...]
    heads: tuple[str, ...]
    meanwhile: bool = False
    by_themselves: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Downgraded:
    """Migrations were reverted; none, where none was applied.

    Attributes:
        by_themselves, warnings: As of Upgraded.
    """

    target: Target
    steps: tuple[Step, ...]
    current: tuple[str, ...]
    by_themselves: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The migrations that an upgrade would run, in order."""

    target: Target
    pending: tuple[Revision, ...]
    heads: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    """SQL for a person to review or to run elsewhere. The warnings are as of Upgraded."""

    target: Target
    sql: str
    heads: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """What a proof on a scratch database has shown of a migration.

    Attributes:
        proven: Whether it does what the entities declare, and can be undone.
        reason: Why it could not be proven; or what a proof that was made has left out.
        older: The differences between the entities and the migrations that stood before.
        wrong: What it does not do as it should, where it was kept all the same.
    """

    proven: bool = False
    reason: str = ""
    older: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True)
class MigrationCreated:
    """A migration file was written; path is None where the entities and the database agree.

    Attributes:
        operations: What it does.
        destructive: Those of them that lose data.
        unnamed: Constraints that no later migration can drop.
        by_hand: What has changed in the entities, and Alembic does not compare.
        left_alone: The tables of the database that are neither declared nor recorded, and so not of the project.
        risks: What of it can fail where tables have rows, or change their values.
        renames: What looks like a rename and was written as a drop and an add: OLD:NEW, as for `rename`.
        warnings: Python's warnings, each with the file and line of the project that it comes from.
        proof: Whether it was proven on a scratch database; None where nothing was to be proven.
        applied: Whether it is marked as applied, since the database has all that it makes.
    """

    target: Target
    path: Path | None
    operations: tuple[str, ...] = ()
    destructive: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    renames: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    proof: Proof | None = None
    applied: bool = False

    @property
    def proven(self) -> bool:
        """Whether it does what the entities declare, and can be undone."""
        return self.proof is not None and self.proof.proven

    @property
    def not_proven(self) -> str:
        """Why it was not proven; empty where it was, or where nothing was to be proven."""
        return "" if self.proof is None or self.proof.proven else self.proof.wrong or self.proof.reason


@dataclass(frozen=True)
class Baselined:
    """The migration that makes what a database has was written, and is marked as applied there.

    Attributes:
        path: Its file.
        revisions: Where the database stands now.
        operations: What the migration does.
        unnamed: Constraints that no later migration can drop.
        pending: What the entities have and the database has not, or the other way round.
        left_alone: The tables of the database that are not of the entities.
    """

    target: Target
    path: Path
    revisions: tuple[str, ...]
    operations: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()


@dataclass(frozen=True)
class MigrationChecked:
    """The entities and the database agree, but for the tables that are not of the project."""

    target: Target
    left_alone: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class MigrationsCleared:
    """Revision files were removed, and the version table emptied where there was one."""

    target: Target
    removed: tuple[Path, ...]
    version_table_cleared: bool


@dataclass(frozen=True)
class Stamped:
    """The version table says that the database is at other revisions than before, or at the same; nothing was run."""

    target: Target
    before: tuple[str, ...]
    current: tuple[str, ...]


@dataclass(frozen=True)
class StampChecked:
    """A schema beside the one that the migrations up to some revisions make.

    Attributes:
        revisions: Those that the version table would hold.
        differences: In what the two differ, as "the table product is missing".
        not_compared: Why the two could not be compared.
    """

    target: Target
    revisions: tuple[str, ...]
    differences: tuple[str, ...] = ()
    not_compared: str | None = None


@dataclass(frozen=True)
class MetadataWritten:
    """The schema of the entities or of the database is in the cache; `changed` says whether it was another before."""

    project: Project
    path: Path
    tables: int
    changed: bool


@dataclass(frozen=True)
class Selected:
    """The tables of a diagram, and the patterns of its options that match none."""

    title: str
    direction: str
    schema: Schema
    unmatched: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Its text in the cache: a line of JSON with the title and the direction, and the schema's JSON."""
        return f"{json.dumps([self.title, self.direction], ensure_ascii=False)}\n{self.schema.to_json()}"

    @classmethod
    def from_text(cls, text: str) -> Selected:
        """From the text of to_text.

        Raises:
            ConfigError: It is something else.
        """
        head, _, schema = text.partition("\n")
        try:
            title, direction = json.loads(head)
        except ValueError as exc:
            raise ConfigError("This is no diagram.") from exc
        return cls(title, direction, Schema.from_json(schema))


@dataclass(frozen=True)
class Drawn:
    """A diagram's files, and those of them whose content changed."""

    project: Project
    name: str
    tables: int
    paths: tuple[Path, ...]
    written: tuple[Path, ...]


@dataclass(frozen=True)
class MetadataCleared:
    """The cache of the entities was removed."""

    project: Project
    removed: tuple[Path, ...]


@dataclass(frozen=True)
class MigrationState:
    """A migration beside its state: CURRENT, APPLIED or PENDING; UNKNOWN where the database cannot be asked."""

    revision: Revision
    state: str
    is_head: bool


@dataclass(frozen=True)
class Forecast:
    """What a task would do if it were run now; up_to_date is None where that depends on a task before it."""

    task: str
    up_to_date: bool | None
    reason: str


@dataclass(frozen=True)
class Status:
    """A database and its migrations, newest first.

    Attributes:
        exists: None where that could not be found out.
        error: Why the database could not be asked, without a password.
        server: The title and version of the server.
        size: Bytes of the database, where it is a file.
        current: The revisions that the database is at.
        unknown: Those of them that have no file.
        whereabouts: What is known of these; None where each has one.
        lasting: Whether several heads are meant to be.
    """

    target: Target
    exists: bool | None
    error: str | None = None
    server_version: str | None = None
    server: str = ""
    size: int | None = None
    current: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    migrations: Sequence[MigrationState] = ()
    whereabouts: Whereabouts | None = None
    lasting: bool = False

    @property
    def pending(self) -> int:
        """How many migrations are not applied."""
        return sum(migration.state == "PENDING" for migration in self.migrations)

    @property
    def up_to_date(self) -> bool:
        """Whether the database is there, is known to be at the head or heads, and nothing is pending."""
        return bool(self.exists) and not self.error and not self.unknown and self.pending == 0


@dataclass(frozen=True)
class HistoryEntry:
    """A migration of the history, with all that its file says of it.

    Attributes:
        migration: Its revision and state.
        docstring: What its author wrote.
        labels: The branches that it is on.
        depends_on: Revisions that must be applied before it, beside those that it follows.
        created: When it was written, as its docstring has it.
        kept: Whether the project has no such file, and it is the one that was kept when it was applied.
    """

    migration: MigrationState
    docstring: str
    labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    created: str | None = None
    kept: bool = False


@dataclass(frozen=True)
class MigrationHistory:
    """Migrations, newest first, and where the database stands."""

    status: Status
    entries: tuple[HistoryEntry, ...]
