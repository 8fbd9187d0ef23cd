"""What contributors and package indexes get: the sdist, the wheel, the floors, the workflow and the servers."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from support.databases import DEFAULT_SERVERS
from support.projects import ROOT

from framefox_tasks.cli.loader import spelled
from framefox_tasks.cli.usage import tasks

METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def requirements(*extras: str) -> list[Requirement]:
    """What the package and these extras ask for, without the package itself."""
    lines = [
        *METADATA["dependencies"],
        *(line for extra in extras for line in METADATA["optional-dependencies"][extra]),
    ]
    return [each for each in map(Requirement, lines) if each.name != METADATA["name"]]


def floors() -> dict[str, str]:
    lines = (ROOT / ".ci/floors.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_each_dependency_has_a_floor() -> None:
    for each in requirements("postgresql", "mysql", "diagram", "dask", "test"):
        assert any(specifier.operator == ">=" for specifier in each.specifier), each


def test_the_floors_are_those_that_are_declared() -> None:
    declared: dict[str, str] = {}
    for each in requirements("postgresql", "mysql", "diagram", "dask", "test"):
        (floor,) = (specifier.version for specifier in each.specifier if specifier.operator == ">=")
        name = each.name.lower()
        declared[name] = max(declared.get(name, floor), floor, key=Version)
    assert floors() == declared


def test_graphviz_is_an_extra() -> None:
    assert not {"eralchemy2", "pygraphviz"} & {each.name for each in requirements()}
    assert {each.name for each in requirements("diagram")} - {each.name for each in requirements()} == {
        "eralchemy2",
        "pygraphviz",
    }


def runs(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_runs_on_every_version_that_is_named() -> None:
    pattern = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    named = [match[1] for match in map(pattern.fullmatch, METADATA["classifiers"]) if match]
    assert WORKFLOW["jobs"]["fast"]["strategy"]["matrix"]["python"] == named
    assert METADATA["requires-python"] == f">={named[0]}"


def test_the_workflow_runs_on_the_servers_that_are_supported() -> None:
    matrix = WORKFLOW["jobs"]["servers"]["strategy"]["matrix"]["include"]
    assert {each["postgresql"] for each in matrix} == {"postgres:13", "postgres:18"}
    assert {each["mysql"].partition(":")[0] for each in matrix} == {"mariadb", "mysql"}
    assert "mysql:9" in {each["mysql"] for each in matrix}


def test_every_step_of_the_workflow_is_an_action_or_a_command_that_is_there() -> None:
    for name, job in WORKFLOW["jobs"].items():
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), name
        for command in runs(job):
            program, *arguments = command.split()
            if program.startswith(".ci/"):
                assert (ROOT / program).stat().st_mode & 0o111, command
            elif program == "python":
                assert arguments[:2] in (["-m", "pip"], ["-m", "build"]), command
            else:
                assert program in {"docker", "mkdocs", "ruff", "mypy", "pytest", "sudo", "twine"}, command
            for extra in re.findall(r"\.\[(\w+)\]", command):
                assert extra in METADATA["optional-dependencies"], command


def test_the_commands_of_the_workflow_are_those_of_the_scripts() -> None:
    scripts = "".join((ROOT / path).read_text(encoding="utf-8") for path in (".ci/run", ".ci/lowest"))
    for command in (*runs(WORKFLOW["jobs"]["lint"])[1:], *runs(WORKFLOW["jobs"]["fast"])[1:]):
        assert command in scripts, command
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for command in (*runs(WORKFLOW["jobs"]["package"])[1:], "docker compose up --detach --wait"):
        assert command in contributing, command


def test_the_fast_lane_is_the_same_everywhere() -> None:
    lane = runs(WORKFLOW["jobs"]["fast"])[-1]
    assert lane in (ROOT / ".ci/lowest").read_text(encoding="utf-8")
    assert f"`{lane}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_servers_of_compose_are_where_the_tests_look() -> None:
    for name, port, variable in (("postgresql", 5432, "POSTGRESQL_IMAGE"), ("mysql", 3306, "MYSQL_IMAGE")):
        service = COMPOSE["services"][name]
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert service["image"].startswith(f"${{{variable}:-")
        assert "healthcheck" in service
    assert WORKFLOW["env"] == dict(DEFAULT_SERVERS.values())
    assert WORKFLOW["jobs"]["servers"]["env"].keys() >= {"POSTGRESQL_IMAGE", "MYSQL_IMAGE"}


@pytest.mark.parametrize("script", ["run", "lowest", "wheel"])
def test_a_script_is_valid(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / script]).returncode == 0


def test_the_version_has_its_section() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(METADATA['version'])} ", changelog, re.MULTILINE)


def built(tmp_path: Path) -> tuple[set[str], set[str]]:
    """The names in the sdist and in the wheel, which is built from what the sdist holds."""
    command = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    (sdist,), (wheel,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(sdist) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        return source, set(archive.namelist())


@pytest.mark.slow
def test_the_sdist_holds_the_project_and_the_wheel_the_package(tmp_path: Path) -> None:
    source, wheel = built(tmp_path)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = listed.stdout.split("\n")
    folders = ("docs/", "migrations/", "framefox_tasks/", "tests/", "src/", "config/", ".ci/")
    wanted = {name for name in tracked if name.startswith(folders)}
    wanted |= {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "dodo.py", "compose.yaml"}
    assert wanted <= source
    assert not [
        name
        for name in source
        if name.endswith((".db", ".pyc", ".env")) or name.startswith((".venv", ".git/")) or "/node_modules" in name
    ]
    assert {name for name in tracked if name.startswith("framefox_tasks/")} <= wheel
    assert {name.split("/")[0] for name in wheel} == {
        "framefox_tasks",
        f"framefox_tasks-{METADATA['version']}.dist-info",
    }


def test_the_hooks_of_pre_commit_are_valid_and_run_tasks_that_are_there() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {hook["id"] for hook in hooks} == {"database-check", "database-diagram"}
    for hook in hooks:
        assert hook["language"] == "system"  # an environment of its own has no entities
        assert hook["pass_filenames"] is False
        program, word = hook["entry"].split()
        assert program in METADATA["scripts"]
        assert spelled(word, tasks()) == hook["name"]
