"""The public functions as a caller uses them; nothing runs this: mypy --strict checks that their types are seen."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from framefox_tasks import (
    Baselined,
    Checked,
    Copied,
    CopyOptions,
    CopyPlan,
    CopyProgress,
    Created,
    DiagramOptions,
    Downgraded,
    Drawn,
    Drift,
    Dropped,
    FramefoxTasksError,
    LockWait,
    Mask,
    MetadataWritten,
    MigrationChecked,
    MigrationCreated,
    MigrationHistory,
    MigrationsCleared,
    Plan,
    Project,
    Protected,
    RevisionOptions,
    Schema,
    Script,
    Selected,
    Settings,
    StampChecked,
    Stamped,
    Status,
    Step,
    Target,
    Upgraded,
    amend_migration,
    baseline,
    check,
    check_migration,
    check_stamp,
    clear_migrations,
    copy,
    create,
    create_migration,
    declared_schema,
    downgrade,
    downgrade_sql,
    draw_diagram,
    drift,
    drop,
    history,
    is_protected,
    live_schema,
    load_settings,
    merge_heads,
    plan,
    plan_copy,
    protect,
    schema_at,
    select_changes,
    select_tables,
    stamp,
    status,
    unprotect,
    upgrade,
    upgrade_sql,
    write_metadata,
)


def lifecycle(url: str) -> str:
    target = Target(url, Project(root=Path("shop"), ignore_tables=("celery_*",)))
    assert_type(create(target, exist_ok=True), Created)
    created = create_migration(target, message="add phone")
    assert_type(created, MigrationCreated)
    assert_type(created.path, Path | None)
    assert_type(check_migration(target), MigrationChecked)
    assert_type(plan(target), Plan)
    assert_type(upgrade_sql(target, revision="a:b"), Script)

    def on_step(step: Step) -> None:
        print(step.revision.description, step.seconds)

    def on_wait(wait: LockWait) -> None:
        print(wait)

    upgraded = upgrade(target, revision="head", on_step=on_step, on_wait=on_wait, lock_wait=5)
    assert_type(upgraded, Upgraded)
    assert_type(upgraded.steps, tuple[Step, ...])
    assert_type(downgrade(target, steps=1, on_step=on_step), Downgraded)
    assert_type(merge_heads(target), MigrationCreated)
    options = RevisionOptions(head="accounts@head", depends_on=("1a2b",))
    assert_type(create_migration(target, empty=True, options=options, x=["tenant=acme"]), MigrationCreated)
    assert_type(amend_migration(target, yes=True), MigrationCreated)
    assert_type(downgrade_sql(target, revision="head:base"), Script)
    assert_type(history(target, revision="base:head"), MigrationHistory)
    assert_type(status(target), Status)
    assert_type(clear_migrations(target), MigrationsCleared)
    made = assert_type(baseline(target, message="as it is"), Baselined)
    checked = assert_type(check_stamp(target, revision=made.revisions[0]), StampChecked)
    if not checked.differences:
        assert_type(stamp(target, revision="head"), Stamped)
    assert_type(check(target, x=["a=b"], drift=True), Checked)
    assert_type(drift(target, x=["a=b"]), Drift)
    assert_type(status(target, drift=True), Status)
    if not is_protected(target):
        assert_type(protect(target, on_wait=on_wait), Protected)
    assert_type(unprotect(target, force="shop"), Protected)
    assert_type(drop(target, missing_ok=True, force="shop"), Dropped)
    return status(target).error or ""


def diagrams(settings: Settings) -> bool:
    target = settings.target
    assert_type(load_settings("shop", database="analytics"), Settings)
    assert_type(write_metadata(target), MetadataWritten)
    assert_type(declared_schema(target), Schema)
    selected = select_tables(live_schema(target), DiagramOptions())
    assert_type(selected, Selected)
    before = schema_at(target.project, "main")
    assert_type(before, Schema)
    near = select_changes(before, declared_schema(target), DiagramOptions(), since="main", around=["order"], depth=2)
    assert_type(near, Selected)
    drawn = draw_diagram(selected, target.project, settings.diagram, name="schema")
    assert_type(drawn, Drawn)
    return settings.target.project == Project()


def copies(source: Target, target: Target) -> int:
    options = CopyOptions(tables=("user",), masks=(Mask("user.email", "email"),), overwrite=True)
    assert_type(plan_copy(source, target, options=options), CopyPlan)

    def on_progress(progress: CopyProgress) -> None:
        print(progress.table, progress.rows)

    try:
        copied = copy(source, target, options=options, on_plan=print, on_progress=on_progress)
    except FramefoxTasksError as exc:
        print(exc.message, exc.hint)
        raise
    assert_type(copied, Copied)
    return sum(table.rows for table in copied.tables)
