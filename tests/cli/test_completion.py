"""What a shell completes: the tasks and their options."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.projects import MiniProject

pytestmark = pytest.mark.slow


def bash(project: MiniProject, line: str) -> set[str]:
    """What bash offers for a line, by the code that the script prints."""
    project.write("code.bash", project.framefox_tasks("completion", "bash").out)
    script = f"""
source ./code.bash
COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9
_python_argcomplete framefox-tasks
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = project.run("bash", "-c", script)
    assert result.code == 0, result.err
    return {found.strip() for found in result.out.splitlines() if found.strip()}


def test_bash_completes_tasks_and_options(shop: MiniProject) -> None:
    shop.write("dodo.py", f"{shop.read('dodo.py')}\ndef task_build():\n    return {{'actions': []}}\n")
    shop.write("below/notes.txt", "")
    below = MiniProject(shop.path / "below")
    assert {"init", "completion", "build"} <= bash(below, "framefox-tasks ")
    # Behind a colon bash completes the rest of the word only.
    assert "create-migration" in bash(shop, "framefox-tasks database:cr")
    assert bash(shop, "framefox-tasks database:upgrade --re") == {"--revision", "--resume"}
    assert bash(shop, "framefox-tasks database create-") == {"create-migration"}
    assert bash(shop, "framefox-tasks database upgrade --re") == {"--revision", "--resume"}


def test_it_completes_where_there_is_no_project_and_where_a_dodo_is_broken(tmp_path: Path) -> None:
    project = MiniProject(tmp_path)
    assert bash(project, "framefox-tasks ini") == {"init"}
    project.write("dodo.py", "import nothing_of_this_name\n")
    assert "upgrade" in bash(project, "framefox-tasks database:up")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_for_a_shell_is_valid(tmp_path: Path, shell: str) -> None:
    told = MiniProject(tmp_path).framefox_tasks("completion", shell)
    assert told.code == 0
    assert "framefox-tasks" in told.out
    if program := shutil.which(shell):
        assert subprocess.run([program, "-n", "-c", told.out], capture_output=True).returncode == 0


def test_a_shell_that_is_not_known_is_told(tmp_path: Path) -> None:
    told = MiniProject(tmp_path).framefox_tasks("completion", "csh")
    assert told.code == 3
    assert "invalid choice: 'csh'" in told.err
