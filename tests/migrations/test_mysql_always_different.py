"""What MySQL writes in other words than it was declared in is no difference straight after the upgrade."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.databases import MakeDatabase
from support.evolving_modules import Evolution

ITEM = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
COLUMNS = {
    "rate": 'Mapped[float] = mapped_column(Float, server_default="1.0")',
    "start": 'Mapped[datetime.time] = mapped_column(Time, server_default="00:00")',
    "day": 'Mapped[datetime.date] = mapped_column(Date, server_default=text("(CURRENT_DATE)"))',
    "exact": "Mapped[float] = mapped_column(Float(53))",
    "doubled": "Mapped[float] = mapped_column(Double)",
    "short": "Mapped[float] = mapped_column(Float(24))",
    "digest": "Mapped[bytes] = mapped_column(LargeBinary(16))",
    "blob": "Mapped[bytes] = mapped_column(LargeBinary(70000))",
    "path": r'Mapped[str] = mapped_column(String(40), server_default="a\\\\b")',
    "percent": 'Mapped[str] = mapped_column(String(40), server_default="100%")',
    "long": "Mapped[str] = mapped_column(Text(70000))",
    "short_text": 'Mapped[str] = mapped_column(Text(20), server_default="x")',
    "stamp": "Mapped[datetime.datetime] = mapped_column(mysql.TIMESTAMP(fsp=6), "
    'server_default=text("CURRENT_TIMESTAMP(6)"))',
    "touched": "Mapped[datetime.datetime] = mapped_column(DateTime, "
    'server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"))',
    "now": "Mapped[datetime.datetime] = mapped_column(DateTime, server_default=func.now())",
    "flag": "Mapped[bool] = mapped_column(Boolean, server_default=true())",
    "off": 'Mapped[bool] = mapped_column(Boolean, server_default="0")',
    "document": "Mapped[dict] = mapped_column(JSON)",
    "settings": 'Mapped[dict] = mapped_column(JSON, server_default="{}")',
    "kind": 'Mapped[str] = mapped_column(Enum("Big", "small"), server_default="Big")',
    "several": 'Mapped[str] = mapped_column(mysql.SET("a", "b"), server_default="a,b")',
    "year": 'Mapped[int] = mapped_column(mysql.YEAR, server_default="2001")',
    "bits": """Mapped[int] = mapped_column(mysql.BIT(8), server_default=text("b'101'"))""",
    "positive": 'Mapped[int] = mapped_column(mysql.INTEGER(unsigned=True), server_default="3")',
    "wide": "Mapped[int] = mapped_column(mysql.INTEGER(display_width=5, zerofill=True))",
    "narrow": "Mapped[int] = mapped_column(mysql.TINYINT(display_width=4))",
    "folded": 'Mapped[str] = mapped_column(String(20, collation="utf8mb4_bin"))',
    "latin": 'Mapped[str] = mapped_column(mysql.VARCHAR(20, charset="latin1"))',
    "national": "Mapped[str] = mapped_column(mysql.NVARCHAR(20))",
    "price": 'Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2), server_default="1")',
    "uid": "Mapped[uuid.UUID] = mapped_column(Uuid)",
    "random": 'Mapped[str] = mapped_column(String(36), server_default=text("(uuid())"))',
    "plus": 'Mapped[int] = mapped_column(server_default=text("(1 + 2)"))',
    "pause": "Mapped[datetime.timedelta] = mapped_column(Interval)",
}


@pytest.fixture
def evolution(tmp_path: Path, make_database: MakeDatabase) -> Evolution:
    return Evolution(tmp_path / "project", make_database("mysql"))


def entity(**columns: str) -> str:
    return ITEM + "".join(f"    {name}: {text}\n" for name, text in columns.items())


@pytest.mark.server
def test_nothing_differs_straight_after_the_upgrade(evolution: Evolution) -> None:
    evolution.migrate(entity(**COLUMNS))
    evolution.database.execute("ALTER TABLE item MODIFY plus INT NOT NULL DEFAULT (1 + 3)")
    evolution.generate()
    assert evolution.said.operations == ("modify default item.plus",)


TYPES = {
    "Integer": ("7", None),
    "BigInteger": ("-1", None),
    "Boolean": ("1", None),
    "String(40)": ("a\\\\b", "100%", "it's", ":x", "", None),
    'String(20, collation="utf8mb4_bin")': ("B", None),
    "Text": (None,),
    "Text(70000)": (None,),
    "LargeBinary(16)": (None,),
    "LargeBinary(300)": (None,),
    "Float": ("1.0", "2.50", None),
    "Float(53)": ("1e3", None),
    "Numeric(10, 2)": ("1", "0.50", None),
    "DateTime": ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", "'2001-02-03'", None),
    "mysql.DATETIME(fsp=3)": ("CURRENT_TIMESTAMP(3)", None),
    "Date": ("(CURRENT_DATE)", "'2001-2-3'", None),
    "Time": ("'00:00'", None),
    "JSON": ("'{}'", None),
    'Enum("A", "a b", name="kind")': ("'A'", None),
    'mysql.SET("x", "y")': ("'x,y'", None),
    "mysql.YEAR": ("2001", None),
    "mysql.BIT(8)": ("b'101'", None),
    "mysql.INTEGER(unsigned=True)": ("3", None),
    "mysql.INTEGER(display_width=6, zerofill=True)": ("3", None),
}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, str]:
    """Up to eight columns of random types, defaults and comments."""
    found = {}
    for name in "abcdefgh":
        type_ = draw(st.sampled_from(sorted(TYPES)))
        default = draw(st.sampled_from(TYPES[type_]))
        written = type_.startswith(("String", "Integer", "Big", "Bool", "Float", "Num"))
        said = (
            ""
            if default is None
            else f", server_default={default!r}"
            if written
            else f", server_default=text({default!r})"
        )
        comment = draw(st.sampled_from(["", "", ', comment="it\'s 5%: x"']))
        found[name] = f"Mapped[object] = mapped_column({type_}, nullable={draw(st.booleans())}{said}{comment})"
    return found


@pytest.mark.server
@settings(max_examples=4, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=columns(), after=columns())
def test_random_columns_change_and_come_back(
    evolution: Evolution, before: dict[str, str], after: dict[str, str]
) -> None:
    evolution.there_and_back(entity(**before), entity(**after))
