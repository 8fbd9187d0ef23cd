"""The two ends of a copy."""

from __future__ import annotations

import pytest
from support.databases import Database, MakeDatabase


@pytest.fixture
def source(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """A new database of the parameter's dialect, or of the one that the module is about."""
    return make_database(getattr(request, "param", None) or request.module.DIALECT)


@pytest.fixture
def target(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """Another one; what a copy leaves beside it goes with it."""
    return make_database(getattr(request, "param", None) or request.module.DIALECT, "copy")
