"""Everything that imports Alembic."""
