"""The public names, each said once: where it is defined. `__init__.py` reads this when one is asked for."""

from framefox_tasks.copies import copy as copy, plan_copy as plan_copy
from framefox_tasks.diagrams.drawing import draw_diagram as draw_diagram
from framefox_tasks.diagrams.selection import select_changes as select_changes, select_tables as select_tables
from framefox_tasks.errors import (
    ConfigError as ConfigError,
    ConfirmationRequiredError as ConfirmationRequiredError,
    ConnectionFailedError as ConnectionFailedError,
    ConnectionLostError as ConnectionLostError,
    CopyError as CopyError,
    DatabaseExistsError as DatabaseExistsError,
    DatabaseInUseError as DatabaseInUseError,
    DatabaseNotFoundError as DatabaseNotFoundError,
    DiagramError as DiagramError,
    DriverMissingError as DriverMissingError,
    EntityError as EntityError,
    FleetError as FleetError,
    FleetStoppedError as FleetStoppedError,
    FramefoxTasksError as FramefoxTasksError,
    LockTimeoutError as LockTimeoutError,
    MigrationError as MigrationError,
    MigrationInterruptedError as MigrationInterruptedError,
    MigrationNeededError as MigrationNeededError,
    NoDatabaseError as NoDatabaseError,
    NotADatabaseError as NotADatabaseError,
    PermissionDeniedError as PermissionDeniedError,
    ProtectedError as ProtectedError,
    ReplayError as ReplayError,
    ScratchError as ScratchError,
    SeedError as SeedError,
    TargetNotEmptyError as TargetNotEmptyError,
    UnprovenError as UnprovenError,
    UnsupportedDialectError as UnsupportedDialectError,
    VerificationError as VerificationError,
)
from framefox_tasks.fleet.create import create_target as create_target
from framefox_tasks.fleet.standing import fleet_status as fleet_status
from framefox_tasks.fleet.targets import FleetTarget as FleetTarget, list_targets as list_targets
from framefox_tasks.fleet.upgrade import upgrade_all as upgrade_all
from framefox_tasks.migrations.amend import amend_migration as amend_migration
from framefox_tasks.migrations.baseline import baseline as baseline
from framefox_tasks.migrations.check import check as check
from framefox_tasks.migrations.clear import clear_migrations as clear_migrations
from framefox_tasks.migrations.create import (
    check_migration as check_migration,
    create_migration as create_migration,
    merge_heads as merge_heads,
)
from framefox_tasks.migrations.database import create as create, drop as drop
from framefox_tasks.migrations.diagnosis import diagnose as diagnose
from framefox_tasks.migrations.downgrade import downgrade as downgrade
from framefox_tasks.migrations.drift import drift as drift
from framefox_tasks.migrations.history import history as history
from framefox_tasks.migrations.metadata import (
    clear_metadata as clear_metadata,
    declared_schema as declared_schema,
    live_schema as live_schema,
    write_metadata as write_metadata,
)
from framefox_tasks.migrations.plan import downgrade_sql as downgrade_sql, plan as plan, upgrade_sql as upgrade_sql
from framefox_tasks.migrations.protection import (
    is_protected as is_protected,
    protect as protect,
    unprotect as unprotect,
)
from framefox_tasks.migrations.resolve import accept_edits as accept_edits, resolve as resolve
from framefox_tasks.migrations.schema_at import schema_at as schema_at
from framefox_tasks.migrations.schema_sql import schema_sql as schema_sql, write_schema_sql as write_schema_sql
from framefox_tasks.migrations.stamp import check_stamp as check_stamp, stamp as stamp
from framefox_tasks.migrations.status import status as status
from framefox_tasks.migrations.upgrade import upgrade as upgrade
from framefox_tasks.migrations.wait import wait as wait
from framefox_tasks.model import (
    CopyOptions as CopyOptions,
    DiagramOptions as DiagramOptions,
    FleetGroup as FleetGroup,
    FleetOptions as FleetOptions,
    Group as Group,
    Mask as Mask,
    NamedCopy as NamedCopy,
    Project as Project,
    RevisionOptions as RevisionOptions,
    Target as Target,
)
from framefox_tasks.results import (
    Addition as Addition,
    Baselined as Baselined,
    Checked as Checked,
    Copied as Copied,
    CopiedTable as CopiedTable,
    CopyPlan as CopyPlan,
    CopyProgress as CopyProgress,
    Created as Created,
    Diagnosed as Diagnosed,
    Downgraded as Downgraded,
    Drawn as Drawn,
    Drift as Drift,
    Drifted as Drifted,
    Dropped as Dropped,
    Edited as Edited,
    EditsAccepted as EditsAccepted,
    EntityCreated as EntityCreated,
    Finding as Finding,
    FleetOutcome as FleetOutcome,
    FleetReport as FleetReport,
    FleetStanding as FleetStanding,
    FleetStatus as FleetStatus,
    HistoryEntry as HistoryEntry,
    Initialized as Initialized,
    Interruption as Interruption,
    LockWait as LockWait,
    MetadataCleared as MetadataCleared,
    MetadataWritten as MetadataWritten,
    MigrationChecked as MigrationChecked,
    MigrationCreated as MigrationCreated,
    MigrationHistory as MigrationHistory,
    MigrationsCleared as MigrationsCleared,
    MigrationState as MigrationState,
    Plan as Plan,
    PlannedTable as PlannedTable,
    Proof as Proof,
    Protected as Protected,
    Resolved as Resolved,
    Revision as Revision,
    SchemaWritten as SchemaWritten,
    Script as Script,
    Seeded as Seeded,
    Selected as Selected,
    ShownSetting as ShownSetting,
    StampChecked as StampChecked,
    Stamped as Stamped,
    Status as Status,
    Step as Step,
    Upgraded as Upgraded,
    Waited as Waited,
    Whereabouts as Whereabouts,
)
from framefox_tasks.scaffold.entity import create_entity as create_entity
from framefox_tasks.scaffold.project import init as init
from framefox_tasks.schema.snapshot import Schema as Schema
from framefox_tasks.seeds.seed import seed as seed
from framefox_tasks.settings import Settings as Settings, load_settings as load_settings
from framefox_tasks.settings.effective import (
    EffectiveSettings as EffectiveSettings,
    effective_settings as effective_settings,
)

__all__: list[str]
