"""How often faults are provoked: a few times here, and as often as is promised by benchmarks/faults.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.faults import FULL


@pytest.fixture(autouse=True)
def _promise(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Note for benchmarks/faults.py what the test proves."""
    for marker in request.node.iter_markers("promise"):
        record_property("promise", marker.args[0])


@pytest.fixture
def often() -> Callable[[int, int], int]:
    """A function that takes a small number and the full one, and gives the one that counts in this run."""
    return lambda few, full: full if FULL else few


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """A function that notes what was counted, for the table of docs/reliability.md."""
    return lambda text: record_property("measured", text)
