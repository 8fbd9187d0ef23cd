"""New entities on a base that makes dataclasses of its classes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from framefox_tasks import Project, create_entity
from framefox_tasks.schema.entities import load_entities

BASE = """from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass


class Base(MappedAsDataclass, DeclarativeBase):
    pass
"""
AUTHOR = """from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Author(Base):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str]
"""
FIELDS = (
    "note:text? title:str(20) made:datetime!default(now) size:int!default(3) author:ref(author) "
    "editor:ref(author)? parent:ref(book)? fans:many(author) cover:ref(author)?!unique"
)


def test_it_can_be_made_shown_and_stored(tmp_path: Path) -> None:
    (tmp_path / "src/entity").mkdir(parents=True)
    (tmp_path / "src/entity/base.py").write_text(BASE)
    (tmp_path / "src/entity/author.py").write_text(AUTHOR)
    project = Project(tmp_path)
    create_entity(project, "book", fields=FIELDS)
    for command in (["check"], ["format", "--check"]):
        checked = subprocess.run([sys.executable, "-m", "ruff", *command, "--isolated", "src"], cwd=tmp_path)
        assert checked.returncode == 0
    for name in [name for name in sys.modules if name.partition(".")[0] == "src"]:
        del sys.modules[name]  # as they were before
    metadata = load_entities(project).metadata
    mapped: dict[str, Any] = {}
    for name in ("author", "book"):
        mapped |= vars(sys.modules[f"src.entity.{name}"])
    author = mapped["Author"](name="Ada")
    book = mapped["Book"](title="first", author=author, fans=[author])
    assert author.fans_books == [book]
    assert author.author_books == [book]
    assert repr(book).startswith("Book(id=None, ")
    assert "Author" not in repr(book)
    engine = create_engine("sqlite://")
    metadata[0].create_all(engine)
    with Session(engine) as session:
        session.add(mapped["Book"](title="second", author=author, parent=book))
        session.commit()
        assert (book.size, book.note, book.editor, book.author_id) == (3, None, None, author.id)
        assert isinstance(book.made, dt.datetime)
        assert [child.title for child in book.children] == ["second"]
