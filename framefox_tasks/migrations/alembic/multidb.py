"""A migration of Alembic's multidb template: one file for all of its databases, which Alembic itself writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic import command

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.migrations.alembic.config import base_config
from framefox_tasks.migrations.alembic.describe import described
from framefox_tasks.migrations.alembic.environment import env_py_errors
from framefox_tasks.model import Target


def write_for_all(targets: Sequence[Target], message: str) -> tuple[Path | None, tuple[str, ...]]:
    """Compare each database with its metadata, and write what differs.

    Args:
        targets: All databases of the template, which exist.
        message: The description.

    Returns:
        The file, None where nothing differs; and its operations, each with the database that it is of.

    Raises:
        MigrationError: A migration is pending, or env.py fails.
    """
    config = base_config(targets[0].project)
    for target in targets:
        url = sqlalchemy_url(target, database_of(target)).render_as_string(hide_password=False)
        config.set_section_option(target.project.engine, "sqlalchemy.url", url.replace("%", "%%"))
    compared: list[object] = []
    operations: list[str] = []

    def after_each(context: object, revision: object, directives: Any) -> None:  # noqa: ARG001 - Alembic's signature
        compared.append(context)
        if len(compared) < len(targets):
            return
        for upgrade in directives[0].upgrade_ops_list:
            database = str(upgrade.upgrade_token).removesuffix("_upgrades")
            operations.extend(f"{database}: {operation}" for operation in described([upgrade]))
        if not operations:
            directives.clear()

    with env_py_errors(targets[0]):
        written: Any = command.revision(
            config, message=message, autogenerate=True, process_revision_directives=after_each
        )
    return (Path(written.path) if operations else None), tuple(operations)
