"""TCP keepalive, for idle connections that a firewall or a NAT would drop."""

from __future__ import annotations

import socket
from contextlib import suppress

_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds to the first probe, on Linux and on macOS, seconds between probes, and how many fail before the end."""


def keep_alive(connection: socket.socket) -> None:
    """Turn on TCP keepalive for a connection."""
    with suppress(OSError):  # a Unix socket has none
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _PROBES.items():
        with suppress(AttributeError, OSError):  # no system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
