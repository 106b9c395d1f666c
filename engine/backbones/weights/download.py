"""Fetching one large file over HTTP: resumable, checked, and in its place only when whole."""

from __future__ import annotations

import os
import re
import socket
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from engine.errors import WeightsError
from engine.files import file_sha256, is_disk_full, write_error

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and the total, None where the server does not say it."""

_REACH_S = 0.7  # name look-up and first connection together; offline is known within a second
_ATTEMPTS = 5  # a cut connection is resumed this often before giving up
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """A file to fetch; `what` and `advice` are the first and last part of every error message."""

    url: str
    sha256: str | None
    what: str
    advice: str


def fetch(wanted: Wanted, target: Path, on_progress: Progress | None = None) -> str:
    """Download to `<target>.part`, check, move into place; what an earlier try left is continued.

    The hash is compared with the card's, or with the one that the hub's `X-Linked-Etag` states; it is
    recorded in `<target>.sha256`.

    Returns:
        sha256 of the file.

    Raises:
        WeightsError: no network, refused, cut short time and again, or of a wrong hash.
        DiskFull: no room.
    """
    _require_reachable(wanted)
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stated = _download(wanted, part, on_progress)
        return _settle(wanted, part, target, wanted.sha256 or stated)
    except OSError as err:
        if is_disk_full(err):
            raise write_error(err, target, "fetch again: it goes on there") from err
        raise WeightsError(
            f"{wanted.what}; {target.parent} cannot be written ({err.strerror}). {wanted.advice}"
        ) from err


def _download(wanted: Wanted, part: Path, on_progress: Progress | None) -> str | None:
    """The whole file in `part`; the sha256 that the server states, if any."""
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
        for attempt in range(_ATTEMPTS):
            try:
                return _continue(client, wanted, part, on_progress)
            except httpx.TransportError as err:
                if attempt + 1 == _ATTEMPTS:
                    done_mb = part.stat().st_size / 1e6 if part.is_file() else 0.0
                    raise WeightsError(
                        f"{wanted.what}; the connection broke {_ATTEMPTS} times, with {done_mb:.1f} MB here "
                        f"({err}). Fetch again: it goes on there. Or: {wanted.advice}"
                    ) from err
    raise AssertionError("the last attempt returns or raises")


def _continue(client: httpx.Client, wanted: Wanted, part: Path, on_progress: Progress | None) -> str | None:
    """One request for what is still missing; appends to `part`."""
    tag_file = part.with_name(part.name + ".etag")
    have = part.stat().st_size if part.is_file() and tag_file.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | _authorisation()
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag_file.read_text(encoding="utf-8")}
    with client.stream("GET", wanted.url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _stated_sha256(response)  # all of it is here; the hash decides
        if response.is_error:
            raise WeightsError(f"{wanted.what}; {_refusal(response)}. {wanted.advice}")
        is_rest = response.status_code == httpx.codes.PARTIAL_CONTENT
        have = have if is_rest else 0
        _remember_tag(tag_file, response)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if is_rest else "wb") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                have += len(chunk)
                if on_progress is not None:
                    on_progress(have, total)
        return _stated_sha256(response)


def _settle(wanted: Wanted, part: Path, target: Path, sha256: str | None) -> str:
    found = file_sha256(part)
    part.with_name(part.name + ".etag").unlink(missing_ok=True)
    if sha256 is not None and found != sha256:
        part.unlink()
        raise WeightsError(
            f"{wanted.what} with sha256 {sha256}; what {wanted.url} sent has {found} and was deleted. "
            f"Fetch again; if it repeats, the file was changed: {wanted.advice}"
        )
    target.with_name(target.name + ".sha256").write_text(f"{found}  {target.name}\n", encoding="ascii")
    part.replace(target)
    return found


def _remember_tag(tag_file: Path, response: httpx.Response) -> None:
    """Keep what identifies this version, so that a later try never joins two versions."""
    tag = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        tag_file.write_text(tag, encoding="utf-8")
    else:
        tag_file.unlink(missing_ok=True)


def _stated_sha256(response: httpx.Response) -> str | None:
    """The hub names large files by their sha256, in a header of its first answer."""
    for answer in (*response.history, response):
        tag = answer.headers.get("X-Linked-Etag", "").strip('"')
        if _SHA256.fullmatch(tag):
            return str(tag)
    return None


def _authorisation() -> dict[str, str]:
    token = os.environ.get("HF_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(response: httpx.Response) -> str:
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return (
            f"its publisher wants you to accept the licence first ({response.status_code}): do so on the page "
            f"and set HF_TOKEN to your access token"
        )
    return f"the server answered {response.status_code} {response.reason_phrase}"


def _require_reachable(wanted: Wanted) -> None:
    """Fail within a second without network: a look-up may otherwise hang much longer than a connection."""
    parts = urlsplit(wanted.url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    reached = threading.Event()

    def reach() -> None:
        try:
            socket.create_connection(address, timeout=_REACH_S).close()
            reached.set()
        except OSError:
            return

    thread = threading.Thread(target=reach, daemon=True)
    thread.start()
    thread.join(_REACH_S)
    if not reached.is_set():
        raise WeightsError(f"{wanted.what}; {address[0]} cannot be reached. {wanted.advice}")
