"""Alembic's entry point. The tasks and the plain `alembic` command both run it."""

from framefox_tasks.env import run_migrations

run_migrations()
