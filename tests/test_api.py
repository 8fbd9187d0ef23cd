"""The operations as plain functions, without doit."""

from __future__ import annotations

import inspect
import typing

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import DatabaseNotFoundError, MigrationError, Project, Step, Target, load_settings

OPERATIONS = [name for name in framefox_tasks.__all__ if name[0].islower() and callable(getattr(framefox_tasks, name))]


def target_of(project: MiniProject, database: Database) -> Target:
    return Target(database.url, Project(root=project.path))


def test_the_whole_life_as_functions(project: MiniProject, database: Database) -> None:
    target = target_of(project, database)
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        project.migration(
            revision,
            down,
            upgrade=f"op.create_table({revision!r}, sa.Column('id', sa.Integer, primary_key=True))",
            downgrade=f"op.drop_table({revision!r})",
        )
    with pytest.raises(DatabaseNotFoundError):
        framefox_tasks.upgrade(target)
    assert [revision.revision for revision in framefox_tasks.plan(target).pending] == ["aaa", "bbb"]
    framefox_tasks.create(target)
    seen: list[Step] = []
    result = framefox_tasks.upgrade(target, on_step=seen.append)
    assert result.current == result.heads == ("bbb",)
    assert tuple(seen) == result.steps
    assert framefox_tasks.status(target).up_to_date
    assert framefox_tasks.upgrade(target).steps == ()
    assert framefox_tasks.downgrade(target, steps=2).current == ()
    with pytest.raises(MigrationError):
        framefox_tasks.downgrade(target)
    assert framefox_tasks.downgrade(target, steps=0).steps == ()
    assert "CREATE TABLE bbb" in framefox_tasks.upgrade_sql(target).sql
    assert len(framefox_tasks.clear_migrations(target).removed) == 2
    framefox_tasks.drop(target)
    assert not database.exists()


def test_a_migration_is_created_from_another_process_with_the_api(project: MiniProject, database: Database) -> None:
    script = (
        "from framefox_tasks import load_settings, create, create_migration, upgrade\n"
        "target = load_settings('.').target\n"
        "create(target)\n"
        "print(create_migration(target, message='by hand').path.name)\n"
        "print(upgrade(target).current)\n"
    )
    result = project.module("-c", script)
    assert result.code == 0, result.err
    assert "by_hand.py" in result.out
    assert "product" in database.tables()


def test_a_schema_is_read_and_drawn_as_functions(project: MiniProject) -> None:
    script = (
        "from framefox_tasks import *\n"
        "from framefox_tasks import DiagramOptions\n"
        "settings = load_settings('.')\n"
        "target = settings.target\n"
        "create(target)\n"
        "print(write_metadata(target).tables, write_metadata(target).changed)\n"
        "create_migration(target)\n"
        "upgrade(target)\n"
        "for schema in (declared_schema(target), live_schema(target)):\n"
        "    selected = select_tables(schema, DiagramOptions(exclude=('rev*',)))\n"
        "    drawn = draw_diagram(selected, target.project, DiagramOptions(formats=('markdown',)))\n"
        "    print([table.key for table in selected.schema.tables], drawn.paths[0].read_text().count('product'))\n"
    )
    result = project.module("-c", script)
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == "2 False"
    assert result.out.count("['product']") == 2


def test_settings_give_the_target(shop: MiniProject) -> None:
    settings = load_settings(shop.path, environ={})
    assert settings.target.name == "shop.db"
    assert settings.source == "database.url in config/orm.yaml"


@pytest.mark.parametrize("name", framefox_tasks.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(framefox_tasks, name))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_typed(name: str) -> None:
    function = getattr(framefox_tasks, name)
    signature = inspect.signature(function)
    annotated = [parameter.annotation for parameter in signature.parameters.values()]
    assert inspect.Signature.empty not in [*annotated, signature.return_annotation]


def test_a_target_never_shows_its_password() -> None:
    target = Target("postgresql://me:s3cret@host/shop")
    assert "s3cret" not in repr(target)
    assert "s3cret" not in str(target.address)
    assert "s3cret" not in repr(target.address)
    assert typing.get_type_hints(Target)["url"] is str


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = framefox_tasks.nothing  # type: ignore[attr-defined]
