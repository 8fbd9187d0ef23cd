"""How long `doit database_diagram` takes, beside a bare doit task and eralchemy2's own command.

Run it as `python benchmarks/diagram.py`. It makes projects in a temporary folder and times whole processes, in turn, so
that a busy machine slows all of them alike. The exit code is 1 if a ratio is over its budget.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from measuring import Command, Peer, Row, Seconds, check_nothing_to_do, compare, main, make_bare, run

BASE = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
ENTITY = """from sqlalchemy import ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Item{number}(Base):
    __tablename__ = "item_{number}"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("item_{parent}.id"))
    other_id: Mapped[int | None] = mapped_column(ForeignKey("item_{other}.id"))
    name: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(120), index=True)
    price: Mapped[float] = mapped_column(Numeric(10, 2))
    stock: Mapped[int] = mapped_column(server_default="0")
    note: Mapped[str | None] = mapped_column(String(200))
"""
CREATE_ALL = """import sys
from sqlalchemy import create_engine
from src.entity.base import Base
for number in range(int(sys.argv[1])):
    __import__(f"src.entity.item_{number}")
Base.metadata.create_all(create_engine("sqlite:///shop.db"))
"""
IMPORT = """def import_entities():
    for number in range({entities}):
        __import__(f"src.entity.item_{{number}}")


def task_import():
    return {{"actions": [import_entities]}}
"""
TITLE = "doit database_diagram"
_EDITS = count()


def make(folder: Path, entities: int) -> list[str]:
    """A project with a number of entities, of which most refer to two others; the files of its entities."""
    for name in ("config", "src/entity"):
        (folder / name).mkdir(parents=True)
    config = 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: svg\n'
    (folder / "config/orm.yaml").write_text(config, encoding="utf-8")
    (folder / "dodo.py").write_text("from framefox_tasks.tasks import *\n", encoding="utf-8")
    (folder / "src/entity/base.py").write_text(BASE, encoding="utf-8")
    for number in range(entities):
        # Every third refers to one further away; the others to their parent alone, twice the same being no second line.
        other = number * 7919 % entities if number % 3 == 0 else number // 4
        text = ENTITY.format(number=number, parent=number // 4, other=other)
        (folder / f"src/entity/item_{number}.py").write_text(text, encoding="utf-8")
    (folder / "create_all.py").write_text(CREATE_ALL, encoding="utf-8")
    run("python", "create_all.py", str(entities), folder=folder)
    (folder / "import.py").write_text(IMPORT.format(entities=entities), encoding="utf-8")
    return ["src/entity/base.py", *(f"src/entity/item_{number}.py" for number in range(entities))]


def forget(folder: Path) -> None:
    """Back to a project whose tasks never ran."""
    for name in (".framefox_tasks", "docs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / ".doit.sqlite3").unlink(missing_ok=True)


def edit_a_comment(folder: Path) -> None:
    """Change a comment in one of the entities."""
    with (folder / "src/entity/item_7.py").open("a", encoding="utf-8") as file:
        file.write(f"# {next(_EDITS)}\n")


def check_that_a_comment_draws_nothing(ours: Command) -> None:
    """Check that a comment is imported, and that nothing is drawn."""
    picture = ours.folder / "docs/database/schema.svg"
    before = picture.stat().st_mtime_ns
    edit_a_comment(ours.folder)
    said = run(*ours.arguments, folder=ours.folder)
    assert ".  database_metadata  src/entity/item_7.py changed" in said, said
    assert "-- database_diagram:schema" in said, said
    assert picture.stat().st_mtime_ns == before


def measure(folder: Path, entities: int, runs: int) -> Iterator[Row]:
    """Every comparison on a project with a number of entities."""
    folder /= str(entities)
    bare = make_bare(folder, "sqlite3", make(folder, entities))
    ours = Command(TITLE, ("doit", "database_diagram"), folder)
    eralchemy2 = Command("eralchemy2", ("eralchemy2", "-i", "sqlite:///shop.db", "-o", "theirs.svg"), folder)
    size = f"{entities:,} entities"
    for command in (ours, bare):
        command.seconds()
    check_nothing_to_do(ours, [bare])
    yield from compare(f"nothing to do, {size}", ours, [Peer(bare, 1.5)], runs)
    few = min(runs, 3) if entities > 100 else runs
    yield from compare(f"nothing to do, {size}", ours, [Peer(eralchemy2, 1 / 3)], few)
    yield from compare(f"everything to do, {size}", replace(ours, prepare=forget), [Peer(eralchemy2, 1.2)], few)
    check_that_a_comment_draws_nothing(ours)
    imported = Command("their import, in a doit task", ("doit", "-f", "import.py"), folder)
    yield from compare(f"a comment in one of {size}", replace(ours, prepare=edit_a_comment), [Peer(imported)], few)


def draw(tables: int, keys: int) -> None:
    """Draw tables as SVG that refer to each other by chance, so many times; the same on every run."""
    from framefox_tasks import DiagramOptions, Project, Schema, draw_diagram, select_tables
    from framefox_tasks.schema.snapshot import Column, ForeignKey, PrimaryKey, Table

    chooser, columns = (
        random.Random(1),  # noqa: S311 - the same on every run
        (Column("id", "INTEGER", False), *(Column(f"k{n}", "TEXT", True) for n in range(8))),
    )
    others: list[list[int]] = [[] for _ in range(tables)]
    for key in range(keys):
        near = min(tables, 100)  # tables are in subjects, whose tables refer to each other
        others[key % tables].append((key % tables // near * near + chooser.randrange(near)) % tables)
    drawn = (
        Table(
            f"table_{index:04}",
            columns,
            None,
            PrimaryKey(("id",)),
            tuple(ForeignKey((f"k{n}",), f"table_{other:04}", ("id",)) for n, other in enumerate(near)),
        )
        for index, near in enumerate(others)
    )
    draw_diagram(select_tables(Schema(tuple(drawn)), DiagramOptions()), Project(), DiagramOptions(), formats=("svg",))


def measure_drawing(folder: Path, runs: int) -> Iterator[Row]:
    """Pictures of large schemas, beside the seconds that each may take with the start of Python."""
    folder.mkdir(parents=True, exist_ok=True)
    for tables, keys, seconds in ((200, 300, 2), (1000, 1500, 10), (100, 500, 3)):
        place = f"import sys; sys.path.append({str(Path(__file__).parent)!r})"
        code = f"{place}; import diagram; diagram.draw({tables}, {keys})"
        command = Command(f"{tables:,} tables", ("python", "-c", code), folder)
        taken = sorted(command.seconds() for _ in range(min(runs, 3)))
        limit = Seconds(seconds, seconds)
        yield Row(
            f"{tables:,} tables with {keys:,} keys",
            taken[len(taken) // 2],
            f"{seconds} seconds",
            limit,
            1,
            by="cpu",
        )


def measure_all(folder: Path, runs: int) -> Iterator[Row]:
    """Every comparison."""
    yield from measure_drawing(folder / "drawing", runs)
    for entities in (10, 1000):
        yield from measure(folder, entities, runs)


if __name__ == "__main__":
    sys.exit(main("diagram", f"`{TITLE}`", ("doit", "SQLAlchemy", "eralchemy2", "pygraphviz"), measure_all))
