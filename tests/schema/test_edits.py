"""Edits of the entities: those that cannot change the schema import nothing, and none that changes it is missed.

What an edit does is asked of an import of its own, in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from support.projects import ROOT, MiniProject

from framefox_tasks.schema.edits import code_digest

FILES = {
    "config/orm.yaml": "database:\n  url: sqlite:///shop.db\n",
    "conf/__init__.py": "",
    "conf/flags.py": "TYPE_CHECKING = True\n",
    "conf/limits.py": '''"""Lengths."""
from typing import TYPE_CHECKING
import typing

if TYPE_CHECKING:
    from datetime import date
    NOTE = 5
else:
    NOTE = 10
if typing.TYPE_CHECKING:
    from datetime import time
NAME = 80
''',
    "conf/switched.py": "from conf.flags import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    CODE = 5\n",
    "conf/mixins.py": """from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column


class Stamped:
    made_by: Mapped[str] = mapped_column(String(30))
""",
    "conf/decorators.py": """from sqlalchemy import String
from sqlalchemy.orm import mapped_column


def audited(cls):
    cls.audited_by = mapped_column(String(20))
    return cls
""",
    "src/entity/base.py": """from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
""",
    "src/entity/product.py": '''from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from conf.decorators import audited
from conf.limits import NAME, NOTE
from conf.mixins import Stamped
from conf.switched import CODE
from src.entity.base import Base


@audited
class Product(Stamped, Base):
    """A product."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME))
    note: Mapped[str] = mapped_column(String(NOTE), server_default="none")
    code: Mapped[str] = mapped_column(String(CODE), index=False)
    for number in range(2):
        locals()[f"price_{number}"] = mapped_column(Integer)
    del number
''',
    "src/entity/words.txt": "good,bad",
    "src/entity/review.py": '''"""Reviews."""
from pathlib import Path

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base

WORDS = Path(__file__).with_name("words.txt").read_text().strip().split(",")


class Review(Base):
    __tablename__ = "review"
    __table_args__ = (CheckConstraint(f"word IN {tuple(WORDS)}", name="word"), {"comment": __doc__})

    id: Mapped[int] = mapped_column(primary_key=True)
    product: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"))
    word: Mapped[str]
''',
    "src/entity/sourced.py": """import inspect
import sys

from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Sourced(Base):
    __tablename__ = "sourced"
    __table_args__ = {"comment": str(len(inspect.getsource(sys.modules[__name__])))}

    id: Mapped[int] = mapped_column(primary_key=True)
""",
}
PRODUCT, REVIEW, LIMITS = "src/entity/product.py", "src/entity/review.py", "conf/limits.py"
CHANGES = {
    "a mixin": ("conf/mixins.py", "String(30)", "String(31)"),
    "a settings module": (LIMITS, "NAME = 80", "NAME = 81"),
    "a decorator": ("conf/decorators.py", "String(20)", "String(21)"),
    "a loop of the class body": (PRODUCT, "range(2)", "range(3)"),
    "a text file that is read": ("src/entity/words.txt", "good,bad", "good,bad,ugly"),
    "a comment where the source is read": ("src/entity/sourced.py", "import sys", "import sys  # read"),
    "a docstring that is a comment of the table": (REVIEW, "Reviews.", "All reviews."),
    "a nullable column": (PRODUCT, "name: Mapped[str]", "name: Mapped[str | None]"),
    "a new column": (PRODUCT, "    for number", "    more: Mapped[int]\n    for number"),
    "an index": (PRODUCT, "index=False", "index=True"),
    "a foreign key": (REVIEW, '"CASCADE"', '"SET NULL"'),
    "a naming convention": ("src/entity/base.py", "pk_%", "key_%"),
    "a table's name": ("src/entity/sourced.py", '"sourced"', '"sources"'),
    "what is no type checker's": (LIMITS, "NOTE = 10", "NOTE = 11"),
    "another TYPE_CHECKING": ("conf/switched.py", "CODE = 5", "CODE = 6"),
    "a default": (PRODUCT, '"none"', '"none "'),
}
NO_CHANGES = {
    "a comment": (PRODUCT, "@audited", "# said\n@audited"),
    "a comment behind a line": (PRODUCT, "primary_key=True)", "primary_key=True)  # the key"),
    "empty lines": (PRODUCT, "@audited", "\n\n\n@audited"),
    "a reformatted call": (
        PRODUCT,
        "mapped_column(String(NAME))",
        "mapped_column(\n        String(\n            NAME,\n        )\n    )",
    ),
    "other quotes": (PRODUCT, '"product"', "'product'"),
    "parentheses": (PRODUCT, "range(2)", "(range((2)))"),
    "a text in two parts": (PRODUCT, '"none"', '"no" "ne"'),
    "a comment in a mixin": ("conf/mixins.py", "class", "# mixed in\nclass"),
    "a comment in a decorator": ("conf/decorators.py", "    return cls", "    # done\n    return cls"),
    "a comment in the settings": (LIMITS, "NAME = 80", "NAME = 80  # enough"),
    "another form of a number": (LIMITS, "NAME = 80", "NAME = 8_0"),
    "a type checker's import": (LIMITS, "import date", "import date, datetime"),
    "another type checker's import": (LIMITS, "import time\n", "import time, timedelta\n"),
    "a type checker's value": (LIMITS, "NOTE = 5", "NOTE = 6"),
    "a semicolon": ("src/entity/base.py", 'table_name)s"})', 'table_name)s"});'),
    "other line ends": (REVIEW, "\n", "\r\n"),
}
SCRIPT = """
import json, os, sys
sys.dont_write_bytecode = True
from pathlib import Path
from framefox_tasks import load_settings
from framefox_tasks.migrations.metadata import declared_schema, kept_metadata, write_metadata
import sqlalchemy.orm, sqlalchemy.dialects.sqlite

def apart(work):
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        return json.loads(stream.read())

target = load_settings(".").target
apart(lambda: write_metadata(target).tables)
schema = lambda: declared_schema(target).to_json()
before = apart(schema)
found = {}
for name, (file, old, new) in json.loads(sys.stdin.read()).items():
    path = Path(file)
    kept = path.read_bytes()
    path.write_bytes(kept.replace(old.encode(), new.encode()))
    assert path.read_bytes() != kept, name
    unimported = apart(lambda: kept_metadata(target) is not None)
    found[name] = [unimported, apart(schema) != before]
    path.write_bytes(kept)
assert apart(lambda: kept_metadata(target) is not None)
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_no_edit_that_changes_the_schema_is_missed(tmp_path: Path) -> None:
    project = MiniProject(tmp_path)
    for file, text in FILES.items():
        project.write(file, text)
    run = project.run(sys.executable, "-c", SCRIPT, stdin=json.dumps(CHANGES | NO_CHANGES))
    assert run.code == 0, run.all
    found = json.loads(run.out)
    assert {name for name, (_, changed) in found.items() if changed} == CHANGES.keys()
    assert {name for name, (unimported, _) in found.items() if unimported} == NO_CHANGES.keys()


def test_a_comment_is_told_without_an_import(shop: MiniProject) -> None:
    shop.ok("database_metadata")
    broken = "import not_there\n"  # an import would fail
    shop.write(
        "src/entity/base.py",
        shop.read("src/entity/base.py") + "\nimport os\nif os.environ.get('BREAK'):\n    import not_there\n",
    )
    shop.ok("database_metadata")
    shop.env["BREAK"] = "1"
    shop.write("src/entity/product.py", "# a comment\n" + shop.read("src/entity/product.py"))
    assert "The schema has not changed." in shop.ok("database_metadata")
    assert "-- database_metadata" in shop.ok("database_metadata")
    assert "not_there" in shop.fails("-a", "database_metadata")
    shop.write("src/entity/product.py", broken + shop.read("src/entity/product.py"))
    assert "not_there" in shop.fails("database_metadata")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f():\n    if TYPE_CHECKING:\n        pass\n", "def f():\n    if TYPE_CHECKING:\n        yield\n"),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    x = 1\n", "if TYPE_CHECKING:\n    pass\nelse:\n    x = 2\n"),
        ("if not TYPE_CHECKING:\n    x = 1\n", "if not TYPE_CHECKING:\n    x = 2\n"),
        ("if TYPE_CHECKING:\n    pass\nTYPE_CHECKING = 1\n", "if TYPE_CHECKING:\n    x = 1\nTYPE_CHECKING = 1\n"),
        ("if TYPE_CHECKING:\n    pass\nfrom x import *\n", "if TYPE_CHECKING:\n    x = 1\nfrom x import *\n"),
        ("'''a'''", "'''b'''"),
        ("x = 'a'", "x = b'a'"),
        ("x = 1", "x = 1.0"),
        ("class A:\n  a: int\n  b: int\n", "class A:\n  b: int\n  a: int\n"),
    ],
)
def test_what_may_count_is_another_code(before: str, after: str) -> None:
    top = "from typing import TYPE_CHECKING\n"
    assert code_digest(f"{top}{before}".encode()) != code_digest(f"{top}{after}".encode())


def test_what_is_no_python_has_no_code() -> None:
    assert code_digest(b"def") is None
    assert code_digest(b"\xff = 1") is None
    assert code_digest(b"x = 0x" + b"f" * 5000) is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted((ROOT / "framefox_tasks/schema").glob("[a-z]*.py"))), st.data())
def test_comments_and_empty_lines_are_no_code(path: Path, data: st.DataObject) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    statements = [
        number for number, line in enumerate(lines) if line.startswith(("def ", "class ", "import ", "from "))
    ]
    place = data.draw(st.sampled_from(statements))
    added = data.draw(st.lists(st.sampled_from(["", "# a comment", "    # x"]), min_size=1, max_size=3))
    edited = "\n".join([*lines[:place], *added, *lines[place:]])
    assert code_digest(edited.encode()) == code_digest(path.read_bytes()) is not None


def test_an_edit_that_changes_code_is_imported_once(shop: MiniProject) -> None:
    """By all tasks of a run together, in the process that needs it, and by no other."""
    shop.write("src/entity/counted.py", "import os\nopen('imports.txt', 'a').write(f'{os.getpid()}\\n')\n")
    shop.ok("database_create_migration", "-m", "first")
    shop.ok("database_upgrade")
    shop.ok("database_diagram")
    count = shop.path / "imports.txt"
    tasks = ["database_create_migration", "-m", "second", "database_diagram", "database_upgrade", "database_check"]
    for number in range(2):
        count.unlink()
        shop.write(
            "src/entity/product.py", f"{shop.read('src/entity/product.py')}\n\ndef helper_{number}():\n    pass\n"
        )
        shop.ok(*tasks)
        assert len(count.read_text(encoding="utf-8").splitlines()) == 1
