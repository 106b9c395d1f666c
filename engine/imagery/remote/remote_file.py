"""A raster on another computer as a file: a small file here that names it, and GDAL's reading of it through the cache.

`NAME.tif.remote` holds the address, the kind of access and what it is, in JSON. GDAL asks for ranges of bytes; those that
are not in the cache are fetched together, several at a time.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import get_args

from engine.errors import EngineError, SceneError
from engine.files import read_json, write_atomic
from engine.imagery.one_file import OneFile
from engine.imagery.remote import access
from engine.imagery.remote.addresses import require_no_login
from engine.imagery.remote.cache import PAGE_BYTES
from engine.imagery.remote.fetching import RemoteRaster, cached, read_ranges

ENDING = ".remote"
# Directories of files that are no Cloud-Optimised GeoTIFF lie anywhere: small reads bring this much with them.
_SMALL_BYTES, _AROUND_BYTES = 4096, 8 * PAGE_BYTES

_failed = threading.local()


def is_remote(path: Path) -> bool:
    """Whether a file only names a raster on another computer."""
    return path.suffix == ENDING


def write_remote(path: Path, raster: RemoteRaster, modified: float) -> None:
    """Write the file that names a raster; the same raster gives the same file, time of change included.

    Raises:
        RemoteError: its address carries a login, which no file may hold.
    """
    require_no_login(raster.address)
    text = json.dumps(asdict(raster), indent=1)
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    os.utime(path, (modified, modified))


def remote_raster(path: Path) -> RemoteRaster:
    """The raster that a file names.

    Raises:
        SceneError: it is absent or names none.
    """
    try:
        return _named(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise SceneError(f"{path} does not name a raster of a catalogue. Choose the scenes again.") from err


@lru_cache(maxsize=4096)
def _named(path: Path, modified_ns: int) -> RemoteRaster:
    del modified_ns
    said = read_json(path)
    if said["access"] not in get_args(access.AccessKind):
        raise ValueError(said["access"])
    return RemoteRaster(str(said["address"]), said["access"], str(said["what"]), bool(said.get("is_whole")))


def remote_as_file(path: Path) -> OneFile:
    """What GDAL opens a raster on another computer with.

    Raises:
        SceneError: the file here names none.
    """
    raster = remote_raster(path)
    return OneFile(path.name, lambda: RemoteFile(raster))


class RemoteFile:
    """One reading of a raster. GDAL calls it from C, where an exception would be lost: failures are kept and raised later."""

    def __init__(self, raster: RemoteRaster) -> None:
        self._raster, self._at = raster, 0
        self._cached = cached(raster)
        self._cached.touch()
        self.size = self._cached.size

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def read(self, count: int = -1) -> bytes:
        end = self.size if count < 0 else min(self._at + count, self.size)
        if end <= self._at:
            return b""
        around = end if end - self._at > _SMALL_BYTES else min(self._at + _AROUND_BYTES, self.size)
        (content,) = self._content([(self._at, end)], [(self._at, around)])
        self._at += len(content)
        return content

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        ranges = [(start, min(start + size, self.size)) for start, size in zip(offsets, sizes, strict=True)]
        found = self._content(ranges, ranges)
        return [content.ljust(size, b"\0") for content, size in zip(found, sizes, strict=True)]

    def _content(self, ranges: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> list[bytes]:
        """Bytes of some ranges, empty after a failure, which `raise_failure` tells of."""
        try:
            return read_ranges(self._raster, self._cached, ranges, wanted)
        except EngineError as err:
            _failed.error = err
        except OSError as err:
            _failed.error = self._raster.told(f"its cache cannot be read ({err.strerror}). Try again.")
        return [b"" for _ in ranges]


def keep_failure(err: EngineError) -> None:
    """Keep what went wrong while GDAL reads in this thread, for `raise_failure`."""
    _failed.error = err


def raise_failure() -> None:
    """Raise what went wrong while GDAL read in this thread, if anything did.

    Raises:
        EngineError: as the reading would have raised it.
    """
    err = getattr(_failed, "error", None)
    if err is not None:
        _failed.error = None
        raise err


def forget_failure() -> None:
    """Begin anew: what failed before in this thread was told."""
    _failed.error = None
