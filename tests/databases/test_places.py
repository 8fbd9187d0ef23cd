"""Where a PostgreSQL server is: several hosts, and a socket, in each form in which URLs name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from support.databases import MakeDatabase

from framefox_tasks import Target, create, drop
from framefox_tasks.databases import database_of
from framefox_tasks.url import parse_url


def forms(url: str) -> Iterator[str]:
    """The URLs of the same database over several hosts, and over the server's socket if it is on this machine."""
    address = parse_url(url)
    host, port = address.host or "localhost", address.port or 5432
    login = quote(address.username or "") + (f":{quote(address.password)}" if address.password else "")
    yield f"postgresql://{login}@{host},{host}:{port}/{address.database}"
    yield f"postgresql://{login}@/{address.database}?host={host}:{port}&host={host}:{port}"
    with closing(psycopg.connect(url.rpartition("/")[0] + "/postgres")) as connection:
        (folders,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    for folder in filter(None, map(str.strip, folders.split(","))):
        if host in ("localhost", "127.0.0.1") and (Path(folder) / f".s.PGSQL.{port}").exists():
            yield f"postgresql://{login}@{quote(folder, safe='')}:{port}/{address.database}"
            yield f"postgresql://{login}@:{port}/{address.database}?host={folder}"


@pytest.mark.server
def test_several_hosts_and_sockets_lead_to_the_server(make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    found = list(forms(database.url))
    assert len(found) >= 2
    for url in found:
        target = Target(url)
        assert create(target).created, url
        assert database_of(Target(database.url)).exists(Target(database.url)), url
        assert drop(target).dropped, url
