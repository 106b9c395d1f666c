"""What an import is settled to be once a file was understood: its configuration, and what its store says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.imagery.region import Region
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    OutputConfig,
    RegionConfig,
    config_hash,
)
from engine.store.products.in_place import stamp_of
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood
from engine.store.schema import SCHEMA_VERSION, StoreMeta, column_names


def config_of(
    path: Path,
    found: Taken,
    told: Understood,
    region: Region | None,
    in_place: bool = False,
    images: Path | None = None,
    year: int | None = None,
) -> ExtractConfig:
    """The configuration that stands for an import: its file as the scene, its model as the backbone."""
    return ExtractConfig(
        scene=PublishedEmbeddings(
            source="embeddings", path=str(path.resolve()), in_place=True if in_place else None,
            images=None if images is None else str(images.resolve()), year=year,
        ),
        backbone=BackboneConfig(name=told.model, layers=found.own.get("layers", (0,))),
        region=None if region is None else RegionConfig(bounds_lonlat=region.edges_lonlat),
        granularity=found.granularity,
        pooling=(found.own.get("pooling") or "mean") if found.granularity == "tile" else None,
        output=OutputConfig(dtype=told.dtype),
        device="cpu",
    )  # fmt: skip


def meta_of(found: Taken, told: Understood, config: ExtractConfig, path: Path) -> StoreMeta:
    """What holds for every row of the store of an import."""
    return stated_meta(found, told, config, path.name, (stamp_of(path),))


def stated_meta(
    found: Taken,
    told: Understood,
    config: ExtractConfig,
    name: str,
    stamps: tuple[str, ...],
    origin: str = "",
) -> StoreMeta:
    """What holds for every row of a store of others' embeddings.

    Args:
        name: the source, where nothing asks for another attribution.
        stamps: another one for another state of each file.
        origin: where they were fetched, and when; empty for files of this machine.
    """
    credit = ", ".join(
        filter(None, (told.attribution.rstrip(".") if origin else told.attribution or name, origin))
    )
    meta = StoreMeta(
        schema_version=SCHEMA_VERSION, backbone=told.model, weights_sha256="", layers=(0,), dims=(told.dim,),
        columns=column_names((0,)), granularity=found.granularity, pooling=config.pooling, patch_px=found.patch_px, gsd_m=told.gsd_m,
        dtype=config.output.dtype, bands=(), is_simulated=False,
        source=f"{credit} ({told.licence})" if told.licence else credit,
        config_hash=config_hash(config), config=config.model_dump(mode="json"),
        scene_fingerprints=stamps, has_window_fraction=True,
        licence=told.licence, attribution=told.attribution,
    )  # fmt: skip
    return replace(meta, **{name: value for name, value in found.own.items() if name != "pooling"})
