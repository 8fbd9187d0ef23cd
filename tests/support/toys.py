"""What the tests of a third party's database share: its package, as it is installed, and what is in its files."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from support.projects import ROOT, MiniProject, copy_project

TOY = ROOT / "tests/databases/toy/toydb"
ENTRY_POINTS = """\
[framefox_tasks.databases]
toy = toydb:Toy

[sqlalchemy.dialects]
toy = toydb.alchemy:ToyAlchemy
toy.pysqlite = toydb.alchemy:ToyAlchemy
"""


def install(project: MiniProject, entry_points: str = ENTRY_POINTS, name: str = "toydb") -> Path:
    """The files of an installed distribution, in a folder that Python imports from."""
    site = project.path.parent / "site-packages"
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    project.packages = site
    return site


def bare_project(tmp_path: Path) -> MiniProject:
    """The small shop, whose database nobody has added yet."""
    project = copy_project("shop", tmp_path)
    project.env["DATABASE_URL"] = "toy:///shop.toy"
    return project


def toy_project(tmp_path: Path) -> MiniProject:
    """The small shop, with the package installed that adds its database."""
    project = bare_project(tmp_path)
    shutil.copytree(TOY, install(project) / "toydb")
    return project


def edit(project: MiniProject, file: str, old: str, new: str) -> None:
    """Have the installed package be another."""
    assert project.packages
    path = project.packages / "toydb" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rows(project: MiniProject, sql: str, file: str = "shop.toy") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{(project.path / file).as_uri()}?mode=rw", uri=True)) as connection:
        found = connection.execute(sql).fetchall()
        connection.commit()
        return found


def tables(project: MiniProject, file: str = "shop.toy") -> set[str]:
    return {name for (name,) in rows(project, "SELECT name FROM sqlite_master WHERE type = 'table'", file)}
