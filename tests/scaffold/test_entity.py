"""New entities in the styles that projects have: what is written, what is refused, and that nothing else changes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import class_mapper, configure_mappers
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from support.projects import ROOT

from framefox_tasks import EntityError, FramefoxTasksError, PermissionDeniedError, Project, create_entity
from framefox_tasks.scaffold.entity import entity_sources
from framefox_tasks.scaffold.plan import plan_entity

BASE = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
CATEGORY = '''"""Shelves."""

from sqlalchemy.orm import Mapped, mapped_column

from {package}.base import Base


class Category(Base):
    __tablename__ = "category"

    id: Mapped[int] = mapped_column(primary_key=True)

    def shown(self) -> str:
        return f"{self.id}"
'''
TAG = """import uuid

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from {package}.base import Base
from {package}.category import Category


class Tag(Base):
    __tablename__ = "tag"

    key: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    category: Mapped[Category] = relationship()
"""
MODELS = """from sqlmodel import Field, SQLModel


class Category(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
"""
MODEL_TAG = """import uuid

from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    key: uuid.UUID | None = Field(default=None, primary_key=True)
"""


def write(root: Path, files: dict[str, str], package: str = "") -> Project:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace("{package}", package), encoding="utf-8")
    return Project(root, entities=(Path(package.replace(".", "/")),) if package else Project.entities)


def shelves(root: Path, package: str = "src.entity") -> Project:
    """A project of SQLAlchemy's typed classes: base, Category and Tag."""
    folder = package.replace(".", "/")
    modules = {f"{folder}/base.py": BASE, f"{folder}/category.py": CATEGORY, f"{folder}/tag.py": TAG}
    return write(root, modules, package)


def models(root: Path, package: str) -> Project:
    """The same with SQLModel."""
    folder = package.replace(".", "/")
    return write(root, {f"{folder}/category.py": MODELS, f"{folder}/tag.py": MODEL_TAG}, package)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.py"))}


# What each type is, said once more: SQLAlchemy's type, and a default as it is typed and as Python has it.
ORACLE: dict[str, tuple[Callable[..., Any], tuple[str, object] | None]] = {
    "str(40)": (lambda: sa.String(40), ("it's", "it's")),
    "str": (lambda: sa.String(255), None),
    "text": (sa.Text, ('say "x"', 'say "x"')),
    "int": (sa.Integer, ("-3", -3)),
    "smallint": (sa.SmallInteger, ("7", 7)),
    "bigint": (sa.BigInteger, ("9000000000", 9_000_000_000)),
    "bool": (sa.Boolean, ("false", False)),
    "float": (sa.Double, ("1.5", 1.5)),
    "decimal": (lambda: sa.Numeric(10, 2), None),
    "decimal(6,3)": (lambda: sa.Numeric(6, 3), ("12.5", __import__("decimal").Decimal("12.5"))),
    "date": (sa.Date, None),
    "datetime": (sa.DateTime, None),
    "time": (sa.Time, None),
    "uuid": (sa.Uuid, None),
    "json": (sa.JSON, None),
    "bytes": (sa.LargeBinary, None),
}
NO_KEYS = {"text", "json", "bytes"}
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,5}){0,2}", fullmatch=True).map("f{}".format)


@st.composite
def field_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=9, unique=True))
    found = []
    for name in names:
        kind = draw(st.sampled_from([*ORACLE, "ref", "ref", "many", "self"]))
        plain = kind in ORACLE
        found.append(
            {
                "name": name,
                "kind": kind,
                "entity": draw(st.sampled_from(["category", "Tag"])) if kind in ("ref", "many") else "thing",
                "nullable": kind != "many" and draw(st.booleans()),
                "unique": kind not in {"many", *NO_KEYS} and draw(st.booleans()),
                "index": plain and kind not in NO_KEYS and draw(st.booleans()),
                "default": plain and ORACLE[kind][1] is not None and draw(st.booleans()),
            }
        )
    return found


def typed(field: dict[str, Any]) -> str:
    kind = field["kind"] if field["kind"] in ORACLE else "ref" if field["kind"] == "self" else field["kind"]
    text: str = f"{field['name']}:{kind}" + (f"({field['entity']})" if kind in ("ref", "many") else "")
    text += "?" * field["nullable"] + "!unique" * field["unique"] + "!index" * field["index"]
    given = ORACLE[kind][1] if field["default"] else None
    return text + (f"!default({given[0]})" if given else "")


def expected(fields: list[dict[str, Any]]) -> dict[str, sa.Table]:
    """The tables that these fields mean, written down without the generator."""
    metadata = sa.MetaData()
    sa.Table("category", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("tag", metadata, sa.Column("key", sa.Uuid, primary_key=True))
    keys = {"category": "category.id", "Tag": "tag.key", "thing": "thing.id"}
    columns: list[sa.Column[Any]] = [sa.Column("id", sa.Integer, primary_key=True)]
    linked: set[str] = set()
    for field in fields:
        entity = field["entity"]
        if field["kind"] == "many":
            target = keys[entity]
            name = f"thing_{entity.lower()}"
            name = name if name not in linked else f"thing_{field['name']}"
            linked.add(name)
            sa.Table(
                name,
                metadata,
                sa.Column("thing_id", sa.ForeignKey("thing.id", ondelete="CASCADE"), primary_key=True),
                sa.Column(
                    target.replace(".", "_"), sa.ForeignKey(target, ondelete="CASCADE"), primary_key=True, index=True
                ),
            )
        elif field["kind"] in ("ref", "self"):
            key = sa.ForeignKey(keys[entity])
            name = f"{field['name']}_{keys[entity].partition('.')[2]}"
            flag = {"unique": True} if field["unique"] else {"index": True}
            columns.append(sa.Column(name, key, nullable=field["nullable"], **flag))  # type: ignore[arg-type]
        else:
            type_, given = ORACLE[field["kind"]]
            index = field["index"] and not field["unique"]
            columns.append(
                sa.Column(
                    field["name"],
                    type_(),
                    nullable=field["nullable"],
                    unique=field["unique"] or None,
                    index=index or None,
                    default=given[1] if given and field["default"] else None,
                )
            )
    sa.Table("thing", metadata, *columns)
    return {name: table for name, table in metadata.tables.items() if name.startswith("thing")}


def statements(table: sa.Table) -> set[tuple[str, str]]:
    """The lines that make a table on each database, in any order: that of columns and constraints does not matter."""
    found = set()
    for dialect in (sqlite.dialect(), postgresql.dialect(), mysql.dialect()):  # type: ignore[no-untyped-call]
        made = [str(sa.schema.CreateTable(table).compile(dialect=dialect))]
        made += [str(sa.schema.CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
        found |= {(dialect.name, line.strip(" \t,")) for text in made for line in text.splitlines()}
    return found


def defaults(table: sa.Table) -> dict[str, object]:
    """The defaults that are values, by the names of their columns."""
    columns = [(column.name, column.default) for column in table.columns]
    given = {name: default.arg for name, default in columns if isinstance(default, ScalarElementColumnDefault)}
    return {name: value for name, value in given.items() if not callable(value)}


_NUMBERS = iter(range(10_000))


@pytest.mark.slow
@pytest.mark.parametrize("make", [shelves, models])
def test_random_fields_make_what_they_say(make: Callable[[Path, str], Project], tmp_path: Path) -> None:
    """Against tables that are written down apart; with both sides of every relation, and formatted as ruff does."""

    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate]
    )
    @given(field_lists())
    def check(fields: list[dict[str, Any]]) -> None:
        package = f"shop{next(_NUMBERS)}.models"
        sa.orm.clear_mappers()
        if make is models:
            import_module("sqlmodel").SQLModel.metadata.clear()
            import_module("sqlmodel").SQLModel._sa_registry.dispose()
        project = make(tmp_path, package)
        entity = plan_entity(project, "thing", " ".join(map(typed, fields)))
        for path, content in entity_sources(entity).items():
            path.write_bytes(content)
        for name in [name for name in sys.modules if name.startswith(package.partition(".")[0])]:
            del sys.modules[name]
        sa.orm.clear_mappers()
        if make is models:
            import_module("sqlmodel").SQLModel.metadata.clear()
            import_module("sqlmodel").SQLModel._sa_registry.dispose()
        thing = import_module(f"{package}.thing").Thing
        configure_mappers()
        wanted = expected(fields)
        made = {name: table for name, table in thing.metadata.tables.items() if name.startswith("thing")}
        assert made.keys() == wanted.keys()
        for name, table in made.items():
            assert statements(table) ^ statements(wanted[name]) == set()
            assert defaults(table) == defaults(wanted[name])
        for field in fields:
            if field["kind"] in ("ref", "many", "self"):
                own = class_mapper(thing).relationships[field["name"]]
                other = own.mapper.relationships[own.back_populates]
                assert other.mapper.class_ is thing
                assert other.back_populates == field["name"]
                assert own.uselist is (field["kind"] == "many")
                assert other.uselist is not field["unique"]

    check()
    for command in (["format", "--diff"], ["check", "--select", "E,F,I,W,UP,Q,COM818"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--target-version", "py311", str(tmp_path)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_an_empty_project_gets_a_base(tmp_path: Path) -> None:
    created = create_entity(Project(tmp_path), "Product", fields="name:str(30)!unique")
    assert [path.name for path in created.written] == ["product.py", "base.py"]
    assert created.table == "product"
    made = contents(tmp_path)
    assert b"class Product(Base):" in made["src/entity/product.py"]
    assert b"naming_convention" in made["src/entity/base.py"]
    again = create_entity(Project(tmp_path), "order_line", fields="product:ref(product) amount:int")
    assert [path.name for path in again.written] == ["order_line.py"]
    assert [(path.name, attribute) for path, attribute in again.changed] == [("product.py", "Product.order_lines")]


SHARED = """import sqlalchemy as sa
from {package}.base import Base, Named

LIMIT = 3  # kept


class Hero(Named, Base):\r
    __tablename__ = 'heroes'\r
    id = sa.Column(sa.Integer, primary_key=True)  # the number\r
\r
    @property\r
    def shown(self): return self.name\r
"""


@pytest.mark.slow
def test_all_else_of_another_entity_stays_as_it_is(tmp_path: Path) -> None:
    """Here one of the old style, with lines of Windows; tables are called by plurals."""
    base = f"{BASE}\n\nclass Named:\n    pass\n"
    project = write(tmp_path, {"src/entity/base.py": base, "src/entity/hero.py": ""}, "src.entity")
    text = SHARED.replace("{package}", "src.entity").replace("\r", "").replace("\n", "\r\n").encode()
    (tmp_path / "src/entity/hero.py").write_bytes(text)
    created = create_entity(project, "power", fields="name:text hero:ref(Hero)?")
    assert created.table == "powers"
    changed = contents(tmp_path)["src/entity/hero.py"]
    assert b"\n" not in changed.replace(b"\r\n", b"")
    added = [line for line in changed.splitlines() if line not in text.splitlines()]
    assert added == [
        b"from typing import TYPE_CHECKING",
        b"from sqlalchemy.orm import Mapped, relationship",
        b"if TYPE_CHECKING:",
        b"    from src.entity.power import Power",
        b'    powers: Mapped[list["Power"]] = relationship(back_populates="hero")',
    ]
    kept = [line for line in changed.splitlines() if line not in added and line]
    assert kept == [line for line in text.splitlines() if line]
    assert "class Power(Base):" in contents(tmp_path)["src/entity/power.py"].decode()


@pytest.mark.slow
def test_a_module_of_all_entities_gets_the_class_too(tmp_path: Path) -> None:
    text = f"from __future__ import annotations\n\n{BASE}\n\nclass Hero(Base):\n    __tablename__ = 'hero'\n"
    text = text.replace("import DeclarativeBase", "import DeclarativeBase, Mapped, mapped_column")
    (tmp_path / "models.py").write_text(f"{text}    id: Mapped[int] = mapped_column(primary_key=True)\n")
    project = Project(tmp_path, entities=(), metadata="models:Base")
    created = create_entity(project, "power", fields="heroes:many(hero) price:decimal")
    assert created.path == tmp_path / "models.py"
    made = contents(tmp_path)["models.py"].decode()
    assert "from sqlalchemy import Column, ForeignKey, Numeric, Table\n" in made
    assert 'power_hero = Table(\n    "power_hero",\n    Base.metadata,' in made
    assert "    from models" not in made


@pytest.mark.slow
def test_relative_imports_a_key_of_the_base_and_the_width_of_lines(tmp_path: Path) -> None:
    base = BASE.replace("DeclarativeBase\n\n", "DeclarativeBase, Mapped, mapped_column\n\n", 1)
    base = base.replace("    pass", "    id: Mapped[int] = mapped_column(primary_key=True)")
    hero = "from .base import Base\n\n\nclass Hero(Base):\n    __tablename__ = 'hero'\n"
    project = write(tmp_path, {"src/entity/base.py": base, "src/entity/hero.py": hero}, "src.entity")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    create_entity(project, "power", fields="great_helper:ref(hero)? parent:ref(power)?")
    made = contents(tmp_path)["src/entity/power.py"].decode()
    assert "from .base import Base\nfrom .hero import Hero\n" in made
    assert "    id:" not in made
    assert '    great_helper_id: Mapped[int | None] = mapped_column(ForeignKey("hero.id"), index=True)\n' in made
    assert "    from .power import Power" in contents(tmp_path)["src/entity/hero.py"].decode()


@pytest.mark.parametrize(
    ("name", "fields", "says"),
    [
        ("tag", "", "The entity tag is there already: Tag in src/entity/tag.py"),
        ("Category", "", "is there already"),
        ("base", "", "src/entity/base.py is there already. Nothing was written."),
        ("class", "", "keyword of Python"),
        ("order-line", "", "Did you mean order_line?"),
        ("naïve", "", "must be of a-z"),
        ("../evil", "", "must be of a-z"),
        ("a" * 64, "", "longer than 63"),
        ("thing", "shelf:ref(shelf)", "there is no entity 'shelf'.\nThe project has category, tag."),
        ("thing", "things:many(thing)", "many cannot refer to the entity itself"),
        ("thing", "name:varchar", "there is no type 'varchar'"),
        ("thing", "child:ref(thing) child_of:int", "two attributes child_of"),
        ("table", "tags:many(tag)", "The name Table would stand for two things"),
        ("field", "owner:ref(pair)", "primary key of 2 columns"),
        ("thing", "metadata:int", "SQLAlchemy reserves it"),
        ("thing", "registry:int", "SQLAlchemy reserves it"),
        ("thing", "shown:str", "the base class Base has it"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(name: str, fields: str, says: str, tmp_path: Path) -> None:
    project = shelves(tmp_path)
    base = tmp_path / "src/entity/base.py"
    base.write_text(
        base.read_text().replace("    pass", "    @property\n    def shown(self) -> str:\n        return ''")
    )
    if "pair" in fields:
        tag = (tmp_path / "src/entity/tag.py").read_text().replace("class Tag", "class Pair").replace('"tag"', '"pair"')
        tag = tag.replace('ForeignKey("category.id")', 'ForeignKey("category.id"), primary_key=True')
        (tmp_path / "src/entity/pair.py").write_text(tag)
    before = contents(tmp_path)
    with pytest.raises(FramefoxTasksError) as caught:
        create_entity(project, name, fields=fields)
    assert says in str(caught.value)
    assert caught.value.hint
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_what_cannot_be_used_is_taken_back(tmp_path: Path) -> None:
    """Here the project's own code refuses a class, when it is imported and no sooner."""
    project = shelves(tmp_path)
    base = tmp_path / "src/entity/base.py"
    refuses = "    def __init_subclass__(cls) -> None:\n        assert cls.__name__ != 'Thing', 'no things here'\n"
    base.write_text(base.read_text().replace("    pass\n", f"{refuses}        super().__init_subclass__()\n"))
    before = contents(tmp_path)
    with pytest.raises(EntityError, match=r"was not written.*no things here"):
        create_entity(project, "thing", fields="category:ref(category)")
    assert contents(tmp_path) == before


def test_a_read_only_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = shelves(tmp_path)
    before = contents(tmp_path)

    def refused(path: object, *_: object, **__: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with monkeypatch.context() as patched:
        for name in ("open", "unlink", "replace"):
            patched.setattr(os, name, refused)
        with pytest.raises(PermissionDeniedError, match=r"thing\.py cannot be written: Read-only file system"):
            create_entity(project, "thing", fields="name:str")
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_what_could_not_be_used_before_is_not_blamed_on_the_new_entity(tmp_path: Path) -> None:
    project = shelves(tmp_path)
    tag = tmp_path / "src/entity/tag.py"
    nowhere = '    nowhere: Mapped["Nowhere"] = relationship()  # noqa: F821\n'
    tag.write_text(f"from sqlalchemy.orm import relationship\n{tag.read_text()}{nowhere}")
    before = contents(tmp_path)
    with pytest.raises(EntityError, match=r"cannot be used as they are.*Nowhere") as caught:
        create_entity(project, "thing", fields="name:str")
    assert "Correct that first" in str(caught.value)
    assert contents(tmp_path) == before


def test_entities_that_cannot_be_imported_come_first(tmp_path: Path) -> None:
    project = shelves(tmp_path)
    (tmp_path / "src/entity/broken.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(EntityError, match=r"src/entity/broken.py, line 1"):
        create_entity(project, "thing")


def test_env_py_alone_does_not_say_where_entities_are(tmp_path: Path) -> None:
    project = write(tmp_path, {"migrations/env.py": "target_metadata = None\n"})
    with pytest.raises(EntityError, match=r"known to migrations/env\.py alone") as caught:
        create_entity(project, "thing")
    assert "entities:" in (caught.value.hint or "")


@pytest.mark.slow
def test_the_sample_shop_takes_one(tmp_path: Path) -> None:
    """Each module of it stays formatted as this repository formats."""
    listed = subprocess.run(["git", "ls-files", "src", "config"], cwd=ROOT, check=True, capture_output=True, text=True)
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in listed.stdout.split()}
    project = write(tmp_path, files, "src.entity")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.ruff]\nline-length = 120\n[tool.ruff.lint]\nselect = ['E', 'F', 'I']\n"
    )
    fields = (
        "code:str(40)!unique owner:ref(customer)? giver:ref(customer) tags:many(tag) parent:ref(gift_card)? data:json"
    )
    create_entity(project, "gift_card", fields=f"{fields} order_lines:int at:datetime!default(now)")
    for command in (["format", "--diff"], ["check"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout
