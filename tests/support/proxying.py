"""A network between a copy and its server that fails when a test says so."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from framefox_tasks.model import Target
from framefox_tasks.url import parse_url
from support.databases import Database, server_url

Fate = Literal["pass", "cut", "lose", "freeze"]
"""What becomes of a connection: it goes on; what was sent arrives, and the answer does not; neither arrives; nothing
passes any more, and neither side is told."""
_PORTS = {"postgresql": 5432, "mysql": 3306}


def address_of(dialect: str) -> tuple[str, int]:
    """Where the server of the tests is."""
    address = parse_url(server_url(dialect))
    return address.host or "127.0.0.1", address.port or _PORTS[dialect]


def reached(database: Database, port: int) -> Target:
    """A database as it is reached by a port of this machine."""
    address = parse_url(database.url)
    login = f"{address.username}:{address.password}" if address.password else address.username
    plain = "?sslmode=disable" if database.dialect == "postgresql" else ""
    return Target(f"{database.dialect}://{login}@127.0.0.1:{port}/{database.name}{plain}")


class Proxy:
    """Listens on a port of its own, and passes what comes to a server and back.

    Args:
        server: Host and port of the server.
        fate: Is asked with what a client sends.
    """

    def __init__(self, server: tuple[str, int], fate: Callable[[bytes], Fate]) -> None:
        self._server = server
        self._fate = fate
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        self._ended.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()  # wakes who accepts
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._ended.is_set():
                client.close()
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            with suppress(OSError):
                while not self._ended.is_set():
                    for key, _ in selector.select(0.1):
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]  # a socket
                        fate = self._fate(data) if key.fileobj is client else "pass"
                        if fate == "freeze":
                            self._ended.wait()
                        if not data or (fate != "pass" and fate != "cut"):
                            return
                        key.data.sendall(data)
                        if fate == "cut":
                            server.recv(1)  # the server has answered
                            return


@contextmanager
def proxied(server: tuple[str, int], fate: Callable[[bytes], Fate]) -> Iterator[int]:
    """A proxy; gives its port."""
    proxy = Proxy(server, fate)
    try:
        yield proxy.port
    finally:
        proxy.close()
