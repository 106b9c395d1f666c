"""Batches for encoders: seeded reflectances, all valid."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
import torch
from rasterio.windows import Window

from engine.backbones.cards import card
from engine.backbones.core.batch import Batch
from engine.backbones.core.spec import BackboneSpec, WeightsSource

SIX_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
SIX_UM = (0.49, 0.56, 0.665, 0.865, 1.61, 2.2)


@pytest.fixture()
def make_batch() -> Callable[..., Batch]:
    def make(
        count: int, height: int, width: int, bands: tuple[str, ...] = SIX_BANDS, dates: int = 1, seed: int = 0
    ) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        image = torch.rand(count, dates, len(bands), height, width, generator=generator) * 0.5
        wavelengths = dict(zip(SIX_BANDS, SIX_UM, strict=True))
        return Batch(
            image=image,
            valid=torch.ones(count, dates, height, width, dtype=torch.bool),
            bands=bands,
            wavelengths_um=tuple(wavelengths.get(band, 0.6) for band in bands),
            gsd_m=30.0,
            datetimes=[[None] * dates] * count,
        )

    return make


@pytest.fixture(scope="session")
def virginia() -> Batch:
    """One chip of 256 px of the embedded Sentinel-2 scene: a coast, with land, marsh and water."""
    path = Path(__file__).parents[3] / "assets" / "samples" / "virginia.tif"
    with rasterio.open(path) as raster:
        window = Window((raster.width - 256) // 2, (raster.height - 256) // 2, 256, 256)
        scales = torch.tensor(raster.scales, dtype=torch.float32).view(-1, 1, 1)
        digital = torch.from_numpy(raster.read(window=window).astype("float32"))
    image = (digital * scales)[None, None]
    return Batch(
        image=image,
        valid=torch.ones(1, 1, 256, 256, dtype=torch.bool),
        bands=SIX_BANDS,
        wavelengths_um=SIX_UM,
        gsd_m=20.0,
        datetimes=[[None]],
    )


@pytest.fixture()
def hub_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackboneSpec:
    """A backbone of nobody's on the hub, looked for in empty folders only."""
    monkeypatch.setenv("EMBERSCOPE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    source = WeightsSource("hub", "org/model", "w.safetensors", "https://hub.example/org/model", 12.0)
    return dataclasses.replace(card("efficientnet_lite0"), name="somebody", weights=source)
