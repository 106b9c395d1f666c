"""A plain, slow extraction that the pairs are held against: one window and one pass at a time, rows found by place.

It takes the plan's windows and layers, and the facts of a batch besides its pixels; it reads, shifts, joins dates,
folds, pools, weighs and finds the rows of a tile by itself.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import rasterio
import torch
from rasterio.enums import Resampling
from rasterio.features import geometry_mask
from rasterio.warp import reproject
from rasterio.windows import Window

from engine.backbones.core.batch import Backbone, Batch, Embedded
from engine.backbones.core.device import choose
from engine.extraction.encode import batch_of, open_backbone
from engine.extraction.pixels.tile_reader import read_pixels, read_tile
from engine.extraction.plan import Plan
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene
from engine.imagery.tiles.windows import PlannedTile

Place = tuple[float, float]
Rows = tuple[list[np.ndarray], np.ndarray]
"""(rows, D) a layer, and the valid share of each row."""
JOINS = {
    "mean": lambda dates: sum(dates) / len(dates),
    "max": np.maximum.reduce,
    "difference": lambda dates: dates[0] - dates[1],
    "concatenate": lambda dates: np.concatenate(dates, axis=-1),
}


def reference_rows(plan: Plan) -> dict[str, Rows]:
    """Rows of each tile that has valid pixels, by the tile's id."""
    # dates are joined here, so the backbone is opened as for one date
    alone = dataclasses.replace(
        plan, tiles=tuple(dataclasses.replace(t, scenes=t.scenes[:1]) for t in plan.tiles)
    )
    backbone = open_backbone(alone if plan.spec.max_frames == 1 else plan, choose("cpu"))
    seen = {item.tile.id: _Seen(item, plan, backbone) for item in plan.windows}
    found = {}
    for item in plan.tiles:
        own = seen[item.tile.id]
        share = _valid_share(own, plan)
        if not own.valid_on_tile.any():
            continue
        if plan.granularity == "tile":
            found[item.tile.id] = (
                [_pooled(own, share, layer, plan) for layer in range(len(plan.layers))],
                share.mean(),
            )
            continue
        others = (
            [other for other in seen.values() if _may_blend(other.item, item)] if plan.is_blended else [own]
        )
        h, w = share.shape
        places = [
            _place(item.tile, row * plan.cell_px, column * plan.cell_px) for row, column in np.ndindex(h, w)
        ]
        columns = [
            np.stack([_weighted(others, place, layer) for place in places])
            for layer in range(len(plan.layers))
        ]
        found[item.tile.id] = columns, share.reshape(-1)
    return found


class _Seen:
    """What the encoder gives for a window: the values and the weight of every place."""

    def __init__(self, item: PlannedTile, plan: Plan, backbone: Backbone) -> None:
        self.item, self.plan = item, plan
        image, valid = _pixels(item, plan)
        top, left = item.margin_px
        self.valid_on_tile = valid[:, top : top + item.tile.height, left : left + item.tile.width]
        image, valid = _mirrored(image, valid, item)
        facts = batch_of([read_tile(item, dataclasses.replace(plan, masks_clouds=False))], plan)
        self.maps: list[dict[Place, np.ndarray]] = [{} for _ in plan.layers]
        self.fine: list[np.ndarray] = []
        self.cls: list[np.ndarray] = []
        self.weights: dict[Place, float] = {}
        if self.valid_on_tile.any():
            assert facts is not None
            self._embed(image, valid, facts, backbone)

    def _embed(self, image: np.ndarray, valid: np.ndarray, facts: Batch, backbone: Backbone) -> None:
        plan, item = self.plan, self.item
        height, width = item.window.height - plan.reach_px, item.window.width - plan.reach_px
        rows, columns = height // plan.cell_px, width // plan.cell_px
        shared = rows - item.tile.height // plan.cell_px, columns - item.tile.width // plan.cell_px
        for down in range(0, plan.patch_px, plan.cell_px):
            for right in range(0, plan.patch_px, plan.cell_px):
                part = np.s_[..., down : down + height, right : right + width]
                maps, cls = _embedded(backbone, facts, plan, image[part], valid[part])
                if down == right == 0:
                    self.fine, self.cls = maps, cls
                for row, column in np.ndindex(height // plan.patch_px, width // plan.patch_px):
                    at = row * plan.patch_px + down, column * plan.patch_px + right
                    place = _place(item.window, *(plan.reach_px // 2 + pixel for pixel in at))
                    cell = at[0] // plan.cell_px, at[1] // plan.cell_px
                    self.weights[place] = _ramp(cell[0], rows, shared[0]) * _ramp(cell[1], columns, shared[1])
                    for layer, values in enumerate(maps):
                        r = values.shape[0] * plan.patch_px // height
                        block = values[row * r : (row + 1) * r, column * r : (column + 1) * r]
                        self.maps[layer][place] = block.reshape(-1)


def _weighted(windows: list[_Seen], place: Place, layer: int) -> np.ndarray:
    """The mean of a place over all windows that see it, by their weights."""
    there = [seen for seen in windows if place in seen.weights]
    total = sum(seen.weights[place] * seen.maps[layer][place] for seen in there)
    return np.asarray(total / sum(seen.weights[place] for seen in there))


def _may_blend(other: PlannedTile, item: PlannedTile) -> bool:
    return other.tile.crs == item.tile.crs and other.scenes == item.scenes


def _ramp(at: int, count: int, shared: int) -> float:
    """1 where no neighbour sees, falling linearly over what is shared."""
    return min(1.0, (min(at, count - 1 - at) + 0.5) / max(shared, 1))


def _place(tile: Tile, row_px: int, column_px: int) -> Place:
    """Where a pixel's corner lies, to the centimetre."""
    x, y = tile.transform @ (column_px, row_px)
    return round(x, 2), round(y, 2)


def _pooled(seen: _Seen, share: np.ndarray, layer: int, plan: Plan) -> np.ndarray:
    """One row of a tile: its class token, or the mean or maximum of its cells with a usable pixel."""
    if plan.pooling == "cls":
        return seen.cls[layer][None]
    item, values = seen.item, seen.fine[layer]
    stride = item.window.height // values.shape[0]
    top, left = (margin // stride for margin in item.margin_px)
    own = values[top : top + item.tile.height // stride, left : left + item.tile.width // stride]
    r = plan.patch_px // stride
    cells = [
        own[at] for at in np.ndindex(own.shape[:2]) if share[at[0] // r, at[1] // r] > 0 or not share.any()
    ]
    return np.asarray(np.max(cells, axis=0) if plan.pooling == "max" else np.mean(cells, axis=0))[None]


def _valid_share(seen: _Seen, plan: Plan) -> np.ndarray:
    usable = seen.valid_on_tile.all(axis=0)
    tile, area = seen.item.tile, seen.item.area
    if area is not None:
        inside = np.zeros(usable.shape, bool)
        if not area.is_empty:
            inside = ~geometry_mask([area], usable.shape, tile.transform)
        usable = usable & inside
    h, w = tile.height // plan.cell_px, tile.width // plan.cell_px
    share = np.zeros((h, w), np.float32)
    for row, column in np.ndindex(h, w):
        top, left = row * plan.cell_px, column * plan.cell_px
        share[row, column] = usable[top : top + plan.cell_px, left : left + plan.cell_px].mean()
    return share


def _embedded(
    backbone: Backbone, facts: Batch, plan: Plan, image: np.ndarray, valid: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(h, w, D) and (D,) a layer, dates joined; `facts` tell all of the window but its pixels."""
    if plan.spec.max_frames > 1 or len(image) == 1:
        return _taken(backbone.embed(_batch(facts, image, valid, slice(None)), plan.layers))
    dates = [
        _taken(backbone.embed(_batch(facts, image, valid, slice(at, at + 1)), plan.layers))
        for at in range(len(image))
    ]
    join = JOINS[plan.temporal]
    maps, cls = (
        [join(layer) for layer in zip(*(date[kind] for date in dates), strict=True)] for kind in (0, 1)
    )
    return maps, cls


def _batch(facts: Batch, image: np.ndarray, valid: np.ndarray, dates: slice) -> Batch:
    return dataclasses.replace(
        facts, image=torch.from_numpy(image[None, dates].copy()), valid=torch.from_numpy(valid[None, dates].copy()),
        datetimes=[list(facts.datetimes[0])[dates]], scale=1.0, offset=0.0,
    )  # fmt: skip


def _taken(found: Embedded) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [layer[0].numpy() for layer in found.maps], [token[0].numpy() for token in found.cls or ()]


def _pixels(item: PlannedTile, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """(T, C, H, W) float32 reflectance and (T, H, W) bool of a window."""
    if plan.masks_clouds:  # which pixels are clouded, and filled in which order, is tested where it is done
        chip = read_pixels(item, plan)
        return chip.image, chip.valid
    dates = [_with_fills(scene, item, plan.bands) for scene in item.scenes]
    image, valid = (np.stack(part) for part in zip(*dates, strict=True))
    return np.where(valid[:, None], image, 0).astype(np.float32), valid


def _mirrored(image: np.ndarray, valid: np.ndarray, item: PlannedTile) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel beyond the scenes takes what lies as far inside of their edge."""
    image, valid, original = image.copy(), valid.copy(), (image, valid)
    for date, scene in enumerate(item.scenes):
        own = [other for other in (scene, *item.fills) if other.crs == item.window.crs]
        ends = [[], [], [], []]
        for other in own:
            west, south, east, north = other.bounds_m
            for end, place in zip(
                ends, (*(~item.window.transform @ (west, north)), *(~item.window.transform @ (east, south))),
                strict=True,
            ):  # fmt: skip
                end.append(round(place))
        left, top, right, bottom = min(ends[0]), min(ends[1]), max(ends[2]), max(ends[3])
        if right <= 0 or bottom <= 0 or left >= item.window.width or top >= item.window.height:
            continue
        for row, column in np.ndindex(valid.shape[1:]):
            there = _inside(row, top, bottom), _inside(column, left, right)
            if there != (row, column) and not original[1][date][row, column]:
                image[date, :, row, column] = original[0][date, :, *there]
                valid[date, row, column] = original[1][date][there]
    return image, valid


def _inside(place: int, first: int, end: int) -> int:
    """A place mirrored at the nearer edge, the pixel at the edge counted twice."""
    while not first <= place < end:
        place = 2 * first - 1 - place if place < first else 2 * end - 1 - place
    return place


def _with_fills(scene: Scene, item: PlannedTile, bands: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    image, valid = _date(scene, item.window, bands)
    for fill in item.fills:
        other, known = _date(fill, item.window, bands)
        image = np.where(valid, image, other)
        valid = valid | known
    return image, valid


def _date(scene: Scene, window: Tile, bands: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """One date of a window from its file: (C, H, W) reflectance, 0 in gaps, and (H, W)."""
    with rasterio.open(scene.assets[bands[0]].path) as dataset:
        indexes = [list(dataset.descriptions).index(band) + 1 for band in bands]
        nodata = dataset.nodata
        if math.isclose(dataset.transform.a, window.gsd_m):
            column, row = ~dataset.transform @ (window.transform.c, window.transform.f)
            where = Window(round(column), round(row), window.width, window.height)
            stored = dataset.read(indexes, window=where, boundless=True, fill_value=nodata)
        else:
            stored = _resampled(dataset.read(indexes), dataset, window)
    valid = (stored != nodata).all(axis=0)
    return np.where(valid, stored * np.float32(1e-4), np.float32(0)), valid


def _resampled(stored: np.ndarray, dataset: rasterio.DatasetReader, window: Tile) -> np.ndarray:
    """A whole raster's bands (C, H, W) on a window's grid, bilinear; a pixel whose middle lies in a gap is one."""
    scale = dataset.transform.a / window.gsd_m
    grids = {
        "src_transform": dataset.transform, "src_crs": dataset.crs, "dst_transform": window.transform,
        "dst_crs": window.crs, "XSCALE": scale, "YSCALE": scale,
    }  # fmt: skip
    size, known = (window.height, window.width), (stored != dataset.nodata).all(axis=0)
    values = np.full((len(stored), *size), np.nan, np.float32)
    reproject(np.where(known, stored, np.nan).astype(np.float32), values, src_nodata=np.nan, dst_nodata=np.nan,
              resampling=Resampling.bilinear, **grids)  # fmt: skip
    middles = np.zeros(size, np.uint8)
    reproject(
        known.astype(np.uint8), middles, src_nodata=255, dst_nodata=0, resampling=Resampling.nearest, **grids
    )
    return np.where(middles == 1, values, dataset.nodata)
