"""Database operations as an incremental graph of doit tasks, and as plain functions.

    from framefox_tasks import Target, upgrade

    upgrade(Target("sqlite:///app.db"))

Names are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from framefox_tasks.model import CopyOptions, DiagramOptions, Group, Mask, NamedCopy, Project, Target
    from framefox_tasks.operations.copy import copy, plan_copy
    from framefox_tasks.operations.database import create, drop
    from framefox_tasks.operations.diagram import draw_diagram, select_tables
    from framefox_tasks.operations.migration import (
        check_migration,
        clear_migrations,
        create_migration,
        merge_heads,
        plan,
        upgrade_sql,
    )
    from framefox_tasks.operations.schema import clear_metadata, declared_schema, live_schema, write_metadata
    from framefox_tasks.operations.status import status
    from framefox_tasks.operations.upgrades import downgrade, upgrade
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
    from framefox_tasks.settings import Settings, load_settings
    from framefox_tasks.snapshot import Schema

_EXPORTS = {
    "errors": (
        "ConfigError ConfirmationRequiredError ConnectionFailedError ConnectionLostError CopyError "
        "DatabaseExistsError DatabaseInUseError DatabaseNotFoundError DiagramError DriverMissingError EntityError "
        "FramefoxTasksError LockTimeoutError MigrationError MigrationNeededError NotADatabaseError "
        "PermissionDeniedError TargetNotEmptyError UnsupportedDialectError VerificationError"
    ),
    "model": "CopyOptions DiagramOptions Group Mask NamedCopy Project Target",
    "operations.copy": "copy plan_copy",
    "operations.database": "create drop",
    "operations.migration": ("check_migration clear_migrations create_migration merge_heads plan upgrade_sql"),
    "operations.diagram": "draw_diagram select_tables",
    "operations.schema": "clear_metadata declared_schema live_schema write_metadata",
    "operations.status": "status",
    "operations.upgrades": "downgrade upgrade",
    "results": (
        "Copied CopiedTable CopyPlan CopyProgress Created Downgraded Drawn Dropped LockWait MetadataCleared "
        "MetadataWritten MigrationChecked MigrationCreated MigrationState MigrationsCleared Plan PlannedTable Revision "
        "Script Selected "
        "Status Step Upgraded"
    ),
    "settings": "Settings load_settings",
    "snapshot": "Schema",
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
