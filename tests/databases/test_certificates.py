"""Connections of PyMySQL share what it would load for each of them."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from pymysql.connections import Connection
from support.databases import MakeDatabase

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.mysql.certificates import one_ssl_context

theirs: Any = Connection


def made() -> ssl.SSLContext:
    """The context of a connection without options; before PyMySQL 1.2 one is made only if it is asked for."""
    context: ssl.SSLContext = theirs(defer_connect=True)._create_ssl_ctx({})
    return context


def test_connections_share_a_context_while_it_is_asked_for() -> None:
    before = theirs._create_ssl_ctx
    with one_ssl_context():
        first = made()
        with one_ssl_context():
            assert made() is first
        assert made() is first
        named = theirs(defer_connect=True, ssl={"check_hostname": False, "verify_mode": True})
        assert named.ctx is not first
        assert named.ctx.verify_mode is ssl.CERT_REQUIRED
    assert theirs._create_ssl_ctx is before
    assert made() is not first
    with one_ssl_context():
        assert made() is first


def test_the_driver_is_as_before_after_threads_that_overlap() -> None:
    before = theirs._create_ssl_ctx
    inside, leave = threading.Barrier(3), threading.Event()

    def stay() -> None:
        with one_ssl_context():
            inside.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=stay) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    assert theirs._create_ssl_ctx is not before
    leave.set()
    for thread in threads:
        thread.join(10)
    assert theirs._create_ssl_ctx is before


@pytest.mark.server
def test_an_upgrade_and_the_plan_of_a_copy_load_the_certificates_once(
    tmp_path: Path, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "migrations/versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations/env.py").write_text("from framefox_tasks.env import run_migrations\n\nrun_migrations()\n")
    (versions / "one.py").write_text("revision = 'one'\ndown_revision = None\n\n\ndef upgrade():\n    pass\n")
    loaded: list[object] = []
    original = ssl.create_default_context

    def counted(*args: Any, **options: Any) -> ssl.SSLContext:
        loaded.append(args)
        return original(*args, **options)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    database = make_database("mysql")
    target = Target(database.url, Project(root=tmp_path))
    framefox_tasks.create(target)
    framefox_tasks.upgrade(target)
    assert database.revision() == ["one"]
    database_of(target).dialect_of(target)
    assert len(loaded) <= 1
