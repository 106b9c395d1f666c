"""Requests over the network: to checked addresses only, of bounded size and time, repeated with growing pauses."""

from __future__ import annotations

import functools
import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError

from engine.errors import RemoteError
from engine.imagery.remote.addresses import Target, require_known, shown, target_of

_log = logging.getLogger(__name__)
MOST_BYTES = 64_000_000
# For a connection, for the next bytes, and for all tries of a request together.
_CONNECT_S, _READ_S, _WHOLE_S = 10.0, 30.0, 120.0
# A server that sends less than this in such a time gives an answer byte by byte, which may never end.
_LEAST_BYTES_S, _PATIENCE_S = 1000, 15.0
# Tries, and the pause before the second one; each pause is twice the one before, and a share of chance is added, so that
# many readers do not come back together.
_TRIES, _PAUSE_S, _LONGEST_PAUSE_S = 4, 0.5, 20.0
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS, _MOST_REDIRECTS = (301, 302, 303, 307, 308), 6
_CONNECTIONS = 32
_CHUNK_BYTES = 1 << 16
# Headers that go to the host that they were meant for, and to none that it redirects to.
_PRIVATE = ("authorization", "cookie")
# Variables by which the environment names a proxy (urllib.request.getproxies).
_PROXIES = (
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)

_pools: dict[tuple[str, str, int, str], urllib3.HTTPConnectionPool] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        headers: names in lower case.
        url: the last address, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class Asked:
    """A request."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    most_bytes: int = MOST_BYTES


class _Unfinished(Exception):
    """An answer that is larger or slower than it may be, and would be again; the message says which."""


def ask(asked: Asked, tries: int = _TRIES) -> Answer:
    """The answer to a request, whatever its status; passing troubles are waited for.

    Raises:
        RemoteError: an address that may not be asked, no network, or no complete answer after several tries.
    """
    trouble, after, ends = "", "", time.monotonic() + _WHOLE_S
    for number in range(tries):
        if number:
            time.sleep(_pause_s(number - 1, after))
        try:
            answer = _followed(asked, ends)
        except _Unfinished as err:
            raise RemoteError(f"{shown(asked.url)} cannot be had: {err}. Try again later.") from err
        except (HTTPError, OSError) as err:
            trouble, after = _in_words(err), ""
        else:
            if answer.status not in _PASSING:
                return answer
            trouble, after = f"the server answered {answer.status}", answer.headers.get("retry-after", "")
        if time.monotonic() > ends:
            break
    _log.info("%s: %s", shown(asked.url), trouble)
    raise RemoteError(f"{shown(asked.url)} cannot be had: {trouble}, {number + 1} times. Try again later.")


def _followed(asked: Asked, ends: float) -> Answer:
    """The answer after redirects, each of which is checked as the first address is."""
    url, headers, body, method = asked.url, dict(asked.headers), asked.body, asked.method
    for _ in range(_MOST_REDIRECTS):
        answer = _once(Asked(url, method, headers, body, asked.most_bytes), ends)
        place = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not place:
            return answer
        there = urljoin(url, place)
        if require_known(there) != require_known(url):
            headers = {name: value for name, value in headers.items() if name.lower() not in _PRIVATE}
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET", None
        url = there
    raise RemoteError(f"{shown(asked.url)} redirects without end. Check the address.")


def _once(asked: Asked, ends: float) -> Answer:
    proxy = _proxy(asked.url)
    target = target_of(asked.url) if not proxy else None
    headers = {"User-Agent": "emberscope", "Accept-Encoding": "identity", **asked.headers}
    pool: urllib3.ProxyManager | urllib3.HTTPConnectionPool
    if target is None:  # the network's own gate resolves the name; the host was checked
        require_known(asked.url)
        pool, url = urllib3.ProxyManager(proxy), asked.url
    else:
        headers["Host"] = target.host_header
        pool, url = _pool(target), target.path
    response = pool.request(
        asked.method, url, body=asked.body, headers=headers, redirect=False, retries=False, preload_content=False,
        timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
    )  # fmt: skip
    try:
        body = _body(response, asked.most_bytes, ends)
    finally:
        response.release_conn()
    found = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, found, body, asked.url)


def _body(response: urllib3.BaseHTTPResponse, most_bytes: int, ends: float) -> bytes:
    """The whole body.

    Raises:
        _Unfinished: it is larger than it may be, or takes longer.
    """
    parts, size, began = [], 0, time.monotonic()
    # As it comes, not in full pieces: a piece of a body that drips would be waited for.
    while part := response.read1(_CHUNK_BYTES, decode_content=False):
        size += len(part)
        parts.append(part)
        now = time.monotonic()
        is_dripping = now - began > _PATIENCE_S and size < _LEAST_BYTES_S * (now - began)
        if size > most_bytes or now > ends or is_dripping:
            response.close()
            if size > most_bytes:
                raise _Unfinished(f"the answer has more than {most_bytes / 1e6:.0f} MB")
            raise _Unfinished(f"only {size:,} bytes came in {now - began:.0f} s")
    return b"".join(parts)


def _pool(target: Target) -> urllib3.HTTPConnectionPool:
    """The connections to one checked address of a host; the certificate is that of its name."""
    address = target.addresses[0]
    key = target.scheme, target.host, target.port, address
    with _lock:
        if key not in _pools:
            _pools[key] = _made(target, address)
        return _pools[key]


def _made(target: Target, address: str) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(address, target.port, maxsize=_CONNECTIONS)
    return urllib3.HTTPSConnectionPool(
        address, target.port, maxsize=_CONNECTIONS, server_hostname=target.host, assert_hostname=target.host
    )


def _proxy(url: str) -> str:
    """The proxy that the environment names for an address; "" where there is none."""
    host, _ = require_known(url)
    named = tuple(os.environ.get(name, "") for name in _PROXIES)
    return _proxy_for(url.partition(":")[0], host, named)


@functools.lru_cache(maxsize=256)
def _proxy_for(scheme: str, host: str, named: tuple[str, ...]) -> str:
    """The same for what the environment names; it is looked through once, for each request would wait for that."""
    del named
    return "" if proxy_bypass(host) else getproxies().get(scheme, "")


def _pause_s(number: int, retry_after: str) -> float:
    own = _PAUSE_S * 2**number * random.uniform(1, 1.5)  # noqa: S311 - no secret
    return min(max(own, _asked_pause_s(retry_after)), _LONGEST_PAUSE_S)


def _asked_pause_s(retry_after: str) -> float:
    """Seconds of a Retry-After header, in either of its forms (RFC 9110, 10.2.3)."""
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0


def _in_words(err: Exception) -> str:
    """What went wrong, without an address, which may hold a signature."""
    match err:
        case urllib3.exceptions.NewConnectionError():
            return "the server does not answer"
        case urllib3.exceptions.TimeoutError():
            return "the server does not answer in time"
        case urllib3.exceptions.SSLError():
            return "its certificate is not valid"
        case urllib3.exceptions.ProtocolError() | urllib3.exceptions.IncompleteRead():
            return "the answer was cut short"
        case _:
            return f"the network failed ({type(err).__name__})"
