"""What can go wrong, as exceptions. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator


class FramefoxTasksError(Exception):
    """A mistake or a condition that the user can do something about.

    Args:
        message: What went wrong, and on which target. Never holds a password.
        hint: What to do next, ideally the command to type.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(FramefoxTasksError):
    """The settings, or an option on the command line, cannot be used."""


class NoDatabaseError(ConfigError):
    """The settings name no database."""


class UnsupportedDialectError(ConfigError):
    """The URL names a database that is not supported."""


class DriverMissingError(FramefoxTasksError):
    """The Python package that talks to this database is not installed."""


class DatabaseExistsError(FramefoxTasksError):
    """The database to be created is there already."""


class DatabaseNotFoundError(FramefoxTasksError):
    """The database does not exist."""


class DatabaseInUseError(FramefoxTasksError):
    """Others are connected to the database, or hold a lock on it."""


class LockTimeoutError(DatabaseInUseError):
    """Another run is changing the same database, and has not ended in time. Nothing was changed."""


class ProtectedError(FramefoxTasksError):
    """The database is protected, and what would lose its data was not forced. Nothing was changed."""


class NotADatabaseError(FramefoxTasksError):
    """The file is there, but it is no SQLite database."""


class ConnectionFailedError(FramefoxTasksError):
    """The server cannot be reached, or refused the login."""


class PermissionDeniedError(FramefoxTasksError):
    """The user or the file system does not allow the operation."""


class EntityError(FramefoxTasksError):
    """The entities cannot be imported completely."""


class SeedError(FramefoxTasksError):
    """Seeds cannot be read, or the database refuses them. Nothing was written."""


class DiagramError(FramefoxTasksError):
    """A diagram cannot be drawn, or not in every format.

    Attributes:
        drawn: The result of the formats that were drawn all the same, a Drawn; None if there are none.
    """

    drawn: object = None


class MigrationError(FramefoxTasksError):
    """A migration failed, or the history of migrations is not in order.

    Attributes:
        warnings: Python's warnings from the migrations that have run, each with its file and line.
    """

    warnings: tuple[str, ...] = ()


class MigrationNeededError(MigrationError):
    """The entities differ from the database's schema, and the caller asked for that to be an error."""


class MigrationInterruptedError(MigrationError):
    """A migration has committed a part of what it does, and did not end: it is not run again before that is settled."""


class ScratchError(FramefoxTasksError):
    """No scratch database can be made beside a target: the message says why."""


class UnprovenError(MigrationError):
    """A generated migration does not do what the entities declare, or cannot be undone; its file was not kept."""


class ReplayError(MigrationError):
    """The history cannot be run on a scratch database: the message says what it would reach, or where it fails.

    Attributes:
        leaves: Whether it was stopped, since it would have reached beyond the scratch database.
    """

    leaves: bool = False


class CopyError(FramefoxTasksError):
    """A database, or a row of it, cannot be copied."""


class VerificationError(CopyError):
    """The copy does not hold what its source does."""


class TargetNotEmptyError(CopyError):
    """The target of a copy holds tables, and the caller did not say that they may be replaced."""


class ConnectionLostError(ConnectionFailedError):
    """A connection ended while it was in use."""


class FleetError(FramefoxTasksError):
    """Targets of a fleet failed; what was done to the others stands."""


class FleetStoppedError(FleetError):
    """A run over a fleet stopped before it had begun with every target."""


class ConfirmationRequiredError(FramefoxTasksError):
    """A destructive operation was neither confirmed nor allowed in advance."""


def causes(exc: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it comes from, each once: whoever raises one again may have made a circle of them."""
    seen: list[BaseException] = []
    while exc is not None and not any(exc is one for one in seen):
        yield exc
        seen.append(exc)
        exc = exc.__cause__ or exc.__context__
