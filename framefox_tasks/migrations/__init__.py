"""Migrations: create, apply, revert and show them. Only the folder alembic imports Alembic."""
