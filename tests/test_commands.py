"""How the tests run commands: in processes that are forked from one which has imported what they need."""

from __future__ import annotations

from support.commands import PRELOADED
from support.projects import MiniProject


def test_nothing_that_is_preloaded_is_imported_once_more_by_a_command(shop: MiniProject) -> None:
    shop.write("probe.py", f"import sys\nprint([name for name in {PRELOADED!r} if name not in sys.modules])\n")
    assert shop.module("probe").out == "[]\n"
