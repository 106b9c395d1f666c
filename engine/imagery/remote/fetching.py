"""Parts of a raster on another computer, brought into the cache: several at a time, each asked for with its signature."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import AbsentRemote, RemoteError
from engine.imagery.remote import access, cache
from engine.imagery.remote.addresses import shown
from engine.imagery.remote.cache import PAGE_BYTES, CachedFile
from engine.imagery.remote.http import Answer, Asked, ask

# What is fetched of a raster that is not known yet: the header of most Cloud-Optimised GeoTIFFs.
_HEAD_BYTES = 16 * PAGE_BYTES
# One request brings at most this; larger parts are fetched side by side.
_PART_BYTES = 1 << 20
# A file whose server gives no parts comes as a whole, up to this.
_WHOLE_BYTES = 2_000_000_000
CONNECTIONS = 16
_ABSENT = (404, 410)
# Locks that are kept: one for each raster that is begun and for each part that is fetched, and far fewer at once.
_MOST_LOCKS = 4096

# A part of the cache that is found damaged is fetched again, so often.
_MENDED = 3

_fetchers = ThreadPoolExecutor(CONNECTIONS, "remote")
# Threads that unpack what came hold no connection: others ask meanwhile.
_connections = threading.BoundedSemaphore(CONNECTIONS)


@dataclass(frozen=True)
class RemoteRaster:
    """A raster on another computer.

    Attributes:
        address: without a signature.
        what: in words, with its date, for messages.
        is_whole: it is fetched as a whole, for its format is read in too many small pieces (JPEG 2000).
    """

    address: str
    access: access.AccessKind
    what: str
    is_whole: bool = False

    @property
    def head_bytes(self) -> int:
        """What is fetched of it before its size is known: of one that is fetched as a whole, as much as one request brings."""
        return _PART_BYTES if self.is_whole else _HEAD_BYTES

    def told(self, why: str, kind: type[RemoteError] = RemoteError) -> RemoteError:
        """An error that names the raster, its date and its address."""
        own = why.removeprefix(f"{shown(self.address)} cannot be had: ")
        return kind(f"{self.what} ({shown(self.address)}) cannot be had: {own}")


def cached(raster: RemoteRaster) -> CachedFile:
    """What is here of a raster; its first bytes are fetched where nothing is, which tells its size.

    Raises:
        RemoteError: it cannot be had.
    """
    found = cache.known(raster.address)
    if found is not None:
        return found
    with _lock(raster.address):  # readers that begin together ask once
        found = cache.known(raster.address)
        if found is not None:
            return found
        answer = _answer(raster, (0, raster.head_bytes))
        size, etag = _size(raster, answer), answer.headers.get("etag", "")
        found = cache.begun(raster.address, size, etag)
        _keep(raster, found, (0, min(raster.head_bytes, size)), answer)
    return found


def refreshed(raster: RemoteRaster) -> tuple[CachedFile, str]:
    """What is here of a file that may change, such as an index; parts of an earlier version of it are dropped.

    Returns:
        The file, and why its server could not be asked whether it is still the same; "" where it was asked.

    Raises:
        RemoteError: it cannot be had, and nothing of it is here.
    """
    found = cache.known(raster.address)
    if found is None:
        return cached(raster), ""
    try:
        answer = _answer(raster, (0, PAGE_BYTES))
    except RemoteError as err:
        return found, str(err)
    size, etag = _size(raster, answer), answer.headers.get("etag", "")
    return cache.begun(raster.address, size, etag), ""


@lru_cache(maxsize=_MOST_LOCKS)
def _lock(address: str, part: tuple[int, int] | None = None) -> threading.Lock:
    """The lock of a part of a raster; without one, of its first bytes, which tell its size."""
    del address, part
    return threading.Lock()


def begin(rasters: Sequence[RemoteRaster]) -> None:
    """Bring the first bytes of several rasters into the cache, side by side.

    Raises:
        RemoteError: one of them cannot be had.
    """
    unknown = [one for one in rasters if cache.known(one.address) is None]
    for done in [_fetchers.submit(cached, one) for one in unknown]:
        done.result()


Brought = dict[int, bytes]
"""Parts of a raster that came just now, by their first byte."""


def read_ranges(
    raster: RemoteRaster,
    held: CachedFile,
    ranges: Sequence[tuple[int, int]],
    wanted: Sequence[tuple[int, int]] | None = None,
) -> list[bytes]:
    """Bytes of some ranges, fetched where they are not here.

    Args:
        wanted: what is fetched for them; None: just them.

    Raises:
        RemoteError: one of them cannot be had.
        OSError: the cache cannot be read.
    """
    for _ in range(_MENDED):
        brought = fetch(raster, held, wanted or ranges)
        found = [_of_part(brought, start, end) or held.read(start, end) for start, end in ranges]
        if None not in found:
            return [one or b"" for one in found]
    raise raster.told("its cache is damaged again and again. Check the disk.")


def _of_part(brought: Brought, first: int, end: int) -> bytes:
    """A range of bytes that lies in one part that came just now; empty where it does not."""
    for start, part in brought.items():
        if start <= first and end <= start + len(part):
            return part[first - start : end - start]
    return b""


def fetch(raster: RemoteRaster, held: CachedFile, ranges: Sequence[tuple[int, int]]) -> Brought:
    """Bring ranges of bytes into the cache, side by side.

    Returns:
        What came, so that it need not be read from the disk again.

    Raises:
        RemoteError: one of them cannot be had.
    """
    wanted = [(0, held.size)] if raster.is_whole else ranges
    parts = [
        (at, min(at + _PART_BYTES, end))
        for start, stop in _joined(wanted)
        for begin, end in held.missing(start, stop)
        for at in range(begin, end, _PART_BYTES)
    ]
    if len(parts) == 1:
        return {parts[0][0]: _bring(raster, held, parts[0])}
    begun = {part[0]: _fetchers.submit(_bring, raster, held, part) for part in parts}
    return {start: done.result() for start, done in begun.items()}


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same bytes in ranges that do not touch, so that no page is fetched twice."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start // PAGE_BYTES <= -(-found[-1][1] // PAGE_BYTES):
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _bring(raster: RemoteRaster, held: CachedFile, part: tuple[int, int]) -> bytes:
    """A part, asked for once by readers that want the same part together."""
    with _lock(raster.address, part):
        if not held.missing(*part) and (here := held.read(*part)) is not None:
            return here
        return _asked_for(raster, held, part)


def _asked_for(raster: RemoteRaster, held: CachedFile, part: tuple[int, int]) -> bytes:
    answer = _answer(raster, part)
    if _size(raster, answer) != held.size or (
        held.etag and answer.headers.get("etag", held.etag) != held.etag
    ):
        cache.begun(raster.address, _size(raster, answer), answer.headers.get("etag", ""))
        raise raster.told(
            "it was changed on its server meanwhile. Start again, so that all of it is of one version."
        )
    return _keep(raster, held, part, answer)


def _keep(raster: RemoteRaster, held: CachedFile, part: tuple[int, int], answer: Answer) -> bytes:
    """Put a part into the cache; the part."""
    start, end = part
    if answer.status == 200:  # a server that gives no parts
        held.write(0, answer.body)
        return answer.body[start:end]
    if len(answer.body) != end - start:
        raise raster.told(f"{len(answer.body):,} bytes came instead of {end - start:,}. Try again later.")
    held.write(start, answer.body)
    return answer.body


def _answer(raster: RemoteRaster, part: tuple[int, int]) -> Answer:
    """The answer to a request for a part of a raster; a refused one is signed anew and tried once more."""
    for is_last in (False, True):
        try:
            url, headers = access.signed(raster.address, raster.access)
            headers |= {"Range": f"bytes={part[0]}-{part[1] - 1}"}
            with _connections:
                answer = ask(Asked(url, headers=headers, most_bytes=_WHOLE_BYTES))
        except RemoteError as err:
            raise raster.told(str(err)) from err
        if answer.status in (200, 206):
            return answer
        if answer.status not in (401, 403) or raster.access == "open" or is_last:
            kind = AbsentRemote if answer.status in _ABSENT else RemoteError
            raise raster.told(_refused(answer.status, raster.access), kind)
        access.forget(raster.access, f"{url} {headers}")
    raise AssertionError


def _refused(status: int, kind: access.AccessKind) -> str:
    if status in (401, 403):
        wants = access.wants(kind)
        if wants:
            return f"the login was refused ({status}). Check {wants}."
        why = (
            "an account, or its signature is not accepted" if kind == "open" else "a signature that is valid"
        )
        return f"its server wants {why} (it answered {status}). Choose another catalogue, or search again."
    if status in _ABSENT:
        return f"it is not there any more (its server answered {status}). Search again."
    return f"its server answered {status}. Try again later."


def _size(raster: RemoteRaster, answer: Answer) -> int:
    """Bytes of the whole raster."""
    if answer.status == 200:
        return len(answer.body)
    total = answer.headers.get("content-range", "").rpartition("/")[2]
    if not total.isdigit():
        raise raster.told("its server does not say how large it is. Choose another catalogue.")
    return int(total)
