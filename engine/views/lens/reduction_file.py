"""The file of a reduction: a head in JSON, a table of tiles, and the numbers of all patches, patch after patch.

    "EMBLENS1" | length of the head, uint32 | head | padding to 16 bytes | (T, 28) float64 | (n, stored) int8

All numbers are little-endian. `stored` is the number of components, filled with zeros to a multiple of 16, which a
browser adds up at once. The first number of a patch without data is -128, which no other patch has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.files import write_atomic
from engine.views.lens.placement import Placement

INVALID = -128
_MAGIC = b"EMBLENS1"
_LANES = 16
TABLE_COLUMNS = 28
# Beyond it a patch would be drawn off its place.
MOST_ERROR = 0.1


@dataclass(frozen=True)
class Header:
    """The head of a file.

    Attributes:
        identity: of the store, the view and the components that it was made of.
        components: numbers of a patch.
        step: patches along a side whose mean is one patch of the file.
        shapes: (h, w) patches of each tile in the store.
        scales: what one step of each component is worth.
        deviations: standard deviation of each component.
        share: of the variance that the components show, 0 to 1.
        dates: of the tiles, sorted.
        facts: for words beside the map.
    """

    identity: str
    components: int
    step: int
    shapes: tuple[tuple[int, int], ...]
    scales: tuple[float, ...]
    deviations: tuple[float, ...]
    share: float
    dates: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Bytes of a patch."""
        return -(-self.components // _LANES) * _LANES

    @property
    def patches(self) -> int:
        """Patches in the file."""
        return sum(-(-h // self.step) * -(-w // self.step) for h, w in self.shapes)


def tile_table(
    placement: Placement, header: Header, dates: np.ndarray, most_error: float = MOST_ERROR
) -> np.ndarray:
    """(T, 28) float64 of each tile: first patch, rows, columns, date, box, coefficients of column and of row.

    All patches are meant, step 1; `overview.py` makes the table of their means.

    Args:
        dates: (T,) numbers of dates.
        most_error: patches; a tile whose place is less sure is left out, as one without rows and columns.
    """
    shapes = np.array(header.shapes, np.float64).reshape(-1, 2)
    firsts = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))[:-1]])
    shapes[placement.error > most_error] = 0
    coefficients = placement.coefficients.reshape(len(shapes), -1)
    return np.concatenate([firsts[:, None], shapes, dates[:, None], placement.boxes, coefficients], axis=1)


def write_file(path: Path, header: Header, table: np.ndarray, numbers: Iterable[np.ndarray]) -> Header:
    """Write atomically.

    Args:
        table: (T, 28) of the tiles.
        numbers: (n, stored) int8, tile by tile.

    Raises:
        DiskFull: no room.
    """
    facts = asdict(header) | {"stored": header.stored, "patches": header.patches, "tiles": len(table)}
    head = json.dumps(facts, separators=(",", ":")).encode()
    begin = len(_MAGIC) + 4 + len(head)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(_MAGIC + len(head).to_bytes(4, "little") + head + bytes(-begin % _LANES))
            file.write(np.ascontiguousarray(table, "<f8").tobytes())
            for part in numbers:
                file.write(np.ascontiguousarray(part).tobytes())

    write_atomic(path, write)
    return header


def read_header(path: Path) -> Header | None:
    """The head of a file; None where there is none, or where it is damaged or of another version."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return None
            head = file.read(int.from_bytes(file.read(4), "little"))
            size = os.fstat(file.fileno()).st_size
        tree = json.loads(head)
        made = Header(**{name: tree[name] for name in Header.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if size != _numbers_at(head, len(made.shapes)) + made.patches * made.stored:
        return None
    listed = {name: tuple(getattr(made, name)) for name in ("scales", "deviations", "dates")}
    return Header(**{**made.__dict__, **listed, "shapes": tuple((h, w) for h, w in made.shapes)})


def read_numbers(path: Path, header: Header) -> np.ndarray:
    """(n, stored) int8 of all patches, mapped from the file.

    Raises:
        StoreError: the file has gone.
    """
    offset = _numbers_at(_head(path), len(header.shapes))
    with _gone(path):
        return np.memmap(path, np.int8, "r", offset, (header.patches, header.stored))


def read_table(path: Path, header: Header) -> np.ndarray:
    """(T, 28) float64 of the tiles.

    Raises:
        StoreError: the file has gone.
    """
    tiles = len(header.shapes)
    offset = _numbers_at(_head(path), tiles) - tiles * TABLE_COLUMNS * 8
    with _gone(path):
        return np.fromfile(path, "<f8", tiles * TABLE_COLUMNS, offset=offset).reshape(tiles, TABLE_COLUMNS)


@contextmanager
def _gone(path: Path) -> Iterator[None]:
    """Inside it, a file that was removed meanwhile, with its store or by a person, is said to be gone."""
    try:
        yield
    except OSError as err:
        raise StoreError(f"{path} has gone. Load the page again, or choose another store.") from err


def _head(path: Path) -> bytes:
    with _gone(path), path.open("rb") as file:
        file.seek(len(_MAGIC))
        return file.read(int.from_bytes(file.read(4), "little"))


def _numbers_at(head: bytes, tiles: int) -> int:
    begin = len(_MAGIC) + 4 + len(head)
    return begin + -begin % _LANES + tiles * TABLE_COLUMNS * 8
