"""Connections on which nothing is said for long, and which what is between them and the server would forget."""

from __future__ import annotations

import socket
from contextlib import suppress

_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""In seconds when the first is sent, on Linux and on macOS, and the next; and after how many without an answer it is
told that the connection has ended."""


def keep_alive(connection: socket.socket) -> None:
    """Have the system keep a connection open, and notice its end."""
    with suppress(OSError):  # a socket of a file has nothing between
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _PROBES.items():
        with suppress(AttributeError, OSError):  # no system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
