"""Seeds: once for each content, all or nothing, and rows that are found again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import (
    ConfigError,
    FramefoxTasksError,
    LockTimeoutError,
    Project,
    SeedError,
    Target,
    create,
    seed,
    stamp,
    upgrade,
)
from framefox_tasks.seeds.files import seed_files
from framefox_tasks.seeds.script import statements

TABLES = (
    "op.create_table('product', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(100)), "
    "sa.Column('price', sa.Numeric(10, 2)))\n    "
    "op.create_table('review', sa.Column('id', sa.Integer, primary_key=True), "
    "sa.Column('product_id', sa.Integer, sa.ForeignKey('product.id')), "
    "sa.Column('text', sa.String(200), server_default=''))"
)
ROWS = """
review:  # before what it refers to
  - {id: 1, product_id: 2, text: "100% 'good' :x"}
Product:
  - {id: 2, name: Book, price: 9.5}
  - {id: 7, name: Pen, price: "1.25"}
"""
INSERT = "INSERT INTO product (name, price) VALUES"
MODULE = """
from src.entity.product import Product

def seed(session):
    session.add(Product(name="of Python", price=1))
    session.commit()
"""


SCRIPT = "import sys\nfrom framefox_tasks import Target, seed\nseed(Target(sys.argv[1])"


def ready(project: MiniProject, database: Database) -> Target:
    """The shop, with its tables, at a revision."""
    project.migration("aaa", None, upgrade=TABLES, downgrade="op.drop_table('review')\n    op.drop_table('product')")
    target = Target(database.url, Project(project.path))
    database.create()
    upgrade(target)
    return target


def names(database: Database) -> list[str]:
    return [row[0] for row in database.execute("SELECT name FROM product ORDER BY id")]


def test_everything_runs_once_for_each_content(project: MiniProject, database: Database) -> None:
    target = ready(project, database)
    project.write("seeds/shop.yaml", ROWS)
    project.write(
        "seeds/more.sql", "-- one\nINSERT INTO product (name, price) VALUES ('it''s; 5% :x', 2);\n\n/* ; */\n"
    )
    project.write("seeds/test/more.sql", f"{INSERT} ('of test', 3)")
    project.write("seeds.py", MODULE)
    done = seed(target)
    assert done.done == (("seeds/shop.yaml", 3), ("seeds/more.sql", 1), ("seeds.py", None))
    # What the server numbers itself goes on behind what was given.
    expected = [(2, "Book"), (7, "Pen"), (8, "it's; 5% :x"), (9, "of Python")]
    found = database.execute("SELECT id, name FROM product ORDER BY id")
    assert [name for _, name in found] == [name for _, name in expected]
    assert all(number > 7 for number, name in found if name not in ("Book", "Pen"))
    assert database.execute("SELECT product_id, text FROM review") == [(2, "100% 'good' :x")]
    again = seed(target)
    assert again.done == ()
    assert again.unchanged == ("seeds/shop.yaml", "seeds/more.sql", "seeds.py")
    project.replace("seeds/shop.yaml", "Pen", "Pencil")
    changed = seed(target, environment="test")
    assert [name for name, _ in changed.done] == ["seeds/shop.yaml", "seeds/test/more.sql"]
    assert names(database) == ["Book", "Pencil", "it's; 5% :x", "of Python", "of test"]
    # What it keeps survives another migration, and that the database is marked anew.
    project.migration("bbb", "aaa")
    upgrade(target)
    stamp(target, revision="bbb")
    assert seed(target).done == ()
    assert len(seed(target, again=True).done) == 3


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_remains_of_a_run_that_ends_in_the_middle(
    project: MiniProject, database: Database, killed: bool
) -> None:
    target = ready(project, database)
    project.write("seeds/shop.yaml", ROWS)
    project.write("seeds.py", MODULE + ("    import os; os._exit(9)\n" if killed else "    raise ValueError('no')\n"))
    result = project.module("-c", f"{SCRIPT})", database.url)
    assert result.code == (9 if killed else 1), result.err
    assert killed or "seeds.py, line 7: ValueError: no\nNothing was written." in result.err
    assert names(database) == []
    project.write("seeds.py", MODULE)
    assert len(seed(target).done) == 2
    assert names(database) == ["Book", "Pen", "of Python"]


@pytest.fixture
def sqlite_shop(shop: MiniProject, make_database: MakeDatabase) -> tuple[MiniProject, Target, Database]:
    database = make_database("sqlite")
    return shop, ready(shop, database), database


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("seeds/a.yaml", "product: [\n", "seeds/a.yaml, line 2 is not valid YAML"),
        ("seeds/a.yaml", "- product\n", "must hold a list of rows for each entity"),
        ("seeds/a.yaml", "product: {id: 1}\n", "must hold a list of rows for each entity"),
        ("seeds/a.yaml", "product: [1]\n", "product, row 1 is no mapping"),
        ("seeds/a.yaml", "prodct: []\n", "there is no entity prodct.\nDid you mean product?"),
        ("seeds/a.yaml", "product: [{id: 1, nam: x}]\n", "product has no column nam.\nDid you mean name?"),
        ("seeds/a.yaml", "product: [{name: x}]\n", "row 1 has no key, by which it is found again.\nGive it id."),
        ("seeds/a.yaml", "product: [{id: 1, price: much}]\n", "'much' is no value for price"),
        ("seeds/a.yaml", "review: [{id: 1, product_id: 99, text: x}]\n", ""),
        ("seeds/a.yaml", "product: [{id: 1, name: null, price: 1}]\n", "product, row 1: NOT NULL constraint failed"),
        (
            "seeds/a.sql",
            "INSERT INTO no_table VALUES (1)",
            "statement 1 (INSERT INTO no_table VALUES (1)): no such",
        ),
        ("seeds/a.sql", "SELECT 1; COMMIT;", "statement 2 would end the transaction: COMMIT"),
        ("seeds.py", "def seeds(session): ...\n", "seeds.py has no function seed(session)"),
        ("seeds.py", "def seed(a, b, c): ...\n", "seeds.py has no function seed(session)"),
        ("seeds.py", "import nothing_here\n", "seeds.py, line 1: ModuleNotFoundError"),
        ("seeds.py", "def seed(session:\n", "seeds.py, line 1: SyntaxError"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    sqlite_shop: tuple[MiniProject, Target, Database], file: str, text: str, says: str
) -> None:
    shop, target, database = sqlite_shop
    database.execute("DROP TABLE product")
    database.execute(
        "CREATE TABLE product (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, price NUMERIC NOT NULL)"
    )
    shop.write("seeds/0.sql", "INSERT INTO product VALUES (50, 'first', 1)")
    shop.write(file, text)
    with pytest.raises(FramefoxTasksError) as caught:
        seed(target)
    assert says in str(caught.value)
    assert names(database) == []


def test_rows_are_found_by_a_unique_column(sqlite_shop: tuple[MiniProject, Target, Database]) -> None:
    shop, target, database = sqlite_shop
    shop.replace("src/entity/product.py", "String(100), index=True", "String(100), unique=True")
    shop.write("seeds/a.yaml", "product: [{name: Book, price: 1}, {name: Pen, price: 2}]\n")
    seed(target)
    shop.write("seeds/a.yaml", "product: [{name: Book, price: 3}]\n")
    seed(target)
    assert database.execute("SELECT name, price FROM product ORDER BY name") == [("Book", 3), ("Pen", 2)]


def test_there_must_be_a_revision(shop: MiniProject, make_database: MakeDatabase) -> None:
    target = Target(make_database("sqlite").url, Project(shop.path))
    assert not seed(target).found
    shop.write("seeds.py", MODULE)
    create(target)
    with pytest.raises(SeedError, match="at no revision"):
        seed(target)


def test_one_run_at_a_time(sqlite_shop: tuple[MiniProject, Target, Database]) -> None:
    from framefox_tasks.migrations.locked import locked, patience_of

    shop, target, database = sqlite_shop
    shop.write("seeds.py", MODULE)
    with locked(target, patience_of(target, 0, None)):
        result = shop.module("-c", f"{SCRIPT}, lock_wait=0)", database.url)
    assert LockTimeoutError.__name__ in result.err
    assert names(database) == []


def test_an_environment_is_a_folder(tmp_path: Path) -> None:
    for name in ("b.sql", "a.yml", "dev/c.sql", "live/d.sql", ".e.sql", "readme.txt"):
        (tmp_path / "seeds" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "seeds" / name).write_text("SELECT 1")
    project = Project(tmp_path)
    assert [file.name for file in seed_files(project, "")] == ["seeds/a.yml", "seeds/b.sql"]
    assert [file.name for file in seed_files(project, "dev")] == ["seeds/a.yml", "seeds/b.sql", "seeds/dev/c.sql"]
    with pytest.raises(ConfigError):
        seed_files(project, "../seeds")


PIECES = st.lists(
    st.sampled_from(
        ["SELECT 1", "'a;b'", "'it''s;'", '"x;y"', "`p;q`", "$$a;b$$", "$t$;$$;$t$", "a", "- 1", "/ 2", "%", "\n"]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=5), st.sampled_from([";", ";\n", "; -- c ; '\n", ";/* ; ' */", ";;"]))
def test_a_script_is_split_where_statements_end(parts: list[list[str]], between: str) -> None:
    wanted = [" ".join(pieces) for pieces in parts]
    found = list(statements(between.join(wanted), backslash_escapes=False))
    assert [" ".join(one.split()) for one in found] == [" ".join(one.split()) for one in wanted if one.strip()]


def test_a_backslash_escapes_where_it_does() -> None:
    assert list(statements(r"SELECT 'a\';b'; SELECT 2 # x;", backslash_escapes=True)) == [r"SELECT 'a\';b'", "SELECT 2"]
    assert list(statements("SELECT 'a\\'; SELECT 2", backslash_escapes=False)) == ["SELECT 'a\\'", "SELECT 2"]


def test_the_function_is_public() -> None:
    assert framefox_tasks.seed is seed
