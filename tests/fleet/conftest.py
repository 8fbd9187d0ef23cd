"""A fleet of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fleets import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)
