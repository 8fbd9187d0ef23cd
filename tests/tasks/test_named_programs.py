"""What loses data where another program runs doit, and what this package relies on to tell what was named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doit.cmd_base import DoitCmdBase, ModuleTaskLoader
from doit.cmd_run import Run
from doit.doit_cmd import DoitMain
from support.databases import Database
from support.naming import SKIPPED, file, is_whole, upgraded
from support.projects import MiniProject

__all__ = ["file"]


def script(project: MiniProject, text: str, *arguments: str) -> str:
    """The output of a program in the project, which must succeed."""
    project.write("program.py", text)
    result = project.run(sys.executable, "program.py", *arguments)
    assert result.code == 0, result.all
    return result.out


MAIN = "import sys; from doit.doit_cmd import DoitMain; sys.exit(DoitMain().run({}))"


def test_the_command_line_of_another_program_names_nothing(shop: MiniProject, file: Database) -> None:
    upgraded(shop)
    assert SKIPPED in script(shop, MAIN.format("[]"), "database_downgrade")
    assert is_whole(shop, file)
    assert "reverted 1" in script(shop, MAIN.format("['database_downgrade']"), "something", "else")
    assert file.revision() == []


API = """
import sys
from doit.api import run_tasks
from doit.cmd_base import ModuleTaskLoader
import dodo
sys.exit(run_tasks(ModuleTaskLoader(dodo), {}))
"""


def test_tasks_that_a_program_runs_by_their_names_are_named(shop: MiniProject, file: Database) -> None:
    upgraded(shop)
    assert SKIPPED in script(shop, API.format("{}"))
    assert is_whole(shop, file)
    assert "reverted 1" in script(shop, API.format("{'database_downgrade': {}}"))
    assert file.revision() == []


INSIDE = """
import sys
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
import dodo
inner = lambda: DoitMain(ModuleTaskLoader(dodo)).run({}) == 0
tasks = {{"task_outer": lambda: {{"actions": [inner], "verbosity": 2}}}}
sys.exit(DoitMain(ModuleTaskLoader({{**tasks, "DOIT_CONFIG": {{"dep_file": "outer"}}}})).run({}))
"""


def test_a_doit_within_a_task_of_doit_goes_by_its_own_names(shop: MiniProject, file: Database) -> None:
    upgraded(shop)
    assert SKIPPED in script(shop, INSIDE.format("[]", "['outer']"))
    assert is_whole(shop, file)
    assert "reverted 1" in script(shop, INSIDE.format("['database_downgrade']", "[]"))
    assert file.revision() == []


WITHOUT_COMMAND = """
import sys
from doit.control import TaskControl
from doit.dependency import Dependency, SqliteDB
from doit.loader import load_tasks
from doit.reporter import ConsoleReporter
from doit.runner import Runner
import dodo

control = TaskControl(load_tasks(vars(dodo)))
control.process(["database_downgrade"])
runner = Runner(Dependency(SqliteDB, "other"), ConsoleReporter(sys.stdout, {}))
sys.exit(runner.run_all(control.task_dispatcher()))
"""
WITHOUT_KNOWING = """
import sys
from doit.cmd_run import Run
from doit.doit_cmd import DoitMain

class Other(Run):
    name = "other"
    def _execute(self, *args, **kwargs):
        del self.sel_default_tasks
        return super()._execute(*args, **kwargs)
    _execute.__signature__ = __import__("inspect").signature(Run._execute)

class Main(DoitMain):
    DOIT_CMDS = (*DoitMain.DOIT_CMDS, Other)

sys.exit(Main().run(["other", "database_downgrade"]))
"""
OWN_ACTIONS = """
from framefox_tasks.tasks import *


def task_mine():
    return {"actions": task_database_downgrade()["actions"]}
"""


@pytest.mark.parametrize("text", [WITHOUT_COMMAND, WITHOUT_KNOWING])
def test_a_doit_that_does_not_tell_what_was_named_is_refused(shop: MiniProject, file: Database, text: str) -> None:
    upgraded(shop)
    result = shop.run(sys.executable, "-c", text)
    assert result.code == 1, result.all
    assert "This would revert migrations, and doit does not tell whether that was asked for by name." in result.all
    assert "Use the run command of doit 0.36 or 0.37" in result.all
    assert "Traceback" not in result.all
    assert is_whole(shop, file)


def test_the_action_alone_is_refused(shop: MiniProject, file: Database) -> None:
    upgraded(shop).write("dodo.py", OWN_ACTIONS)
    assert "Nothing was changed." in shop.fails("mine")
    assert is_whole(shop, file)


def test_doit_keeps_what_was_named_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each version of doit: what this package relies on beside its public interface."""
    monkeypatch.chdir(tmp_path)
    seen: list[tuple[bool, list[str] | None]] = []

    class Seeing(Run):  # type: ignore[misc]  # doit ships no type information
        def _execute(self) -> int:
            assert isinstance(self, DoitCmdBase)
            seen.append((self.sel_default_tasks, self.sel_tasks))
            return 0

    tasks = {"task_a": lambda: {"actions": ["true"], "params": [{"name": "x", "long": "x", "default": ""}]}}
    for default in ({}, {"default_tasks": ["a"]}):
        loader = ModuleTaskLoader({**tasks, "DOIT_CONFIG": default})
        for arguments in ([], ["a", "--x", "1", "a*"]):
            assert Seeing(task_loader=loader).parse_execute(arguments) == 0
    given = (False, ["a", "--x", "1", "a*"])
    assert seen == [(True, None), given, (True, ["a"]), given]
    assert "run" in DoitMain().get_cmds().to_dict()
