"""The section `fleet` of config/orm.yaml: what it takes, and what is refused, with what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.given import load

from framefox_tasks import ConfigError, FleetGroup, FleetOptions

DATABASE = 'database: {url: "sqlite:///main.db"}\n'
WHOLE = """
fleet:
  targets: "SELECT name, tier FROM tenant WHERE active ORDER BY tier"
  url: "postgresql://app:${APP_PASSWORD}@db-{shard}/{name}"
  template: "postgresql://app@db/template"
  groups: [{name: canary, take: 5, then: ask}, {name: free, where: "tier = 'free'"}, {name: rest}]
  jobs: 4
  per_server: 2
  stop_after: 0
  cluster: tls://scheduler:8786
"""


def options(tmp_path: Path, section: str, **environ: str) -> FleetOptions:
    fleet = load(tmp_path, DATABASE + section, **environ).fleet
    assert fleet
    return fleet.options


def test_all_that_the_section_takes(tmp_path: Path) -> None:
    found = options(tmp_path, WHOLE)  # no variable is needed before a URL is
    assert found == FleetOptions(
        targets="SELECT name, tier FROM tenant WHERE active ORDER BY tier",
        url="postgresql://app:${APP_PASSWORD}@db-{shard}/{name}",
        template="postgresql://app@db/template",
        groups=(FleetGroup("canary", take=5, ask=True), FleetGroup("free", where="tier = 'free'"), FleetGroup("rest")),
        jobs=4,
        per_server=2,
        stop_after=0,
        cluster="tls://scheduler:8786",
    )
    assert "app" not in repr(found)


def test_a_project_without_a_fleet_has_none(tmp_path: Path) -> None:
    assert load(tmp_path, DATABASE).fleet is None


@pytest.mark.parametrize(
    ("section", "message", "hint"),
    [
        ("fleet: {target: a}", "unknown key fleet.target", "Did you mean fleet.targets?"),
        ("fleet: [a]", "fleet must be a mapping", "indented"),
        ("fleet: {jobs: 3}", "either targets or schemas", "a query, a list"),
        ("fleet: {targets: [a], schemas: SELECT 1}", "not both", "targets"),
        ("fleet: {targets: tenants}", "no list of databases: 'tenants'", "a glob"),
        ("fleet: {targets: [a, {tier: free}]}", "the entry 2 of fleet.targets names no database", "Write a name"),
        ("fleet: {targets: [a], jobs: 0}", "fleet.jobs must be a whole number of 1", "Correct it"),
        ("fleet: {targets: [a], stop_after: few}", "fleet.stop_after must be a whole number of 0", "Correct it"),
        ("fleet: {targets: [a], groups: {name: a}}", "fleet.groups must be a list", "name: rest"),
        ("fleet: {targets: [a], groups: [{nam: a}]}", "unknown key fleet.groups.1.nam", "fleet.groups.1.name"),
        ("fleet: {targets: [a], groups: [{name: a b}]}", "must be a word, not 'a b'", "canary"),
        ("fleet: {targets: [a], groups: [{name: a, then: wait}, {name: b}]}", "can only be ask", "Correct it"),
        ("fleet: {targets: [a], groups: [{name: a, take: 1}]}", "the last group of the fleet", "name: rest"),
        ("fleet: {targets: [a], groups: [{name: a}, {name: b}]}", "the last group of the fleet", "name: rest"),
        ("fleet: {targets: [a], groups: [{name: a, take: 1}, {name: a}]}", "two groups of the fleet", "another name"),
        ("fleet: {targets: '${NONE}/*.db'}", "needs the variable NONE", "Set NONE"),
    ],
)
def test_what_is_refused(tmp_path: Path, section: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options(tmp_path, section)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
