"""Answers leave the server at once, without waiting until the browser has acknowledged the part before.

An answer is written in two parts, its head and its body. Unless a connection says TCP_NODELAY, the system keeps the
second part back until the first is acknowledged, which the other side puts off for 40 ms (RFC 896 and RFC 1122,
4.2.3.2): every file and every tile after the first on a connection came 44 ms late. asyncio sets the option only on
sockets that were made with their protocol named, which Streamlit 1.67 does not.
"""

from __future__ import annotations

import gc
import socket


def answer_at_once() -> int:
    """Set the option on all sockets of this process that listen; the connections that they accept inherit it.

    Returns:
        How many sockets that were.
    """
    listening = [found for found in gc.get_objects() if type(found) is socket.socket and _listens(found)]
    for found in listening:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return len(listening)


def _listens(found: socket.socket) -> bool:
    """Whether it is a TCP socket that accepts connections; the name of a socket of this machine alone is no tuple."""
    return (
        found.fileno() >= 0
        and found.type == socket.SOCK_STREAM
        and isinstance(found.getsockname(), tuple)
        and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    )
