"""From chips to rows: the one place where pixels meet the encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from rasterio.features import rasterize

from engine.backbones.batch import Backbone, Batch, Embedded
from engine.backbones.build import build
from engine.backbones.device import Device
from engine.backbones.temporal import TemporalBackbone
from engine.embeddings.plan import Plan
from engine.embeddings.schema import StoredTile, TileRows
from engine.errors import BackboneError
from engine.imagery.chip import Chip
from engine.imagery.grid import area_in_crs
from engine.jobs.config import ExtractConfig

ChipMaps = tuple[list[np.ndarray], list[np.ndarray] | None]


def open_backbone(config: ExtractConfig, plan: Plan, device: Device) -> Backbone:
    """The configured backbone on a device; several dates are joined as configured.

    Raises:
        WeightsError: weights that are absent, altered or of another model.
        BackboneError: tile pooling that the backbone cannot give.
    """
    if config.pooling is not None and config.pooling not in plan.spec.pooling:
        offered = ", ".join(plan.spec.pooling)
        raise BackboneError(f"{plan.spec.name} pools by {offered}; found {config.pooling!r}. Mend pooling.")
    backbone = build(
        plan.spec,
        config.backbone.weights,
        device,
        settings=config.backbone.settings,
        seed=config.seed,
        bands=plan.bands,
    )
    return backbone if plan.frames == 1 else TemporalBackbone(backbone, config.backbone.temporal)


def encode_chips(backbone: Backbone, plan: Plan, chips: Sequence[Chip]) -> Iterator[ChipMaps]:
    """Maps (h, w, D) of each layer and class tokens (D,) of each layer, chip by chip."""
    if not chips:
        return
    found = backbone.embed(batch_of(chips, plan), plan.layers)
    yield from _by_chip(found, len(chips))


def batch_of(chips: Sequence[Chip], plan: Plan) -> Batch:
    """Chips of one shape as one batch, with the facts that encoders read besides pixels."""
    sensor = plan.scenes[0].sensor
    return Batch(
        image=torch.from_numpy(np.stack([chip.image for chip in chips])),  # (B, T, C, H, W)
        valid=torch.from_numpy(np.stack([chip.valid for chip in chips])),  # (B, T, H, W)
        bands=plan.bands,
        wavelengths_um=tuple(sensor.wavelength_um(band) for band in plan.bands),
        gsd_m=chips[0].tile.gsd_m,
        datetimes=[chip.datetimes for chip in chips],
        lonlat=torch.tensor([chip.tile.centre_lonlat for chip in chips], dtype=torch.float32),  # (B, 2)
    )


def rows_of(tile: StoredTile, maps: ChipMaps, chip: Chip, plan: Plan, config: ExtractConfig) -> TileRows:
    """The rows of one tile: each layer on the patch grid, or pooled over the tile."""
    layers, cls = maps
    share = valid_share(chip, plan)  # (h, w)
    if config.granularity == "patch":
        folded = tuple(fold(layer, share.shape) for layer in layers)
        return TileRows(tile, tuple(f.reshape(tile.rows, -1) for f in folded), share.reshape(-1))
    if config.pooling == "cls":
        if cls is None:
            raise BackboneError(f"{plan.spec.name} has no class token; found pooling: cls. Use mean or max.")
        pooled = tuple(token[None] for token in cls)
    else:
        pooled = tuple(_pooled(layer, chip, plan, config.pooling or "mean") for layer in layers)
    return TileRows(tile, pooled, np.array([share.mean()], np.float32))


def valid_share(chip: Chip, plan: Plan) -> np.ndarray:
    """Share of each patch's pixels that are valid on every date and inside the region, (h, w) float32."""
    usable = np.all(chip.valid, axis=0)  # (H, W)
    if plan.region is not None:
        area = area_in_crs(plan.region.polygon, chip.tile.crs)
        usable &= rasterize([area], out_shape=usable.shape, transform=chip.tile.transform, fill=0).astype(
            bool
        )
    return _block_mean(np.asarray(usable, np.float32), plan.patch_px)


def fold(layer: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """A finer layer on the patch grid: the r x r cells of a patch, row-major, follow one another.

    Args:
        layer: (h * r, w * r, D).
        grid: (h, w).

    Returns:
        (h, w, r * r * D).
    """
    h, w = grid
    r, dim = layer.shape[0] // h, layer.shape[2]
    cells = layer.reshape(h, r, w, r, dim).transpose(0, 2, 1, 3, 4)  # (h, w, r, r, D)
    return cells.reshape(h, w, r * r * dim)


def _pooled(layer: np.ndarray, chip: Chip, plan: Plan, pooling: str) -> np.ndarray:
    """(1, D) over the cells with a usable pixel; cells without one never count."""
    stride = chip.image.shape[-1] // layer.shape[1]
    usable = (
        valid_share(chip, plan)
        .repeat(max(1, plan.patch_px // stride), 0)
        .repeat(max(1, plan.patch_px // stride), 1)
        > 0
    )
    cells = layer[usable] if usable.any() else layer.reshape(-1, layer.shape[-1])
    return np.asarray(
        cells.max(axis=0) if pooling == "max" else cells.mean(axis=0, dtype=np.float64), np.float32
    )[None]


def _block_mean(values: np.ndarray, side: int) -> np.ndarray:
    h, w = values.shape[0] // side, values.shape[1] // side
    return values[: h * side, : w * side].reshape(h, side, w, side).mean(axis=(1, 3), dtype=np.float32)


def _by_chip(found: Embedded, count: int) -> Iterator[ChipMaps]:
    maps = [layer.numpy() for layer in found.maps]
    tokens = None if found.cls is None else [token.numpy() for token in found.cls]
    for index in range(count):
        yield [layer[index] for layer in maps], None if tokens is None else [token[index] for token in tokens]
