"""The results of operations: frozen dataclasses. Standard library only.

Apart from model, since a task that has nothing to do needs none of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from framefox_tasks.errors import ConfigError
from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Project, Target
from framefox_tasks.results._copies import (
    Copied as Copied,
    CopiedTable as CopiedTable,
    CopyPlan as CopyPlan,
    CopyProgress as CopyProgress,
    Holdings as Holdings,
    PlannedTable as PlannedTable,
)
from framefox_tasks.results._fleet import (
    AtState as AtState,
    Ended as Ended,
    FleetOutcome as FleetOutcome,
    FleetReport as FleetReport,
    FleetStanding as FleetStanding,
    FleetStatus as FleetStatus,
    PlannedTarget as PlannedTarget,
)
from framefox_tasks.results._migrations import (
    RESOLVE as RESOLVE,
    Baselined as Baselined,
    Downgraded as Downgraded,
    Drift as Drift,
    Drifted as Drifted,
    Edited as Edited,
    EditsAccepted as EditsAccepted,
    Interruption as Interruption,
    LockWait as LockWait,
    Losses as Losses,
    MigrationChecked as MigrationChecked,
    MigrationCreated as MigrationCreated,
    MigrationsCleared as MigrationsCleared,
    Plan as Plan,
    Proof as Proof,
    Resolved as Resolved,
    Revision as Revision,
    Script as Script,
    StampChecked as StampChecked,
    Stamped as Stamped,
    Step as Step,
    Upgraded as Upgraded,
    Whereabouts as Whereabouts,
)
from framefox_tasks.results._project import (
    Diagnosed as Diagnosed,
    EntityCreated as EntityCreated,
    SchemaWritten as SchemaWritten,
    Seeded as Seeded,
    ShownSetting as ShownSetting,
    Waited as Waited,
)
from framefox_tasks.results._scaffold import Addition as Addition, Initialized as Initialized
from framefox_tasks.schema.snapshot import Schema


class Created(Frozen):
    """A database was created, or was there already."""

    target: Target
    created: bool


class Finding(Frozen):
    """What a check found.

    Attributes:
        check: The name of the check.
        hint: What to do about it.
    """

    check: str
    message: str
    hint: str | None


class Checked(Frozen):
    """What check() found.

    Attributes:
        checks: The names of all checks, in their order. Those behind one that found something were not made.
    """

    target: Target
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]


class Protected(Frozen):
    """What protect() and unprotect() did.

    Attributes:
        protected: Whether the database is protected now, by the mark or by its target.
        changed: Whether the mark was set or taken away: it may have been so already.
    """

    target: Target
    protected: bool
    changed: bool


class Dropped(Frozen):
    """A database was dropped, or was not there."""

    target: Target
    dropped: bool


class MetadataWritten(Frozen):
    """The schema of the entities or of the database is in the cache.

    Attributes:
        changed: Whether it was another before.
        left_alone: The tables of the database that are not of the project.
        foreign: Whether none of the database is, and it was read whole.
    """

    project: Project
    path: Path
    tables: int
    changed: bool
    left_alone: tuple[str, ...] = ()
    foreign: bool = False


class Selected(Frozen):
    """The tables of a diagram, and the patterns of its options that match none.

    Attributes:
        before: The same tables as they were, in a diagram of a change.
        since: When they were so, as the user calls it.
    """

    title: str
    direction: str
    schema: Schema
    unmatched: tuple[str, ...] = ()
    before: Schema | None = None
    since: str = ""

    def to_text(self) -> str:
        """Its text in the cache: a line of JSON with all but the schema, and the schema's JSON."""
        change = [self.since, self.before.to_json()] if self.before else []
        return f"{json.dumps([self.title, self.direction, *change], ensure_ascii=False)}\n{self.schema.to_json()}"

    @classmethod
    def from_text(cls, text: str) -> Selected:
        """From the text of to_text.

        Raises:
            ConfigError: It is something else.
        """
        head, _, schema = text.partition("\n")
        try:
            title, direction, since, before = [*json.loads(head), "", ""][:4]
        except (ValueError, TypeError) as exc:
            raise ConfigError("This is no diagram.") from exc
        return cls(title, direction, Schema.from_json(schema), (), Schema.from_json(before) if before else None, since)


class Drawn(Frozen):
    """A diagram's files, and those of them whose content changed."""

    project: Project
    name: str
    tables: int
    paths: tuple[Path, ...]
    written: tuple[Path, ...]


class MetadataCleared(Frozen):
    """The cache of the entities was removed."""

    project: Project
    removed: tuple[Path, ...]


class MigrationState(Frozen):
    """A migration beside its state: CURRENT, APPLIED or PENDING; UNKNOWN where the database cannot be asked."""

    revision: Revision
    state: str
    is_head: bool


class Forecast(Frozen):
    """What a task would do if it were run now; up_to_date is None where that depends on a task before it."""

    task: str
    up_to_date: bool | None
    reason: str


class Status(Frozen):
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
        left_alone: The tables that are not of the project.
        certain: Whether that is known of them: the migrations were run on a scratch database before.
        interrupted: A migration that runs or was interrupted, after it had committed a part of what it does.
        edited: The migrations that are applied, and whose files do something else now.
        drift: What was changed by hand, where that was asked for.
        protected: Why the database is protected; None where it is not, or cannot be asked.
        elsewhere: What to do where it is at a revision by the version table of a schema that is not looked in.
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
    left_alone: tuple[str, ...] = ()
    certain: bool = True
    interrupted: Interruption | None = None
    edited: tuple[Edited, ...] = ()
    drift: Drift | None = None
    protected: str | None = None
    elsewhere: str | None = None

    @property
    def pending(self) -> int:
        """How many migrations are not applied."""
        return sum(migration.state == "PENDING" for migration in self.migrations)

    @property
    def up_to_date(self) -> bool:
        """Whether the database is there, is known to be at the head or heads, and nothing is pending or half-done."""
        known = bool(self.exists) and not self.error and not self.unknown
        return known and self.pending == 0 and not self.interrupted


class HistoryEntry(Frozen):
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


class MigrationHistory(Frozen):
    """Migrations, newest first, and where the database stands."""

    status: Status
    entries: tuple[HistoryEntry, ...]
