"""The names of the variables of ours."""

from __future__ import annotations

OURS = frozenset(
    {
        "DATABASE_URL",
        "DATABASE_HOST",
        "DATABASE_PORT",
        "DATABASE_USER",
        "DATABASE_PASSWORD",
        "DATABASE_NAME",
        "DATABASE_COPY_URL",
        "DATABASE_COPY_SALT",
        "APP_ENV",
        "ENV",
    }
)
"""The variables that .env.example lists."""
