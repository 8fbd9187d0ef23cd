"""Server defaults: the database holds what is declared, whatever characters are in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from support.databases import Database, MakeDatabase
from support.declaring import Declared

from framefox_tasks import EntityError

VALUES = (
    "rock 'n' 'roll'", "'quoted'", "'", "''", "a\\b", "\\", "a\\'b", "50%", "%s %(x)s %%", "a :b c", ":x", "a::b",
    " :a:b ", "line\nbreak", "tab\t\r\nx", "ünï ☃", '"dq"', "`", "$1 {x} ${y}", "(x)", "now()", "NULL", "", " sp ",
    "a\\:b", "'x'::text", "\\n", "--x", "b'\\0", "CURRENT_TIMESTAMP", "E'x'",
)  # fmt: skip
OTHER = "class Other(Base):\n    __tablename__ = 'other'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"


def item(columns: str) -> str:
    head = "class Item(Base):\n    __tablename__ = 'item'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    return head + "".join(f"    {line}\n" for line in columns.splitlines())


def defaults(*values: str) -> str:
    return item("\n".join(f"c{n} = mapped_column(String(30), server_default={v!r})" for n, v in enumerate(values)))


def row(database: Database) -> tuple[object, ...]:
    """What a row without values gets; it is deleted again."""
    database.execute("INSERT INTO item (id) VALUES (1)")
    (found,) = database.execute("SELECT * FROM item")
    database.execute("DELETE FROM item")
    return found[1:]


@pytest.fixture
def declared(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


def test_a_default_is_what_is_declared(declared: Declared, database: Database) -> None:
    declared.migrate(defaults(*VALUES))
    assert row(database) == VALUES
    # Dropped and made again from what the database says of it.
    declared.migrate(OTHER)
    declared.downgrade()
    assert row(database) == VALUES


def test_a_default_changes_and_another_stays(declared: Declared, database: Database) -> None:
    declared.migrate(defaults("x", "it's :b 5% \\ 'q'"))
    declared.migrate(defaults("'y' :z % \\", "it's :b 5% \\ 'q'").replace("String(30)", "String(40)"))
    assert row(database) == ("'y' :z % \\", "it's :b 5% \\ 'q'")
    declared.downgrade()
    assert row(database) == ("x", "it's :b 5% \\ 'q'")


def test_an_expression_with_colons_and_percents(declared: Declared, database: Database) -> None:
    declared.migrate(item("""t = mapped_column(String(40), server_default=text(r"'a \\:b 100% x\\:\\:y'"))"""))
    assert row(database) == ("a :b 100% x::y",)
    declared.migrate(OTHER)
    declared.downgrade()
    assert row(database) == ("a :b 100% x::y",)


def test_a_parameter_in_an_expression_is_told(tmp_path: Path, make_database: MakeDatabase) -> None:
    declared = Declared(tmp_path / "project", make_database("sqlite"))
    with pytest.raises(EntityError, match=r"The server default of item\.t cannot be written") as caught:
        declared.create(item("""t = mapped_column(String(40), server_default=text("'a' || :b"))"""))
    assert "a colon before a name is a parameter" in str(caught.value.hint)


TEXTS = strategies.text(
    strategies.sampled_from("'\"\\%:\n\t `$()x1aé☃ ")
    | strategies.characters(codec="utf-8", categories=["L", "N", "P"]),
    max_size=12,
)


@pytest.mark.slow
@given(strategies.lists(TEXTS, min_size=20, max_size=20))
@settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
def test_any_text_is_read_back(declared: Declared, database: Database, values: list[str]) -> None:
    declared.migrate(defaults(*values))
    assert row(database) == tuple(values)
