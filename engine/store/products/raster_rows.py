"""The rows of a raster of embeddings, read window by window from the file that is kept open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.errors import StoreError
from engine.store.parts import StorePart
from engine.store.products.decoding import Decoding, decoding_named
from engine.store.products.pixel_grid import Box, PixelGrid
from engine.store.products.raster import opened_raster
from engine.store.products.raster_tiles import RasterDate, cut, dates_of, stored_tile, tiles_in, windows_of
from engine.store.schema import StoreMeta


class Readable(Protocol):
    """A raster of embeddings, or one without the ground that others have."""

    def read(self, box: Box, date: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(h, w, D) float32 embeddings of a box, zero in gaps, and (h, w) bool: where there are some.

        Args:
            date: number of it in the file, where that has several.
        """


class KeptOpen:
    """At most so many rasters stay open: a folder may hold more than a process may have open."""

    def __init__(self, most: int = 32) -> None:
        """None is open yet."""
        self._most, self._lock = most, threading.Lock()
        self._used: OrderedDict[OpenedRaster, None] = OrderedDict()

    def note(self, raster: OpenedRaster) -> None:
        """A raster was read; those that were not for longest are closed."""
        with self._lock:
            self._used[raster] = None
            self._used.move_to_end(raster)
            too_many = [self._used.popitem(last=False)[0] for _ in range(len(self._used) - self._most)]
        for one in too_many:
            one.close()


class OpenedRaster:
    """A raster that is opened when the first window is asked for; windows are read one after another."""

    def __init__(self, path: Path, decoding: str, kept: KeptOpen | None = None) -> None:
        """Nothing is opened yet.

        Args:
            decoding: its formula, as it was understood.
            kept: closes it when others are read; None: it stays open.
        """
        self._path, self._words, self._kept = path, decoding, kept
        self._lock, self._open = threading.Lock(), ExitStack()
        self._pixels: PixelGrid | None = None

    def read(self, box: Box, date: int | None) -> tuple[np.ndarray, np.ndarray]:
        """As `Readable.read`.

        Raises:
            SceneError, StoreError: the file is damaged or gone.
        """
        with self._lock:  # GDAL's handles are of one thread at a time
            if self._pixels is None:
                self._pixels = self._open.enter_context(opened_raster(self._path))
            pixels = self._pixels
            values, is_valid = pixels.read_of(box, date)
        if self._kept is not None:
            self._kept.note(self)
        decoded = self._decoding(pixels).decode(values)
        decoded[~is_valid] = 0
        return decoded, is_valid

    def close(self) -> None:
        """Close it; it is opened again when it is read."""
        with self._lock:
            self._open.close()
            self._pixels = None

    def _decoding(self, pixels: PixelGrid) -> Decoding:
        return decoding_named(self._words, pixels.scales, pixels.offsets)


class RasterRows:
    """The rows of a window: tile after tile, each row-major from the north-west."""

    def __init__(self, raster: Readable, window: Box, dim: int, date: int | None) -> None:
        """Nothing is read yet."""
        self._raster, self._window, self._dim, self._date = raster, window, dim, date
        self._boxes = list(tiles_in(window))
        self._ends = np.cumsum([box.rows for box in self._boxes])
        self._valid: np.ndarray | None = None

    def fill(self, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive rows into (n, D); there is one layer.

        Raises:
            StoreError: the raster gives embeddings of another size.
            SceneError: it is damaged.
        """
        del column
        if rows.shape[-1] != self._dim:
            raise StoreError(f"Embeddings of {self._dim} numbers were asked for as {rows.shape[-1]}.")
        if first == 0 and len(rows) == self._ends[-1]:
            self._fill_all(rows)
            return
        number, done = int(np.searchsorted(self._ends, first, side="right")), 0
        while done < len(rows):
            box = self._boxes[number]
            begin = first + done - (int(self._ends[number]) - box.rows)
            values = self._raster.read(box, self._date)[0].reshape(box.rows, -1)[
                begin : begin + len(rows) - done
            ]
            rows[done : done + len(values)] = values
            done, number = done + len(values), number + 1

    def valid_fraction(self) -> np.ndarray:
        """(rows,) float32, 0 or 1; read again only where the window was not read whole before."""
        if self._valid is None:
            self._keep_valid(self._raster.read(self._window, self._date)[1])
        assert self._valid is not None
        return self._valid.astype(np.float32)

    def _fill_all(self, rows: np.ndarray) -> None:
        values, is_valid = self._raster.read(self._window, self._date)
        self._keep_valid(is_valid)
        first = 0
        for box in self._boxes:
            rows[first : first + box.rows] = cut(self._window, box, values).reshape(box.rows, -1)
            first += box.rows

    def _keep_valid(self, is_valid: np.ndarray) -> None:
        self._valid = np.concatenate([cut(self._window, box, is_valid).ravel() for box in self._boxes])


def raster_parts(path: Path, meta: StoreMeta, told: Mapping[str, Any]) -> tuple[StorePart, ...]:
    """A part a window of a raster.

    Args:
        told: as `raster_tiles` leaves it in `Taken.in_place`.
    """
    return tuple(windows_told(OpenedRaster(path, told["decoding"]), path, meta.dims[0], told))


def windows_told(
    raster: Readable, path: Path, dim: int, told: Mapping[str, Any], only: RasterDate | None = None
) -> Iterator[StorePart]:
    """The windows of a raster, date by date.

    Args:
        told: as `told_of` gives it.
        only: the date that is taken; None: all.
    """
    grid, box = GeoBox(tuple(told["shape"]), Affine(*told["transform"]), told["crs"]), Box(*told["box"])
    for date in dates_of(told.get("dates", ()), told["moment"]) if only is None else (only,):
        for window in windows_of(box, dim):
            tiles = (
                stored_tile(grid, one, told["name"], date.moment, date.in_id) for one in tiles_in(window)
            )
            yield StorePart(path, tuple(tiles), RasterRows(raster, window, dim, date.number))
