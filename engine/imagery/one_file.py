"""What GDAL is given to open a raster through Python with: one file, and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rasterio.abc import MultiByteRangeResourceContainer


class Reading(Protocol):
    """One reading of a file's bytes, as GDAL asks for them.

    Attributes:
        size: of the file in bytes.
    """

    size: int

    def tell(self) -> int: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def read(self, count: int = -1) -> bytes: ...
    def close(self) -> None: ...
    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]: ...


class OneFile:
    """A folder in which a single file can be read (rasterio's `opener`, 1.4).

    Args:
        name: of the file; whatever else GDAL looks for is not there.
        begin: gives a new reading of it.
    """

    def __init__(self, name: str, begin: Callable[[], Reading]) -> None:
        self._name, self._begin = name, begin

    def open(self, path: str, mode: str = "rb", **_: Any) -> Reading:
        if not (self.isfile(path) and mode.startswith("r")):
            raise FileNotFoundError(path)
        return self._begin()

    def isfile(self, path: str) -> bool:
        return path.rsplit("/", 1)[-1] == self._name

    def isdir(self, path: str) -> bool:
        del path
        return False

    def ls(self, path: str) -> list[str]:
        del path
        return []

    def mtime(self, path: str) -> int:
        del path
        return 0

    def rm(self, path: str) -> None:
        raise OSError(path)

    def size(self, path: str) -> int:
        if not self.isfile(path):
            raise FileNotFoundError(path)
        return self._begin().size


MultiByteRangeResourceContainer.register(OneFile)
