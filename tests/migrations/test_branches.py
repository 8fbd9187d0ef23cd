"""Histories whose branches are meant to last, and where a new migration goes in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database
from support.histories import CREATE, DROP, Written, forked
from support.projects import PROJECTS, MiniProject

from framefox_tasks import (
    ConfigError,
    MigrationError,
    Project,
    RevisionOptions,
    Target,
    create,
    create_migration,
    downgrade,
    load_settings,
    merge_heads,
    plan,
    status,
    upgrade,
    upgrade_sql,
)

TEMPLATE = (PROJECTS / "shop/migrations/script.py.mako").read_text(encoding="utf-8")


@pytest.fixture
def branches(tmp_path: Path) -> Written:
    written = forked(tmp_path)
    (tmp_path / "migrations/script.py.mako").write_text(TEMPLATE, encoding="utf-8")
    create(written.target())
    return written


@pytest.fixture
def shop_branches(shop: MiniProject) -> MiniProject:
    shop.write("config/orm.yaml", 'heads: all\ndatabase:\n  url: "sqlite:///shop.db"\n')
    for revision, down in (("aaa", None), ("bbb", "aaa"), ("ccc", "aaa")):
        shop.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    return shop


def written_empty(written: Written, **options: object) -> str:
    created = create_migration(
        written.target(),
        message="new",
        empty=True,
        options=RevisionOptions(**options),  # type: ignore[arg-type]
    )
    assert created.path
    return created.path.read_text(encoding="utf-8")


def test_all_heads_are_where_an_upgrade_goes(branches: Written) -> None:
    target = branches.target(all_heads=True)
    assert plan(target).pending[0].revision == "aaaa"
    assert "CREATE TABLE bil2" in upgrade_sql(target).sql
    assert upgrade(target).current == ("acc2", "bil2")
    assert status(target).up_to_date
    assert upgrade(target).steps == ()
    downgrade(target, revision="accounts@-1")
    assert status(target).pending == 1
    assert [step.revision.revision for step in upgrade(target).steps] == ["acc2"]


def test_one_head_is_still_an_error_without_the_setting(branches: Written) -> None:
    with pytest.raises(MigrationError, match="several heads: acc2, bil2") as error:
        upgrade(branches.target())
    assert "heads: all" in str(error.value.hint)
    with pytest.raises(MigrationError, match="several heads") as error:
        upgrade(branches.target(all_heads=True), revision="head")
    assert "accounts@head" in str(error.value.hint)


def test_a_database_whose_heads_depend_on_each_other_is_up_to_date(tmp_path: Path) -> None:
    written = forked(tmp_path)
    written.add("acc3", "acc2", depends_on="bil2")
    target = written.target(all_heads=True)
    create(target)
    done = upgrade(target)
    assert done.current == done.heads == ("acc3",)
    assert status(target).up_to_date


def test_the_setting_is_read_and_checked(shop: MiniProject) -> None:
    assert not load_settings(shop.path, environ={}).target.project.all_heads
    for value, expected in (("all", True), ("one", False)):
        shop.write("config/orm.yaml", f'heads: {value}\ndatabase:\n  url: "sqlite:///shop.db"\n')
        assert load_settings(shop.path, environ={}).target.project.all_heads is expected
    shop.write("config/orm.yaml", 'heads: every\ndatabase:\n  url: "sqlite:///shop.db"\n')
    with pytest.raises(ConfigError, match="heads must be one or all, not 'every'"):
        load_settings(shop.path, environ={})


def test_the_tasks_keep_several_heads(shop_branches: MiniProject) -> None:
    shop = shop_branches
    shop.ok("database_upgrade")
    assert "-- database_upgrade  at head bbb, ccc" in shop.ok("database_upgrade")
    assert "-- database_upgrade  at head bbb, ccc" in shop.ok("database_upgrade", "--revision=heads")
    assert "Join them" not in shop.ok("database_status", "--exit-code")
    error = shop.fails("database_create_migration")
    assert "There are several heads, and a migration follows one of them: bbb, ccc." in error
    assert "--head=bbb" in error
    assert "The entities differ" in shop.fails("database_create_migration", "--check")
    shop.ok("database_create_migration", "--head=bbb", "database_upgrade")
    assert "agree" in shop.ok("database_create_migration", "--check")
    assert "no changes since" in shop.ok("database_create_migration")
    shop.replace("src/entity/product.py", "String(100)", "String(120)")
    shop.ok("database_create_migration", "--head=ccc", "database_upgrade")
    assert "no changes since" in shop.ok("database_create_migration")


def test_servers_keep_several_heads(project: MiniProject, database: Database) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa"), ("ccc", "aaa")):
        project.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    target = Target(database.url, Project(root=project.path, all_heads=True))
    create(target)
    upgrade(target)
    assert database.revision() == ["bbb", "ccc"]
    downgrade(target, revision="ccc@-1")
    assert "ccc" not in database.tables()
    assert upgrade(target).current == ("bbb", "ccc")


def test_a_new_migration_follows_the_head_that_is_named(branches: Written) -> None:
    text = written_empty(branches, head="accounts@head")
    assert "'acc2'" in text
    with pytest.raises(MigrationError, match=r"acc1 is no head: acc2 follows it") as error:
        written_empty(branches, head="acc1")
    assert "--splice" in str(error.value.hint)
    assert "'acc1'" in written_empty(branches, head="acc1", splice=True)
    assert "'bil1'" in written_empty(branches, head="bil2-1", splice=True)
    with pytest.raises(MigrationError, match="is several revisions"):
        written_empty(branches, head="heads")
    with pytest.raises(MigrationError, match="no single migration 'acounts'") as error:
        written_empty(branches, head="acounts@head")
    assert "accounts" in str(error.value.hint)


def test_a_new_branch_begins_with_a_label_a_revision_and_dependencies(branches: Written) -> None:
    text = written_empty(
        branches, head="base", branch_label="stock", rev_id="stock1", depends_on=("accounts@head", "bil1")
    )
    for part in ("down_revision = None", "'stock'", "'stock1'", "'acc2'", "'bil1'"):
        assert part in text.replace(": str | Sequence[str] | None", "").replace(": Union[str, Sequence[str], None]", "")
    target = branches.target(all_heads=True)
    upgrade(target, revision="stock@head")
    assert branches.tables() == {"aaaa", "acc1", "acc2", "bil1"}
    assert upgrade(target).current == ("bil2", "stock1")
    assert status(target).up_to_date


def test_a_folder_of_migrations_is_chosen(branches: Written) -> None:
    folders = (Path("migrations/versions"), Path("migrations/stock"))
    target = Target("sqlite:///shop.db", Project(root=branches.path, version_locations=folders))
    (branches.path / "alembic.ini").write_text(
        "[alembic]\nscript_location = migrations\n"
        "version_locations = %(here)s/migrations/versions %(here)s/migrations/stock\n",
        encoding="utf-8",
    )
    (branches.path / folders[1]).mkdir()
    options = RevisionOptions(head="acc2", version_path=Path("migrations/other"))
    with pytest.raises(ConfigError, match="migrations/other is no folder of migrations") as error:
        create_migration(target, empty=True, options=options)
    assert "migrations/versions, migrations/stock" in str(error.value.hint)
    options = RevisionOptions(head="base", branch_label="stock", version_path=folders[1])
    created = create_migration(target, empty=True, options=options)
    assert created.path
    assert created.path.parent == branches.path / folders[1]
    created = create_migration(target, empty=True, message="next", options=RevisionOptions(head="stock@head"))
    assert created.path
    assert created.path.parent == branches.path / folders[1]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rev_id", "acc2", "the migration acc2 has that name"),
        ("branch_label", "accounts", "the migration acc1 has that name"),
        ("branch_label", "bil1", "the migration bil1 has that name"),
        ("rev_id", "a@b", "cannot be used"),
        ("branch_label", "head", "cannot be used"),
        ("rev_id", "x" * 33, "too long"),
    ],
)
def test_a_name_that_cannot_be_used_writes_nothing(branches: Written, name: str, value: str, why: str) -> None:
    before = sorted((branches.path / "migrations/versions").glob("*.py"))
    with pytest.raises(ConfigError, match=why):
        written_empty(branches, head="acc2", **{name: value})
    assert sorted((branches.path / "migrations/versions").glob("*.py")) == before


def test_a_dependency_that_is_none_writes_nothing(branches: Written) -> None:
    before = sorted((branches.path / "migrations/versions").glob("*.py"))
    with pytest.raises(MigrationError, match="no single migration 'bil9'"):
        written_empty(branches, head="acc2", depends_on=("bil9",))
    assert sorted((branches.path / "migrations/versions").glob("*.py")) == before


def test_a_merge_takes_a_revision_and_a_label(branches: Written) -> None:
    options = RevisionOptions(rev_id="joined", branch_label="whole")
    created = merge_heads(branches.target(), message="join", options=options)
    assert created.path
    assert "'whole'" in created.path.read_text(encoding="utf-8")
    assert upgrade(branches.target(), revision="whole@head").current == ("joined",)


def test_the_options_reach_the_file_from_the_command_line(shop_branches: MiniProject) -> None:
    shop_branches.ok(
        "database_create_migration",
        "--empty",
        "--head=base",
        "--branch-label=stock",
        "--rev-id=stock1",
        "--depends-on=bbb",
        "--depends-on=ccc",
    )
    text = shop_branches.read(f"migrations/versions/{shop_branches.versions()[0]}")
    assert all(part in text for part in ("'stock'", "'stock1'", "'bbb'", "'ccc'"))
    assert "--head is empty" in shop_branches.fails("database_create_migration", "--empty", "--head=")
    shop_branches.ok("database_upgrade")
    assert "-- database_upgrade  at head stock1" in shop_branches.ok("database_upgrade")
