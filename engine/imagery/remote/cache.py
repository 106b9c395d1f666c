"""The cache of rasters on other computers: parts of files, in pages of a kilobyte, of bounded size on this disk.

Each raster has a folder with `data` (sparse, each byte at its own place), `pages` (the checksum of each page, 0 where it
is not here yet) and `facts.json`. The checksum tells a page that a power cut left half-written. Several processes may
read and write: a page is written before its checksum, and always with the same bytes. What was used longest ago goes first.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from engine.files import make_folder, read_json, write_atomic, write_errors
from engine.workspace import runs_root

PAGE_BYTES = 1024
# Size of the cache in gigabytes, in place of the usual one.
VARIABLE = "EMBERSCOPE_CACHE_GB"
_USUAL_GB = 10.0
# Written since the size was looked at last.
_LOOK_BYTES = 50_000_000

_since_look = 0
_lock = threading.Lock()


@dataclass(frozen=True)
class Usage:
    """How full the cache is."""

    used_bytes: int
    limit_bytes: int
    rasters: int


@dataclass(frozen=True)
class CachedFile:
    """The parts of one raster that are here.

    Attributes:
        size: of the whole raster, bytes.
        etag: by which its server tells its versions apart; "" where it does not.
    """

    folder: Path
    size: int
    etag: str

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """Parts of a half-open range of bytes that are not here, in whole pages, neighbours joined."""
        first, last = start // PAGE_BYTES, -(-min(end, self.size) // PAGE_BYTES)
        runs: list[tuple[int, int]] = []
        known = self._sums(first, last)
        if not any(known):
            return [(first * PAGE_BYTES, min(last * PAGE_BYTES, self.size))] if last > first else []
        for page, checksum in zip(range(first, last), known, strict=True):
            if checksum:
                continue
            if runs and runs[-1][1] == page * PAGE_BYTES:
                runs[-1] = runs[-1][0], (page + 1) * PAGE_BYTES
            else:
                runs.append((page * PAGE_BYTES, (page + 1) * PAGE_BYTES))
        return [(begin, min(stop, self.size)) for begin, stop in runs]

    def read(self, start: int, end: int) -> bytes | None:
        """Bytes that are here; None where pages are not what was written, which are forgotten, so that they are fetched again."""
        first, last = start // PAGE_BYTES, -(-end // PAGE_BYTES)
        with (self.folder / "data").open("rb") as file:
            content = os.pread(
                file.fileno(), min(last * PAGE_BYTES, self.size) - first * PAGE_BYTES, first * PAGE_BYTES
            )
        content = content.ljust(min(last * PAGE_BYTES, self.size) - first * PAGE_BYTES, b"\0")
        found, sums = _checksums(content), self._sums(first, last)
        wrong = [first + n for n, (own, known) in enumerate(zip(found, sums, strict=True)) if own != known]
        for page in wrong:
            self._write_sums(page, [0])
        return None if wrong else content[start - first * PAGE_BYTES : end - first * PAGE_BYTES]

    def write(self, start: int, content: bytes) -> None:
        """Keep bytes that begin with a page and end with one, or with the raster.

        Raises:
            DiskFull, RunFailure: they cannot be written.
        """
        assert start % PAGE_BYTES == 0
        with write_errors(self.folder / "data"):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "data", os.O_CREAT | os.O_WRONLY)
            try:
                os.pwrite(handle, content, start)
            finally:
                os.close(handle)
            self._write_sums(start // PAGE_BYTES, _checksums(content))
        _count(len(content))

    def touch(self) -> None:
        """Say that it is used."""
        facts = self.folder / "facts.json"
        if facts.exists():
            os.utime(facts)

    def _sums(self, first: int, last: int) -> tuple[int, ...]:
        try:
            with (self.folder / "pages").open("rb") as file:
                content = os.pread(file.fileno(), 4 * (last - first), 4 * first)
        except FileNotFoundError:
            content = b""
        content = content.ljust(4 * (last - first), b"\0")
        return struct.unpack(f"<{last - first}I", content)

    def _write_sums(self, first: int, sums: list[int]) -> None:
        handle = os.open(self.folder / "pages", os.O_CREAT | os.O_WRONLY)
        try:
            os.pwrite(handle, struct.pack(f"<{len(sums)}I", *sums), 4 * first)
        finally:
            os.close(handle)


def known(address: str) -> CachedFile | None:
    """What is here of a raster; None where nothing is."""
    folder = _folder(address)
    try:
        facts = read_json(folder / "facts.json")
        return CachedFile(folder, int(facts["size"]), str(facts["etag"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begun(address: str, size: int, etag: str) -> CachedFile:
    """The place of a raster whose size is known; parts of another version of it are dropped.

    Raises:
        DiskFull, RunFailure: it cannot be made.
    """
    folder = _folder(address)
    make_folder(folder.parent)
    with FileLock(folder.with_suffix(".lock")):  # readers begin with one raster together
        found = known(address)
        if found is None or (found.size, found.etag) != (size, etag):
            shutil.rmtree(folder, ignore_errors=True)
            facts = json.dumps({"size": size, "etag": etag})
            write_atomic(
                folder / "facts.json", lambda temporary: temporary.write_text(facts, encoding="utf-8")
            )
    return CachedFile(folder, size, etag)


def drop(address: str) -> None:
    """Forget what is here of a raster."""
    shutil.rmtree(_folder(address), ignore_errors=True)


def usage() -> Usage:
    """How full the cache is."""
    sizes = [size for _, size, _ in _rasters()]
    return Usage(sum(sizes), _limit_bytes(), len(sizes))


def make_room() -> None:
    """Drop the rasters used longest ago until the cache is within its size."""
    found = sorted(_rasters())
    excess = sum(size for _, size, _ in found) - _limit_bytes()
    for _, size, folder in found:
        if excess <= 0:
            return
        shutil.rmtree(folder, ignore_errors=True)
        excess -= size


def cache_folder() -> Path:
    """Where the cache lies, once for all workspaces."""
    return runs_root() / "cache" / "rasters"


def _rasters() -> Iterator[tuple[float, int, Path]]:
    """When each raster was used last, its bytes on disk (holes do not count), and its folder."""
    for facts in cache_folder().glob("*/*/facts.json"):
        try:
            size = sum(file.stat().st_blocks * 512 for file in facts.parent.iterdir())
            yield facts.stat().st_mtime, size, facts.parent
        except OSError:  # another process drops it
            continue


def _folder(address: str) -> Path:
    name = hashlib.sha256(address.encode()).hexdigest()
    return cache_folder() / name[:2] / name[:32]


def _limit_bytes() -> int:
    try:
        return int(float(os.environ.get(VARIABLE, "")) * 1e9)
    except ValueError:
        return int(_USUAL_GB * 1e9)


def _count(size: int) -> None:
    global _since_look  # noqa: PLW0603 - one number of the process, under its lock
    with _lock:
        _since_look += size
        if _since_look < min(_LOOK_BYTES, _limit_bytes() // 4):
            return
        _since_look = 0
    make_room()


def _checksums(content: bytes) -> list[int]:
    """Of each page, never 0."""
    crc32, whole = zlib.crc32, memoryview(content)
    return [crc32(whole[at : at + PAGE_BYTES]) or 1 for at in range(0, len(content), PAGE_BYTES)]
