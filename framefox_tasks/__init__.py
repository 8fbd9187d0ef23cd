"""Database operations as an incremental graph of doit tasks, and as plain functions.

    from framefox_tasks import Target, upgrade

    upgrade(Target("sqlite:///app.db"))

Names are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framefox_tasks.copies import copy, plan_copy
    from framefox_tasks.diagrams.drawing import draw_diagram
    from framefox_tasks.diagrams.selection import select_tables
    from framefox_tasks.errors import (
        ConfigError,
        ConfirmationRequiredError,
        ConnectionFailedError,
        ConnectionLostError,
        CopyError,
        DatabaseExistsError,
        DatabaseInUseError,
        DatabaseNotFoundError,
        DiagramError,
        DriverMissingError,
        EntityError,
        FramefoxTasksError,
        LockTimeoutError,
        MigrationError,
        MigrationNeededError,
        NotADatabaseError,
        PermissionDeniedError,
        TargetNotEmptyError,
        UnsupportedDialectError,
        VerificationError,
    )
    from framefox_tasks.migrations.create import (
        check_migration,
        clear_migrations,
        create_migration,
        merge_heads,
        plan,
        upgrade_sql,
    )
    from framefox_tasks.migrations.database import create, drop
    from framefox_tasks.migrations.metadata import clear_metadata, declared_schema, live_schema, write_metadata
    from framefox_tasks.migrations.status import status
    from framefox_tasks.migrations.upgrade import downgrade, upgrade
    from framefox_tasks.model import CopyOptions, DiagramOptions, Group, Mask, NamedCopy, Project, Target
    from framefox_tasks.results import (
        Copied,
        CopiedTable,
        CopyPlan,
        CopyProgress,
        Created,
        Downgraded,
        Drawn,
        Dropped,
        LockWait,
        MetadataCleared,
        MetadataWritten,
        MigrationChecked,
        MigrationCreated,
        MigrationsCleared,
        MigrationState,
        Plan,
        PlannedTable,
        Revision,
        Script,
        Selected,
        Status,
        Step,
        Upgraded,
    )
    from framefox_tasks.schema.snapshot import Schema
    from framefox_tasks.settings import Settings, load_settings

_EXPORTS = {
    "errors": (
        "ConfigError ConfirmationRequiredError ConnectionFailedError ConnectionLostError CopyError "
        "DatabaseExistsError DatabaseInUseError DatabaseNotFoundError DiagramError DriverMissingError EntityError "
        "FramefoxTasksError LockTimeoutError MigrationError MigrationNeededError NotADatabaseError "
        "PermissionDeniedError TargetNotEmptyError UnsupportedDialectError VerificationError"
    ),
    "model": "CopyOptions DiagramOptions Group Mask NamedCopy Project Target",
    "copies": "copy plan_copy",
    "migrations.database": "create drop",
    "migrations.create": "check_migration clear_migrations create_migration merge_heads plan upgrade_sql",
    "migrations.metadata": "clear_metadata declared_schema live_schema write_metadata",
    "diagrams.drawing": "draw_diagram",
    "diagrams.selection": "select_tables",
    "migrations.status": "status",
    "migrations.upgrade": "downgrade upgrade",
    "results": (
        "Copied CopiedTable CopyPlan CopyProgress Created Downgraded Drawn Dropped LockWait MetadataCleared "
        "MetadataWritten MigrationChecked MigrationCreated MigrationState MigrationsCleared Plan PlannedTable Revision "
        "Script Selected "
        "Status Step Upgraded"
    ),
    "settings": "Settings load_settings",
    "schema.snapshot": "Schema",
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = [
    "ConfigError",
    "ConfirmationRequiredError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "Copied",
    "CopiedTable",
    "CopyError",
    "CopyOptions",
    "CopyPlan",
    "CopyProgress",
    "Created",
    "DatabaseExistsError",
    "DatabaseInUseError",
    "DatabaseNotFoundError",
    "DiagramError",
    "DiagramOptions",
    "Downgraded",
    "Drawn",
    "DriverMissingError",
    "Dropped",
    "EntityError",
    "FramefoxTasksError",
    "Group",
    "LockTimeoutError",
    "LockWait",
    "Mask",
    "MetadataCleared",
    "MetadataWritten",
    "MigrationChecked",
    "MigrationCreated",
    "MigrationError",
    "MigrationNeededError",
    "MigrationState",
    "MigrationsCleared",
    "NamedCopy",
    "NotADatabaseError",
    "PermissionDeniedError",
    "Plan",
    "PlannedTable",
    "Project",
    "Revision",
    "Schema",
    "Script",
    "Selected",
    "Settings",
    "Status",
    "Step",
    "Target",
    "TargetNotEmptyError",
    "UnsupportedDialectError",
    "Upgraded",
    "VerificationError",
    "check_migration",
    "clear_metadata",
    "clear_migrations",
    "copy",
    "create",
    "create_migration",
    "declared_schema",
    "downgrade",
    "draw_diagram",
    "drop",
    "live_schema",
    "load_settings",
    "merge_heads",
    "plan",
    "plan_copy",
    "select_tables",
    "status",
    "upgrade",
    "upgrade_sql",
    "write_metadata",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
