"""The files of an offer opened together, as one source of the tiles of a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.imagery.scene import scene_id
from engine.store.catalogues.ground import Ground
from engine.store.catalogues.lists.listed import ListedItem
from engine.store.catalogues.offer import Offer
from engine.store.catalogues.remote_files.cog import here
from engine.store.catalogues.remote_files.footprints import taken_of_item
from engine.store.catalogues.remote_files.npy import opened_npy
from engine.store.catalogues.remote_files.placed import Placed
from engine.store.catalogues.remote_files.zarr_group import opened_zarr
from engine.store.products import geotiff
from engine.store.products.known import UNKNOWN_PRODUCT, Product, product_of
from engine.store.products.own_exports.tags import own_of_tags, own_product
from engine.store.products.pixel_grid import PixelGrid, sample
from engine.store.products.raster import RasterEmbeddings, understood_pixels
from engine.store.products.raster_tiles import moment_of, rows_of, tiles_in, windows_of
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood
from engine.store.schema import TileRows

_FORMS = {"cog": "GeoTIFF", "npy": "NPY file with scales", "zarr": "Zarr group"}


@dataclass(frozen=True)
class _Opened:
    """A file that was understood."""

    placed: Placed
    found: RasterEmbeddings


@contextmanager
def opened_offer(offer: Offer) -> Iterator[Taken]:
    """The embeddings of all files of an offer; each place of the ground is taken once.

    Raises:
        StoreError: the files hold only gaps, or are of several kinds.
        RemoteError, SceneError: a file cannot be had or read.
    """
    if not offer.is_pixels:
        yield _of_tables(offer)
        return
    with ExitStack() as stack:
        opened, gaps = [], []
        for one in offer.placed:
            made = _opened(one, offer, stack)
            opened.append(made) if made is not None else gaps.append(one.item.id)
        if not opened:
            raise StoreError(
                f"{offer.catalogue.title} holds only gaps where it was looked at in the region (such as water or missing images). "
                f"Choose another region or year."
            )
        told = _together(offer, [one.found.understood for one in opened], gaps)
        tiles = sum(
            len(list(tiles_in(window))) for one in opened for window in windows_of(one.found.box, told.dim)
        )
        own = _own([one.found.pixels.tags for one in opened])
        yield Taken(told, "patch", 1, lambda: _tiles(opened), own=own, most_tiles=tiles)


def _own(tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What files that Emberscope exported say of the store: simulated, or of random weights, where one of them is."""
    found = [own for own in map(own_of_tags, tags) if own]
    if not found:
        return {}
    weights = [own["weights_sha256"] for own in found]
    return {
        "is_simulated": any(own["is_simulated"] for own in found),
        "weights_sha256": "random" if "random" in weights else weights[0],
    }


def _opened(one: Placed, offer: Offer, stack: ExitStack) -> _Opened | None:
    """A raster, understood; None where it holds only gaps."""
    assert one.box is not None
    item, name = one.item, Path(one.item.files[0].name)
    pixels = _with_quantization(stack.enter_context(_raster(one)), item)
    product = _product(offer.product, name, pixels)
    try:
        looked = sample(pixels, one.box, name.name)
    except StoreError:
        return None
    return _Opened(
        one, understood_pixels(name, _FORMS[item.form], product, pixels, looked, one.box, (item.year, ""))
    )


def _raster(one: Placed) -> AbstractContextManager[PixelGrid]:
    match one.item.form:
        case "npy":
            return opened_npy(one.item)
        case "zarr":
            return opened_zarr(one.item, one.part)
        case _:
            return geotiff.opened(here(one.item.files[0]))


def _product(stated: Product, name: Path, pixels: PixelGrid) -> Product:
    """What the catalogue says, completed by what the file is known by."""
    own = own_product(pixels.tags)
    if own is None and stated.licence and stated.model != UNKNOWN_PRODUCT.model:
        return stated
    found = own or product_of(name, pixels.bands, pixels.dim)
    if stated is UNKNOWN_PRODUCT or found is not UNKNOWN_PRODUCT:
        return replace(
            found,
            licence=found.licence or stated.licence,
            attribution=found.attribution or stated.attribution,
        )
    return stated


def _with_quantization(pixels: PixelGrid, item: ListedItem) -> PixelGrid:
    """The raster with the scales and offsets that its STAC item states, where the file itself states none."""
    if not pixels.is_integer or pixels.decoded or any(one != 1 for one in pixels.scales):
        return pixels
    scale, offset = (_numbers(item.quantization.get(name), pixels.dim) for name in ("scale", "offset"))
    if scale is None or str(item.quantization.get("method")) not in ("linear", "None"):
        return pixels
    return replace(pixels, scales=scale, offsets=offset or (0.0,) * pixels.dim)


def _numbers(stated: object, dim: int) -> tuple[float, ...] | None:
    """One number a dimension, of one number or a list of one or all."""
    numbers = stated if isinstance(stated, list) else [stated]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        return None
    found = tuple(float(one) for one in numbers if isinstance(one, int | float))
    return found * dim if len(found) == 1 else found if len(found) == dim else None


def _together(offer: Offer, told: Sequence[Understood], gaps: Sequence[str]) -> Understood:
    """What all files are taken for.

    Raises:
        StoreError: they are of several models, decodings or dimensions.
    """
    first = told[0]
    for one in told[1:]:
        if (one.model, one.dim, one.decoding, one.dtype) != (
            first.model,
            first.dim,
            first.decoding,
            first.dtype,
        ):
            raise StoreError(
                f"{one.path} and {first.path} of {offer.catalogue.title} do not fit into one store: {one.model}, {one.dim} dimensions, {one.decoding} "
                f"and {first.model}, {first.dim}, {first.decoding}. Choose a region within one of them."
            )
    bounds = np.array([one.bounds_lonlat for one in told])
    left_out = f"{', '.join(gaps)} hold only gaps in the region and are left out." if gaps else ""
    notes = dict.fromkeys(note for one in told for note in (*one.notes, left_out) if note)
    crs = ", ".join(dict.fromkeys(one.crs for one in told))
    rows = sum(one.rows for one in told)
    return replace(
        first, path=offer.catalogue.address, form=f"{first.form} of {offer.catalogue.title}", year=offer.year, crs=crs, rows=rows,
        size=f"{rows:,} embeddings of {len(told)} file(s)", notes=tuple(notes),
        bounds_lonlat=(*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()),
    )  # fmt: skip


def _tiles(opened: Sequence[_Opened]) -> Iterator[TileRows]:
    """The tiles of one file after the other, without ground that an earlier one of the same date has."""
    dates = [_moment(one.placed.item) for one in opened]
    grounds = {
        date: Ground([one.placed for one, own in zip(opened, dates, strict=True) if own == date])
        for date in set(dates)
        if dates.count(date) > 1
    }
    for one, moment in zip(opened, dates, strict=True):
        item, ground = one.placed.item, grounds.get(moment)
        name = scene_id("_".join(filter(None, (item.id, one.placed.part))))
        for rows in rows_of(one.found, name, moment):
            if ground is None:
                yield rows
                continue
            is_valid = rows.valid_fraction.reshape(rows.tile.h, rows.tile.w) > 0
            free = ground.take(rows.tile, is_valid).ravel()
            if free.any():
                vectors = np.where(free[:, None], rows.embeddings[0], np.float32(0))
                yield TileRows(rows.tile, (vectors,), free.astype(np.float32))


def _moment(item: ListedItem) -> str | None:
    return item.moment or moment_of(item.year)


def _of_tables(offer: Offer) -> Taken:
    """The footprints of all files."""
    found = [(one.item, taken_of_item(one.item, offer.region)) for one in offer.placed]
    told = _together(offer, [taken.understood for _, taken in found], ())
    known = offer.product
    told = replace(
        told, model=known.model if known.model != UNKNOWN_PRODUCT.model else told.model,
        licence=told.licence or known.licence, attribution=told.attribution or known.attribution,
        size=f"{told.rows:,} footprints of {len(found)} file(s)",
    )  # fmt: skip

    def tiles() -> Iterator[TileRows]:
        for item, taken in found:
            for rows in taken.tiles():
                own = replace(rows.tile, id=f"{scene_id(item.id)}_{rows.tile.id}")
                yield replace(rows, tile=own)

    return Taken(told, "tile", found[0][1].patch_px, tiles, most_tiles=told.rows)
