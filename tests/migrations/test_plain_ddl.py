"""Which migrations do nothing but change the schema, by their code."""

from __future__ import annotations

import pytest

from framefox_tasks.migrations.plain_ddl import unreadable

PLAIN = {
    "batch": "with op.batch_alter_table('a', schema=None) as batch_op:\n        batch_op.drop_constraint('b')",
    "index": "op.create_index(op.f('ix'), 'a', ['b', sa.text('lower(c)')], unique=False)",
    "default": "op.add_column('a', sa.Column('b', sa.Integer(), server_default=sa.func.now(), nullable=-1))",
    "type": "op.alter_column('a', 'b', type_=postgresql.JSONB(astext_type=sa.Text()), postgresql_using='b::jsonb')",
    "enum": "sa.Enum('a', 'b', name='e').create(op.get_bind(), checkfirst=True)",
    "variant": "op.add_column('a', sa.Column('b', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')))",
    "value": "with op.get_context().autocommit_block():\n        op.execute(\"ALTER TYPE e ADD VALUE 'c'\")",
    "sequence": "op.execute(sa.schema.CreateSequence(sa.Sequence('s')))",
    "view": "op.execute('CREATE VIEW v AS SELECT 1')",
    "nothing": '"""Nothing."""\n    pass',
}
OTHER = {
    "SQL": "op.execute('DELETE FROM a')",
    "rows": "op.bulk_insert(a, [])",
    "connection": "op.get_bind().exec_driver_sql('DELETE FROM a')",
    "a loop": "for one in ():\n        op.drop_table('a')",
    "a condition": "if True:\n        op.drop_table('a')",
    "a function": "fill()",
    "a name": "op.drop_table(NAME)",
    "an f-string": "op.drop_table(f'{1}')",
    "a lambda": "op.create_index('ix', 'a', [], where=lambda: 1)",
    "a comprehension": "op.create_table('a', *[c for c in ()])",
    "an engine": "op.drop_table(sa.create_engine('sqlite://').connect())",
    "a method of a batch": "with op.batch_alter_table('a') as batch_op:\n        batch_op.execute('DELETE FROM a')",
    "another context": "with open('a') as batch_op:\n        batch_op.drop_column('b')",
    "an assignment": "op = None",
    "a context": "op.get_context().autocommit_block()",
    "two statements": "op.execute('CREATE VIEW v AS SELECT 1; DELETE FROM a')",
    "a table of rows": "op.execute('CREATE TABLE b AS SELECT * FROM a')",
    "a function of SQL": "op.execute('CREATE FUNCTION f() RETURNS int RETURN 1')",
    "a statement of SQLAlchemy": "op.execute(sa.table('a').delete())",
    "another create": "sa.MetaData.create_all(op.get_bind())",
    "made by another": "make().create(op.get_bind())",
}
MODULE = """\
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'a'

"""
FOREIGN = (
    *("import os", "from shop import models", "from alembic.op import *", "from . import x", "NAMES = ('a',)"),
    *("def upgrade(: pass", "print()", "@decorated\ndef upgrade():\n    pass", "def fill():\n    pass"),
    *("class A:\n    pass", "down_revision = input()"),
)


@pytest.mark.parametrize("case", PLAIN)
def test_what_is_plain(case: str) -> None:
    assert unreadable(f"{MODULE}def upgrade() -> None:\n    {PLAIN[case]}\n".encode()) == ""


@pytest.mark.parametrize("case", OTHER)
def test_what_is_not(case: str) -> None:
    assert unreadable(f"{MODULE}def upgrade() -> None:\n    {OTHER[case]}\n".encode())


@pytest.mark.parametrize("top", FOREIGN)
def test_what_a_module_may_not_hold(top: str) -> None:
    assert unreadable(f"{MODULE}{top}\n".encode())
