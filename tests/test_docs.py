"""Every command and every output that the README shows is run here, in its order, in a copy of the repository."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.projects import ROOT, MiniProject

from framefox_tasks import Target, load_settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(?:<!-- (?P<note>.*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs from run to run, and what stands for it in the comparison.
CHANGING = (
    (re.compile(r"\b[0-9a-f]{12}\b"), "REVISION"),
    (re.compile(r"\b\d{8}_\d{6}_"), "TIME_"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "TIME"),
    (re.compile(r"\b\d+\.\d\d\b"), "SECONDS"),
    (re.compile(r"SQLite \d+\.\d+\.\d+"), "SQLite VERSION"),
    (re.compile(r"\d+\.\d KB"), "SIZE"),
    (re.compile(r"[━─]+"), "-"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True)
class Block:
    note: str
    language: str
    text: str


BLOCKS = [Block(match["note"] or "", match["language"], match["text"]) for match in BLOCK.finditer(README)]


def blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


# What a copy tells only where it takes long, as on a busy machine.
PROGRESS = re.compile(r" (?:[a-z ]+\.\.\.|\w+: [\d,]+ rows? in [\d.]+ s)")


def normal(text: str) -> list[str]:
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return [line.strip() for line in text.strip().splitlines() if not PROGRESS.fullmatch(line)]


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a block with the output shown for it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.fixture
def clone(tmp_path: Path) -> MiniProject:
    """What git tracks of the repository, in a folder of its own."""
    path = tmp_path / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("framefox_tasks/"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    return MiniProject(path)


CUSTOMERS = """
INSERT INTO customer (id, email, name, created_at)
    VALUES (1, 'ada@shop.test', 'Ada', '2026-01-10 09:00:00'), (2, 'bob@shop.test', 'Bob', '2025-06-01 12:00:00');
INSERT INTO "order" (id, customer_id, status, created_at)
    VALUES (1, 2, 'shipped', '2025-06-01 12:00:00'), (2, 1, 'new', '2026-01-10 09:00:00'),
        (3, 2, 'paid', '2026-01-11 10:30:00');
"""


def prepare(clone: MiniProject, note: str) -> None:
    """Do what stands before a block as a comment that readers of the page do not see."""
    if note == "add customers":
        with closing(sqlite3.connect(clone.path / "app.db")) as connection:
            connection.executescript(CUSTOMERS)
        return
    if note.startswith("edit "):
        match = re.fullmatch(r"edit (\S+): after `(.+?)` insert `(.+)`", note)
        assert match, note
        lines = clone.read(match[1]).splitlines(keepends=True)
        index = next(index for index, line in enumerate(lines) if match[2] in line)
        clone.write(match[1], "".join([*lines[: index + 1], f"{match[3]}\n", *lines[index + 1 :]]))
    elif note:
        assert note == "write a migration beside the newest one"
        newest = clone.read(f"migrations/versions/{clone.versions()[-1]}")
        match = re.search(r"^down_revision.*= '(\w+)'", newest, re.MULTILINE)
        assert match
        clone.migration("9e1b44d2c8f7", match[1])
        clone.replace("migrations/versions/9e1b44d2c8f7_by_hand.py", "migration 9e1b44d2c8f7", "of another branch")


@pytest.mark.server
def test_the_console_blocks_show_what_happens(clone: MiniProject, make_database: MakeDatabase) -> None:
    staging = make_database("postgresql")
    clone.env["STAGING_URL"] = staging.url
    label = Target(staging.url).label
    clone.ok("database_upgrade")
    shown = 0
    for block in BLOCKS:
        if block.language == "yaml" and block.note == "append to config/orm.yaml":
            clone.write("config/orm.yaml", f"{clone.read('config/orm.yaml')}\n{block.text}")
        if block.language != "console":
            continue
        prepare(clone, block.note)
        for command, output in commands(block):
            result = clone.run("sh", "-c", f"{command} 2>&1" if ">" not in command else command)
            assert normal(result.all.replace(label, "shop on localhost:5432")) == normal(output), command
            shown += 1
    assert shown > 10


def test_the_set_up_commands_are_those_that_ci_runs() -> None:
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    shown = [block.text.strip() for block in blocks("sh")]
    assert len(shown) == 2
    for command in shown:
        assert command in ci


def test_the_yaml_block_is_a_valid_configuration(clone: MiniProject) -> None:
    block, *_ = blocks("yaml")
    clone.write("config/orm.yaml", block.text)
    assert load_settings(clone.path, environ={}).target.name == "app.db"
    uncommented = re.sub(r"^( *)# (?=\w+:)", r"\1", block.text, flags=re.MULTILINE)
    uncommented = uncommented.replace('  url: "${DATABASE_URL:-sqlite:///app.db}"\n', "")
    uncommented = re.sub(
        r"^  groups: packages .*\n", "", uncommented, flags=re.MULTILINE
    )  # the next line is the other way
    clone.write("config/orm.yaml", uncommented)
    settings = load_settings(clone.path, environ={"DATABASE_PASSWORD": "p@ss"})
    assert settings.target.label == "shop on localhost:5432"
    assert settings.target.address.password == "p@ss"  # noqa: S105 - an example


def test_the_python_blocks_run(clone: MiniProject) -> None:
    dodo, own_task, own_config, api = blocks("python")
    assert dodo.text.strip() in clone.read("dodo.py")
    clone.write("dodo.py", f"{dodo.text}\n\n{own_task.text}")
    clone.write("samples.py", "print('samples')\n")
    assert "samples" in clone.ok("load_samples")
    assert "database_status" in clone.ok()
    clone.write("dodo.py", f"{own_config.text}\n\n{own_task.text}")
    out = clone.ok()
    assert out.startswith("-- database_create  app.db exists\n-- database_upgrade  at head ")
    assert out.endswith("samples\n")
    assert not (clone.path / ".doit.db").exists()
    result = clone.run(sys.executable, "-c", api.text)
    assert result.code == 0, result.err


def test_the_task_table_lists_every_task_and_option(clone: MiniProject) -> None:
    rows = dict(re.findall(r"^\| `(database_\w+)` \| (.*)$", README, re.MULTILINE))
    assert set(rows) == {line.split()[0] for line in clone.ok("list").splitlines()}
    for name, row in rows.items():
        options = re.findall(r"--([\w-]+)", clone.ok("help", name))
        assert all(f"--{option}" in row or option == "message" for option in options), name


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_example_of_env_names_the_variables_in_use() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    config = (ROOT / "config/orm.yaml").read_text(encoding="utf-8")
    for name in {"DATABASE_URL", *re.findall(r"\$\{(\w+)", config)}:
        assert re.search(rf"^# {name}=", example, re.MULTILINE), name


def test_the_committed_diagrams_and_record_are_those_of_the_sample_shop(clone: MiniProject) -> None:
    clone.ok("database_upgrade")
    assert "9 tables drawn, every file is as it was." in clone.ok("database_diagram")
    assert "-- database_create_migration  no changes since" in clone.ok("database_create_migration")
