"""Entities that were made from a database, by reflection or a tool: nothing differs, and they make the same anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.mysql import BIT, LONGTEXT
from sqlalchemy.types import NullType
from support.databases import MakeDatabase
from support.declaring_tables import Declaring

from framefox_tasks import EntityError, check_migration, create_migration, downgrade, upgrade
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.model import Project, Target

EMPTY = 'revision = "made"\ndown_revision = None\n\n\ndef upgrade() -> None:\n    pass\n'


class Adopted(Declaring):
    """A project over a database that was made by statements, at an empty migration."""

    def make(self, *statements: str) -> None:
        (self.path / "migrations/versions/made.py").write_text(EMPTY)
        upgrade(self.target)
        self.database.execute(*statements)

    def differs(self, *tables: Any, metadata: MetaData | None = None) -> tuple[str, ...]:
        """What a migration would do, which no empty history could prove."""
        self.declare(*tables, metadata=metadata)
        return create_migration(self.target, proof=False).operations

    def agrees(self, *tables: Any, metadata: MetaData | None = None) -> None:
        self.declare(*tables, metadata=metadata)
        assert check_migration(self.target).left_alone == ()

    def reflected(self) -> MetaData:
        metadata = MetaData()
        engine = create_engine(sqlalchemy_url(self.target, database_of(self.target)))
        metadata.reflect(engine)
        engine.dispose()
        metadata.remove(metadata.tables["alembic_version"])
        return metadata

    def anew(self, make_database: MakeDatabase, metadata: MetaData) -> None:
        """A new database of the same entities: made, reverted and made again; nothing differs."""
        database = make_database(self.database.dialect)
        fresh = Adopted(self.path.parent / "fresh", database)
        fresh.target = Target(database.url, Project(root=fresh.path))
        fresh.round_trip(metadata=metadata) if database.dialect == "postgresql" else fresh.apply(metadata=metadata)


@pytest.fixture
def sqlite(tmp_path: Path, make_database: MakeDatabase) -> Adopted:
    return Adopted(tmp_path / "project", make_database("sqlite"))


@pytest.fixture
def postgresql(tmp_path: Path, make_database: MakeDatabase) -> Adopted:
    return Adopted(tmp_path / "adopted", make_database("postgresql"))


@pytest.fixture
def mysql(tmp_path: Path, make_database: MakeDatabase) -> Adopted:
    return Adopted(tmp_path / "adopted", make_database("mysql"))


def test_a_sqlite_key_that_does_not_say_not_null(sqlite: Adopted) -> None:
    sqlite.make(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, a INT)",
        "CREATE TABLE pair (a INT, b VARCHAR(9), PRIMARY KEY (a, b))",
    )
    metadata = MetaData()
    Table("item", metadata, Column("id", Integer, primary_key=True), Column("a", Integer))
    Table("pair", metadata, Column("a", Integer, primary_key=True), Column("b", String(9), primary_key=True))
    sqlite.agrees(metadata=metadata)
    sqlite.agrees(metadata=sqlite.reflected())
    metadata.tables["item"].c.a.nullable = False
    assert sqlite.differs(metadata=metadata) == ("modify nullable item.a",)


def test_an_enum_whose_text_is_longer_than_its_values(sqlite: Adopted) -> None:
    sqlite.make("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, stage VARCHAR(32) CHECK (stage IN ('on', 'off')))")
    sqlite.agrees(Column("stage", Enum("on", "off")))
    assert sqlite.differs(Column("stage", Enum("on", "x" * 40))) == ("modify type item.stage",)


def test_a_text_that_becomes_an_enum_is_a_change(sqlite: Adopted) -> None:
    sqlite.apply(Column("stage", String(32)))
    sqlite.declare(Column("stage", Enum("on", "off")))
    assert create_migration(sqlite.target).operations == ("modify type item.stage",)


def test_a_column_without_a_type(sqlite: Adopted, make_database: MakeDatabase) -> None:
    sqlite.make("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, a DEFAULT NULL, b DEFAULT 5)")
    metadata = sqlite.reflected()
    sqlite.agrees(metadata=metadata)
    sqlite.anew(make_database, metadata)


def test_a_dropped_column_without_a_type_comes_back(sqlite: Adopted) -> None:
    sqlite.apply(*(Column(name, NullType(), server_default=text("NULL")) for name in "ab"))
    sqlite.apply(Column("b", NullType(), server_default=text("NULL")))
    sqlite.down()
    (statement,) = sqlite.database.execute("SELECT sql FROM sqlite_master WHERE name = 'item'")
    assert "a  DEFAULT (NULL)" in statement[0]


COLUMN = "SELECT data_type FROM information_schema.columns WHERE table_name = 'item' AND column_name = 'old'"


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_column_of_a_type_that_sqlalchemy_does_not_know(
    dialect: str, tmp_path: Path, make_database: MakeDatabase
) -> None:
    adopted = Adopted(tmp_path / "adopted", make_database(dialect))
    adopted.make("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, place POINT, old POINT)")
    with pytest.warns(match="Did not recognize type"):
        metadata = adopted.reflected()
    metadata.tables["item"].c.id.autoincrement = False
    adopted.agrees(metadata=metadata)
    before = adopted.database.execute(COLUMN)
    with pytest.raises(EntityError, match=r"item\.elsewhere has no type that SQLAlchemy knows"):
        adopted.differs(Column("elsewhere", NullType()))
    gone = adopted.differs(metadata=Table("item", MetaData(), metadata.tables["item"].c.id._copy()).metadata)
    assert gone == ()  # no migration has made them
    written = create_migration(adopted.target, proof=False, drop=("item.old",))
    assert written.operations == ("drop column item.old",)
    upgrade(adopted.target)
    adopted.down()
    after = adopted.database.execute(COLUMN)
    assert after == before


ORDERS = "CREATE INDEX ix_orders ON item (a, b DESC)"


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_an_index_whose_order_a_tool_does_not_see(dialect: str, tmp_path: Path, make_database: MakeDatabase) -> None:
    adopted = Adopted(tmp_path / "adopted", make_database(dialect))
    adopted.make("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, a INT, b INT)", ORDERS)
    columns = [Column("id", Integer, primary_key=True, autoincrement=False), Column("a", Integer), Column("b", Integer)]

    def item(*order: Any) -> MetaData:
        return Table("item", MetaData(), *(one._copy() for one in columns), Index("ix_orders", *order)).metadata

    adopted.agrees(metadata=item("a", "b"))
    adopted.agrees(metadata=item("a", desc("b")))


@pytest.mark.server
def test_an_order_that_a_migration_made_is_taken_away(postgresql: Adopted) -> None:
    columns = [Column("a", Integer), Column("b", Integer)]
    postgresql.apply(*(one._copy() for one in columns), Index("ix_orders", "a", desc("b")))
    assert "drop_index" in postgresql.round_trip(*(one._copy() for one in columns), Index("ix_orders", "a", "b"))


@pytest.mark.server
def test_conditions_as_the_server_shows_them(postgresql: Adopted, make_database: MakeDatabase) -> None:
    postgresql.make(
        "CREATE TABLE item (id serial PRIMARY KEY, state varchar(9))",
        "CREATE UNIQUE INDEX ix_open ON item (id) WHERE state IN ('new', 'open')",
        "CREATE INDEX ix_state ON item (id, lower(state) DESC)",
    )
    metadata = postgresql.reflected()
    conditions = [index.dialect_options["postgresql"]["where"] for index in metadata.tables["item"].indexes]
    assert "ARRAY" in str(conditions)
    postgresql.agrees(metadata=metadata)
    postgresql.anew(make_database, metadata)


@pytest.mark.server
def test_numbers_of_an_inherited_table(postgresql: Adopted, make_database: MakeDatabase) -> None:
    postgresql.make(
        "CREATE SEQUENCE numbers",
        "CREATE TABLE payment (id integer NOT NULL DEFAULT nextval('numbers') PRIMARY KEY, paid timestamp)",
        "CREATE TABLE a_child (CHECK (paid > '2007-01-01')) INHERITS (payment)",
    )
    metadata = postgresql.reflected()
    postgresql.agrees(metadata=metadata)
    postgresql.anew(make_database, metadata)
    by_tool = MetaData()
    for name, key in (("payment", True), ("a_child", False)):
        number = Column("id", Integer, Sequence("numbers"), primary_key=key, nullable=False)
        Table(name, by_tool, number, Column("paid", DateTime))
    postgresql.agrees(metadata=by_tool)


@pytest.mark.mariadb
@pytest.mark.server
def test_json_of_mariadb_as_a_tool_writes_it(mysql: Adopted) -> None:
    mysql.make("CREATE TABLE item (id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY, a JSON)")
    mysql.agrees(Column("a", LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")))


@pytest.mark.server
def test_a_serial_key_by_its_default(postgresql: Adopted, make_database: MakeDatabase) -> None:
    postgresql.make(
        "CREATE TABLE parent (id serial PRIMARY KEY, at timestamp DEFAULT now())",
        "CREATE TABLE child (id bigserial PRIMARY KEY, parent_id integer REFERENCES parent)",
    )
    metadata = postgresql.reflected()
    postgresql.agrees(metadata=metadata)
    postgresql.anew(make_database, metadata)
    by_tool = MetaData()
    parent = Column("id", Integer, primary_key=True)
    Table("parent", by_tool, parent, Column("at", DateTime, server_default=func.now()))
    Table("child", by_tool, Column("id", Integer, primary_key=True), Column("parent_id", ForeignKey("parent.id")))
    assert postgresql.differs(metadata=by_tool) == (
        "modify type child.id",
        "ALTER SEQUENCE child_id_seq AS INTEGER",  # which has the type of its column
    )


def test_a_view_that_a_tool_has_declared_as_a_table_is_no_difference(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    adopted = Adopted(tmp_path / "project", make_database("sqlite"))
    adopted.make("CREATE TABLE shelf (id INTEGER PRIMARY KEY)", "CREATE VIEW wide AS SELECT id FROM shelf")
    metadata = MetaData()
    Table("shelf", metadata, Column("id", Integer, primary_key=True))
    Table("wide", metadata, Column("id", Integer))
    assert adopted.differs(metadata=metadata) == ()
    adopted.declare(metadata=metadata)
    assert "wide" in check_migration(adopted.target).unmade


def test_an_index_of_another_collation_on_sqlite(sqlite: Adopted) -> None:
    sqlite.make("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, a TEXT COLLATE NOCASE)")
    sqlite.database.execute("CREATE INDEX by_a ON item (a COLLATE BINARY DESC)")
    sqlite.agrees(metadata=sqlite.reflected())
    assert sqlite.differs(Column("a", Text), Index("by_a", text("a COLLATE RTRIM"))) == (
        "drop index by_a on item",
        "add index by_a on item",
    )


def test_an_order_of_an_index_that_an_entity_has_said(sqlite: Adopted) -> None:
    sqlite.apply(Column("a", Text), Index("by_a", text("a DESC")))
    sqlite.declare(Column("a", Text), Index("by_a", "a"))
    assert create_migration(sqlite.target).operations == ("drop index by_a on item", "add index by_a on item")


def test_a_collation_of_an_index_that_an_entity_has_said(sqlite: Adopted) -> None:
    sqlite.apply(Column("a", Text), Index("by_a", text("a COLLATE NOCASE")))
    sqlite.declare(Column("a", Text), Index("by_a", "a"))
    assert create_migration(sqlite.target).operations == ("drop index by_a on item", "add index by_a on item")


@pytest.mark.server
def test_what_postgresql_checks_later_or_by_other_operators(postgresql: Adopted, make_database: MakeDatabase) -> None:
    postgresql.make(
        'CREATE DOMAIN code AS varchar(9) COLLATE "C" NOT NULL',
        "CREATE TABLE item (id int PRIMARY KEY, a int, during tstzrange, code code, UNIQUE (a) DEFERRABLE, "
        "CONSTRAINT apart EXCLUDE USING gist (during WITH &&))",
    )
    metadata = postgresql.reflected()
    postgresql.declare(metadata=metadata)
    assert check_migration(postgresql.target).left_alone == ("constraint item.apart",)
    postgresql.anew(make_database, metadata)


@pytest.mark.server
def test_a_deferral_that_an_entity_has_said(postgresql: Adopted) -> None:
    postgresql.set_up(Column("a", Integer), UniqueConstraint("a", name="one_a", deferrable=True))
    postgresql.declare(Column("a", Integer), UniqueConstraint("a", name="one_a"))
    assert create_migration(postgresql.target).operations == (
        "drop constraint one_a on item",
        "add constraint one_a on item",
    )


@pytest.mark.mariadb
@pytest.mark.server
def test_bits_and_a_text_with_the_check_of_json(mysql: Adopted, make_database: MakeDatabase) -> None:
    mysql.make(
        "CREATE TABLE item (id int PRIMARY KEY, bits bit(3) DEFAULT b'101', "
        "document longtext CHECK (json_valid(document)))"
    )
    metadata = mysql.reflected()
    mysql.agrees(metadata=metadata)
    mysql.anew(make_database, metadata)


@pytest.mark.server
def test_a_default_of_bits_that_an_entity_has_said(mysql: Adopted) -> None:
    mysql.set_up(Column("bits", BIT(3), server_default=text("b'101'")))
    mysql.declare(Column("bits", BIT(3)))
    assert create_migration(mysql.target).operations == ("modify default item.bits",)


@pytest.mark.server
def test_partitions_of_mariadb(mysql: Adopted, make_database: MakeDatabase) -> None:
    mysql.make(
        "CREATE TABLE item (id int NOT NULL, year int NOT NULL, PRIMARY KEY (id, year)) PARTITION BY RANGE (year) "
        "SUBPARTITION BY HASH (id) SUBPARTITIONS 2 "
        "(PARTITION old VALUES LESS THAN (2024), PARTITION new VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE spread (id int NOT NULL PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4",
    )
    metadata = mysql.reflected()
    mysql.agrees(metadata=metadata)
    fresh = Adopted(mysql.path.parent / "fresh", make_database("mysql"))
    text = fresh.apply(metadata=metadata)
    assert "partition_definitions" not in text
    partitions = (
        "SELECT partition_name, subpartition_name, table_rows FROM information_schema.partitions "
        "WHERE table_schema = DATABASE() AND table_name IN ('item', 'spread') ORDER BY 1, 2"
    )
    assert fresh.database.execute(partitions) == mysql.database.execute(partitions)
    assert len(fresh.database.execute(partitions)) == 8


def test_a_generated_column_before_the_key_in_one_line(sqlite: Adopted, make_database: MakeDatabase) -> None:
    generated = "g TEXT GENERATED ALWAYS AS (')' || (a + 1)) VIRTUAL"
    sqlite.make(f"CREATE TABLE item (a INTEGER NOT NULL, {generated}, b TEXT NOT NULL, PRIMARY KEY (a, b))")
    metadata = sqlite.reflected()
    computed: Any = metadata.tables["item"].c.g.computed
    # SQLAlchemy may have taken what follows for a part of it.
    sqlite.agrees(metadata=metadata)
    sqlite.anew(make_database, metadata)
    assert str(computed.sqltext) == "')' || (a + 1)"


def test_a_dropped_table_with_a_generated_column_comes_back(sqlite: Adopted) -> None:
    text = "CREATE TABLE shelf (a INTEGER NOT NULL, g INTEGER AS (a + 1) STORED, b TEXT NOT NULL, PRIMARY KEY (a, b))"
    made = EMPTY.replace("    pass", f"    from alembic import op\n\n    op.execute({text!r})")
    (sqlite.path / "migrations/versions/made.py").write_text(made)
    upgrade(sqlite.target)
    sqlite.declare(Column("name", Text))
    assert "drop table shelf" in create_migration(sqlite.target).operations
    upgrade(sqlite.target)
    downgrade(sqlite.target)
    sqlite.database.execute("INSERT INTO shelf (a, b) VALUES (1, 'x')")
    assert sqlite.database.execute("SELECT g FROM shelf") == [(2,)]


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_an_index_whose_name_a_tool_has_lost(dialect: str, tmp_path: Path, make_database: MakeDatabase) -> None:
    adopted = Adopted(tmp_path / "project", make_database(dialect))
    adopted.make(
        "CREATE TABLE item (id int PRIMARY KEY, email varchar(20), code varchar(20), size int)",
        "CREATE INDEX ix_email ON item (email)",
        "CREATE UNIQUE INDEX ix_code ON item (code)",
    )
    email, code = Column("email", String(20), index=True), Column("code", String(20), index=True, unique=True)
    adopted.agrees(email, code, Column("size", Integer))
    # Neither one of another kind, nor one of some rows or of something else.
    email, code = Column("email", String(20), index=True, unique=True), Column("code", String(20), index=True)
    assert adopted.differs(email, code, Column("size", Integer, index=True)) == (
        "add index ix_item_code on item",
        "add index ix_item_email on item",
        "add index ix_item_size on item",
    )


@pytest.mark.server
def test_a_domain_that_was_reflected_is_proven_in_full(postgresql: Adopted, make_database: MakeDatabase) -> None:
    postgresql.make(
        "CREATE DOMAIN year AS integer CHECK (VALUE > 1900) DEFAULT 2000",
        'CREATE DOMAIN word AS text COLLATE "C"',
        "CREATE TABLE item (id int PRIMARY KEY, born year, called word)",
    )
    metadata = postgresql.reflected()
    postgresql.agrees(metadata=metadata)
    fresh = Adopted(postgresql.path.parent / "fresh", make_database("postgresql"))
    fresh.declare(metadata=metadata)
    proof = create_migration(fresh.target).proof
    assert proof is not None
    assert (proof.proven, proof.reason, proof.older) == (True, "", ())
