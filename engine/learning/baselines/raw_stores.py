"""Stores of raw reflectances on the same tiles as a store that is to be compared with."""

from __future__ import annotations

from engine.errors import StoreError
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, TilesConfig, parse_config
from engine.store.store import EmbeddingStore

# What `tiles.size_px` and `tiles.overlap_px` take.
SMALLEST_PX, LARGEST_PX = 16, 2048
MOST_OVERLAP_PX = 1024


def raw_config(store: EmbeddingStore, every_date: bool = False) -> ExtractConfig:
    """The extraction of raw reflectances on the same tiles as a store that is to be compared with.

    A store's tiles never share ground, whatever overlap, blending or shifted passes its encoder had: tiles of their
    size are the same tiles.

    Args:
        every_date: each date as tiles of its own; else only the last one, unless the store keeps its dates apart too.

    Raises:
        StoreError: the store does not know how it was extracted.
    """
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    # Sides of the tiles that were cut; chips that are tiles themselves are left as they are.
    sides = [max(tile.height_px, tile.width_px) for tile in store.tiles if tile.id not in tile.scene_ids]
    # Tiles of whole patches stay the same: those of encoders with patches of 14 px are no multiple of 4.
    patch_px = next(side for side in (4, 2, 1) if max(sides, default=0) % side == 0)
    # Each date of a place is a tile of its own where dates are kept apart.
    is_kept = every_date or extraction.backbone.temporal == "keep"
    return ExtractConfig(
        scene=extraction.scene if is_kept else extraction.scene.last_date(),
        region=extraction.region, device="cpu",
        backbone=BackboneConfig(
            name="raw", temporal="keep" if is_kept else "mean", settings={} if patch_px == 4 else {"patch_px": str(patch_px)},
        ),
        tiles=_tiles(max(sides, default=0), extraction.tiles, patch_px),
    )  # fmt: skip


def _tiles(side_px: int, asked: TilesConfig, patch_px: int) -> TilesConfig:
    """Settings that cut tiles of the same side as those that a store has, and leave the same chips whole.

    Args:
        side_px: 0 where no tile was cut.

    Raises:
        StoreError: tiles that are larger than may be asked for: a size that was rounded up to whole patches.
    """
    size_px, overlap_px = asked.size_px, 0
    if side_px:
        # Tiles smaller than may be asked for are the middles of larger windows; raw pixels do not depend on these.
        size_px = size_px or (side_px if side_px >= SMALLEST_PX else side_px + SMALLEST_PX)
        overlap_px = -(-size_px // patch_px) * patch_px - side_px
        if not 0 <= overlap_px <= MOST_OVERLAP_PX:
            size_px, overlap_px = side_px, 0
    if size_px is not None and size_px > LARGEST_PX:
        raise StoreError(
            f"Its tiles of {size_px} px are larger than {LARGEST_PX} px, the largest that can be cut."
        )
    return TilesConfig(size_px=size_px, overlap_px=overlap_px, gsd_m=asked.gsd_m, unreadable=asked.unreadable)
