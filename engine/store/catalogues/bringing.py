"""What an offer needs of its files, brought into the cache: batch by batch, so that it can be stopped and gone on with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from engine.errors import RemoteError
from engine.imagery.remote import cache
from engine.imagery.remote.fetching import cached, fetch, read_ranges
from engine.store.catalogues.lists.listed import ListedFile
from engine.store.catalogues.offer import Offer
from engine.store.catalogues.remote_files.placed import Bytes

# Brought between two signs of life; a stop waits for no more.
_BATCH_BYTES = 8_000_000


def brought(offer: Offer) -> Iterator[int]:
    """Bring all that is needed and not here; yields the bytes that have come so far.

    Raises:
        RemoteError: a file cannot be had, or is not the one that its catalogue lists; what came before stays.
    """
    done = 0
    for placed in offer.placed:
        for part in placed.needed:
            for size in _batches(part):
                done += size
                yield done
        for file in placed.item.files:
            if file.sha256:
                _require_listed(file)


def _batches(part: Bytes) -> Iterator[int]:
    held = cached(part.raster)
    waiting: list[tuple[int, int]] = []
    size = 0
    for start, end in (one for first, last in part.ranges for one in held.missing(first, last)):
        for at in range(start, end, _BATCH_BYTES):
            waiting.append((at, min(at + _BATCH_BYTES, end)))
            size += waiting[-1][1] - at
            if size >= _BATCH_BYTES:
                fetch(part.raster, held, waiting)
                yield size
                waiting, size = [], 0
    if waiting:
        fetch(part.raster, held, waiting)
        yield size


def _require_listed(file: ListedFile) -> None:
    """Check that a file is the one whose checksum its catalogue lists; another one is dropped.

    Raises:
        RemoteError: it is another one.
    """
    held, told = cached(file.raster), hashlib.sha256()
    for start in range(0, held.size, _BATCH_BYTES):
        end = min(start + _BATCH_BYTES, held.size)
        told.update(read_ranges(file.raster, held, [(start, end)])[0])
    if told.hexdigest() != file.sha256:
        cache.drop(file.raster.address)
        raise RemoteError(
            f"{file.name} is not the file that its catalogue lists: its sha256 begins {told.hexdigest()[:12]}, and {file.sha256[:12]} is "
            f"listed. What came was dropped; try again, and tell the publisher if it stays so."
        )
