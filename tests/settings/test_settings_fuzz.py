"""Settings and snapshots that somebody has edited: they are read, or refused with a message; never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.given import load

from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.settings import Settings, _dotenv, _schema
from framefox_tasks.settings._copies import _KEYS as COPY_KEYS

SECRET = "s3cr3t-Horse"  # noqa: S105 - an example
MANY = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DIAGRAM_KEYS = ("folder", "formats", "include", "exclude", "title", "direction", "groups")
KEYS = sorted({*_schema._TOP, *_schema._DATABASE, *COPY_KEYS, *DIAGRAM_KEYS})
TAGS = (
    "timestamp",
    "int",
    "float",
    "bool",
    "null",
    "str",
    "binary",
    "set",
    "omap",
    "pairs",
    "map",
    "seq",
    "merge",
    "x",
)
WORDS = (
    "sqlite:///x.db",
    "postgresql://u:p@h/d",
    "x",
    "''",
    "~",
    "1",
    "-1",
    "1e999",
    "true",
    "all",
    "upgrade",
    "packages",
    "svg",
    "2024-99-99",
    "'${A}'",
    "'${UNSET}'",
    "'$${A}'",
    "'${'",
    "=",
    "*a",
    '"\\0"',
    '"\\ud800"',
    "'{timestamp}'",
    "é",
)


def flow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """YAML of one level more: a list or a mapping, with keys of ours and others."""
    keys = st.sampled_from([*KEYS, "x", "~", "<<", "'0'", "? [a]", "*a", "!!int 1"])
    pairs = st.lists(st.tuples(keys, inner), max_size=4, unique_by=lambda pair: pair[0])
    return st.one_of(
        pairs.map(lambda items: "{" + ", ".join(f"{key} : {value}" for key, value in items) + "}"),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.tuples(st.sampled_from(TAGS), inner).map(lambda pair: f"!!{pair[0]} {pair[1]}"),
        inner.map(lambda text: text if text.startswith("&") else f"&a {text}"),
    )


values = st.recursive(st.sampled_from(WORDS), flow, max_leaves=8)
sections = {
    "database": st.sampled_from(sorted(_schema._DATABASE)),
    "copies": st.just("daily"),
    "diagram": st.sampled_from(DIAGRAM_KEYS),
}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Settings whose top level is one that could be meant."""
    lines = []
    for key in draw(st.lists(st.sampled_from(sorted(_schema._TOP)), max_size=4, unique=True)):
        lines.append(f"{key}: {draw(values)}" if key not in sections or draw(st.booleans()) else f"{key}:")
        if lines[-1].endswith(":"):
            lines += [f"  {draw(sections[key])}: {draw(values)}"]
    return "\n".join(lines)


def read_all(root: Path, yaml: str, **environ: str) -> Settings | str:
    """The settings, after all of their copies were read too; else the error that is meant for the user."""
    try:
        found = load(root, yaml, **environ)
        for name in found.copies.chains:
            _ = found.copies.named(name)
    except FramefoxTasksError as exc:
        return str(exc)
    return found


@MANY
@given(yaml=documents())
def test_any_settings_are_read_or_refused(tmp_path: Path, yaml: str) -> None:
    found = read_all(tmp_path, yaml, A="a", DATABASE_URL="sqlite:///meant.db")
    assert found if isinstance(found, str) else found.target.name == "meant.db"


EXAMPLE = f"""database:
  driver: mysql
  host: "${{A:-localhost}}"
  port: 3306
  username: 'u'
  password: "{SECRET}"
  database: d
  logging: {{echo_sql: no}}
entities: [src/entity, "lib"]
lock_wait: 5
copies:
  daily: {{to: "sqlite:///b/{{timestamp}}.db", keep: 3, where: {{order: "id > 1"}}, mask: {{user.email: email}}}}
"""


@MANY
@given(data=st.data())
def test_settings_that_were_mistyped_are_read_or_refused_without_the_password(
    tmp_path: Path, data: st.DataObject
) -> None:
    text = EXAMPLE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        removed = data.draw(st.integers(0, 3))
        text = (
            text[:start]
            + data.draw(st.sampled_from([*"\"'{}[]:,#&*!|>%@`~-\n\t ${", "", "!!", "<<"]))
            + text[start + removed :]
        )
    assert SECRET not in str(read_all(tmp_path, text, A="h"))


PLAIN = {
    "format": json.loads(Schema(()).to_json())["format"],
    "tables": {
        "shop.order": {
            "package": "sales",
            "name": "order",
            "schema": "shop",
            "comment": "c",
            "options": {"mysql_engine": "InnoDB"},
            "columns": [
                {"name": "id", "type": "INTEGER", "nullable": False, "options": {"identity": "x"}},
                {"name": "s", "type": "ENUM", "nullable": True, "enum": {"values": ["a"], "name": "e"}},
            ],
            "primary_key": {"columns": ["id"]},
            "foreign_keys": [{"columns": ["id"], "table": "a", "referred": ["id"], "options": {"ondelete": "x"}}],
            "uniques": [{"columns": ["id"], "name": "u"}],
            "indexes": [{"columns": ["id"], "name": "i", "unique": True, "expressions": ["id"]}],
            "checks": [{"sql": "id > 1", "name": "c"}],
        }
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all parts of a value that is of JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inside for found in places(part, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A value with another one at a place in it."""
    if not path:
        return other
    if isinstance(value, dict):
        return {key: changed(part, path[1:], other) if key == path[0] else part for key, part in value.items()}
    return [changed(part, path[1:], other) if index == path[0] else part for index, part in enumerate(value)]


others = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "x", "id"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "columns", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def snapshot_or_none(text: str) -> Schema | None:
    try:
        return Schema.from_json(text)
    except ConfigError:
        return None


def test_the_snapshot_that_is_edited_is_one() -> None:
    assert json.loads(Schema.from_json(json.dumps(PLAIN)).to_json()) == PLAIN


@MANY
@given(path=st.sampled_from(places(PLAIN)), other=others)
def test_any_edited_snapshot_is_read_whole_or_refused(path: tuple[Any, ...], other: Any) -> None:
    found = snapshot_or_none(json.dumps(changed(PLAIN, path, other)))
    if found is not None:
        assert Schema.from_json(found.to_json()).to_json() == found.to_json()
        assert all(isinstance(column.name, str) for table in found.tables for column in table.columns)


@pytest.mark.parametrize("other", [{"a": "b"}, ["a"], None, 1])
def test_a_table_name_that_is_no_text_is_refused(other: Any) -> None:
    assert snapshot_or_none(json.dumps(changed(PLAIN, ("tables", "shop.order", "name"), other))) is None


@MANY
@given(
    text=st.lists(st.sampled_from(["DATABASE_URL", "=", "'", '"', "\n", "${", "}", ":-", "#", "\\", " ", "x", SECRET]))
)
def test_any_dotenv_is_read_or_refused_without_its_text(text: list[str]) -> None:
    found = error = None
    try:
        found = dict(_dotenv.variables("".join(text), {}, ()))
    except ConfigError as exc:
        error = exc
    assert found is not None or str(error).startswith(".env, line ")
    assert SECRET not in str(error)
