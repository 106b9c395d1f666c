"""Parts of Zarr arrays, chunk by chunk; those unpacked last are kept, for neighbouring parts and dates share them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import SceneError
from engine.imagery.cubes.cube import DAMAGE, Part

if TYPE_CHECKING:
    import zarr

_KEPT_BYTES = 128_000_000
Chunk = tuple[str, tuple[int, ...]]
"""An array's name and the place of a chunk in it."""


class ChunkReader:
    """Reads the arrays of a store; any thread may.

    Args:
        where: the store's name, for messages.
        side_by_side: chunks that are brought at once, where they come over a network.
    """

    def __init__(self, where: str, arrays: Mapping[str, zarr.Array[Any]], side_by_side: int = 1) -> None:
        self._where, self._arrays = where, arrays
        self._pool = ThreadPoolExecutor(side_by_side, "chunks") if side_by_side > 1 else None
        self._kept: OrderedDict[Chunk, np.ndarray] = OrderedDict()
        self._bytes, self._lock = 0, threading.Lock()

    def read(self, name: str, part: Part) -> np.ndarray:
        """Stored values of a part of an array.

        Raises:
            SceneError: a chunk is damaged or cut short, by its name.
        """
        array = self._arrays[name]
        spans = [one if isinstance(one, slice) else slice(one, one + 1) for one in part]
        found = np.empty([span.stop - span.start for span in spans], array.dtype)
        if self._pool is not None:
            self.ahead([(name, part)])
        for place in _places(array, part):
            here, there = [], []
            for number, side, span in zip(place, array.chunks, spans, strict=True):
                start, stop = max(span.start, number * side), min(span.stop, (number + 1) * side)
                here.append(slice(start - number * side, stop - number * side))
                there.append(slice(start - span.start, stop - span.start))
            found[tuple(there)] = self._chunk((name, place))[tuple(here)]
        return found[tuple(slice(None) if isinstance(one, slice) else 0 for one in part)]

    def ahead(self, parts: Sequence[tuple[str, Part]]) -> None:
        """Bring the chunks of several parts side by side, before they are read one after another.

        Raises:
            SceneError: as `read`.
        """
        with self._lock:
            wanted = [
                chunk
                for name, part in parts
                for chunk in ((name, place) for place in _places(self._arrays[name], part))
                if chunk not in self._kept
            ]
        if self._pool is not None and len(wanted) > 1:
            list(self._pool.map(self._chunk, dict.fromkeys(wanted)))

    def _chunk(self, chunk: Chunk) -> np.ndarray:
        with self._lock:
            if chunk in self._kept:
                self._kept.move_to_end(chunk)
                return self._kept[chunk]
        values = self._unpacked(chunk)
        with self._lock:
            if chunk not in self._kept:
                self._kept[chunk] = values
                self._bytes += values.nbytes
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return values

    def _unpacked(self, chunk: Chunk) -> np.ndarray:
        name, place = chunk
        array = self._arrays[name]
        try:
            return np.asarray(
                array[
                    tuple(
                        slice(n * side, (n + 1) * side) for n, side in zip(place, array.chunks, strict=True)
                    )
                ]
            )
        except DAMAGE as err:
            stored = tuple(
                n * side // shard
                for n, side, shard in zip(place, array.chunks, array.shards or array.chunks, strict=True)
            )
            why = " ".join(str(err).split())[:120]
            raise SceneError(
                f"{self._where}: the chunk {name}/{array.metadata.encode_chunk_key(stored)} is damaged or cut short ({why}). "
                f"Copy or download it again."
            ) from err


def _places(array: zarr.Array[Any], part: Part) -> Iterator[tuple[int, ...]]:
    """The places of the chunks that a part of an array touches."""
    spans = [one if isinstance(one, slice) else slice(one, one + 1) for one in part]
    return product(
        *(
            range(span.start // side, -(-span.stop // side))
            for span, side in zip(spans, array.chunks, strict=True)
        )
    )
