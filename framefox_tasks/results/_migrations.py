"""Results of the operations on migrations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.model import Target


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
    """A run waits for another that is changing the same database; `holder` says which, as far as the server knows.

    Or a statement of it waits for a lock of a table, or gives way to others: then `sentence` says so.
    """

    target: Target
    holder: str
    sentence: str = ""


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
        unmade: The tables of the entities that the database has, and no migration makes.
        meanwhile: The file that another run has written while this one waited for it.
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
    unmade: tuple[str, ...] = ()
    meanwhile: Path | None = None

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
    """The entities and the database agree, but for the tables that are not of the project.

    Attributes:
        left_alone, warnings, unmade: As of MigrationCreated.
    """

    target: Target
    left_alone: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()


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
class Whereabouts:
    """Where the files of revisions are that a database is at, and the project does not have.

    Attributes:
        revisions: Which they are.
        branches: The git branches that have the file of one.
        steps: How many migrations lead back to those that are here, by the files kept when they were applied; 0 if
            they were not.
        sentence: The same in words, without the database: `is at the revision ...`.
        advice: What to do about it.
    """

    revisions: tuple[str, ...]
    branches: tuple[str, ...]
    steps: int
    sentence: str
    advice: str
