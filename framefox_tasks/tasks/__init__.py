"""The tasks. In a dodo.py: from framefox_tasks.tasks import *"""

from __future__ import annotations

import gc

# Tasks and imports make many objects and hardly any garbage, and to look for that takes a tenth of the time.
gc.set_threshold(200_000)

from framefox_tasks.tasks.copies import task_database_copy
from framefox_tasks.tasks.database import (
    task_database_baseline,
    task_database_check,
    task_database_clear_migration,
    task_database_create,
    task_database_create_migration,
    task_database_downgrade,
    task_database_drop,
    task_database_history,
    task_database_init,
    task_database_protect,
    task_database_resolve,
    task_database_stamp,
    task_database_status,
    task_database_upgrade,
)
from framefox_tasks.tasks.encoding import usable_streams, use_utf8
from framefox_tasks.tasks.fleet import (
    task_fleet_check,
    task_fleet_create,
    task_fleet_downgrade,
    task_fleet_status,
    task_fleet_upgrade,
)
from framefox_tasks.tasks.lifecycle import (
    task_database_reset,
    task_database_seed,
    task_database_setup,
    task_database_wait,
)
from framefox_tasks.tasks.mistyped import explain_mistypes
from framefox_tasks.tasks.project import task_create_entity, task_debug_config
from framefox_tasks.tasks.reporter import Reporter, hide_passwords, warn_of_variables
from framefox_tasks.tasks.schema import (
    task_database_clear_metadata,
    task_database_diagram,
    task_database_metadata,
    task_database_schema,
)
from framefox_tasks.tasks.signals import end_quietly
from framefox_tasks.tasks.state_file import state_file

DOIT_CONFIG = {
    # Without this a bare `doit` would run every task, database_drop included.
    "default_tasks": ["database_status"],
    # One file on every platform, which two runs may share.
    "backend": "sqlite3",
    "dep_file": state_file(),
    "reporter": Reporter,
    "verbosity": 2,
}

# Now and not when the run starts: an option that is not known, or lost its value, is an error before that.
use_utf8()
usable_streams()
end_quietly()
hide_passwords()
explain_mistypes()
warn_of_variables()

__all__ = [
    "DOIT_CONFIG",
    "task_create_entity",
    "task_database_baseline",
    "task_database_check",
    "task_database_clear_metadata",
    "task_database_clear_migration",
    "task_database_copy",
    "task_database_create",
    "task_database_create_migration",
    "task_database_diagram",
    "task_database_downgrade",
    "task_database_drop",
    "task_database_history",
    "task_database_init",
    "task_database_metadata",
    "task_database_protect",
    "task_database_reset",
    "task_database_resolve",
    "task_database_schema",
    "task_database_seed",
    "task_database_setup",
    "task_database_stamp",
    "task_database_status",
    "task_database_upgrade",
    "task_database_wait",
    "task_debug_config",
    "task_fleet_check",
    "task_fleet_create",
    "task_fleet_downgrade",
    "task_fleet_status",
    "task_fleet_upgrade",
]
