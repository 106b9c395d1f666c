"""Cards of Clay v1 and v1.5 (Clay Foundation)."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.clay.sensors import OPTICAL, SENTINEL2
from engine.backbones.core.spec import WITHOUT_WAVELENGTH, BackboneSpec, Normalisation, WeightsSource

_CITATION = """\
@misc{clay2024,
  author = {{Clay Foundation}},
  title  = {Clay Foundation Model: an open source {AI} model for Earth},
  year   = {2024},
  url    = {https://github.com/Clay-foundation/model}
}
"""
_SETTINGS = MappingProxyType({
    "statistics": tuple(OPTICAL),
    "wavelengths": ("sensor", "training"),
    "time": ("use", "ignore"),
    "location": ("use", "ignore"),
    "radar_values": ("db", "linear"),
})  # fmt: skip
_CONVENTIONS = MappingProxyType({
    "statistics": "Whose means and deviations optical bands take (Clay's configs/metadata.yaml): by band "
    "name, otherwise by the nearest wavelength of that sensor. Sentinel-2's are of reflectance x 10000.",
    "wavelengths": "sensor: the scene's own centre wavelengths; training: those of the table for bands "
    "that it names. Radar bands always take Clay's labels, 3.5 (vv) and 4.0 (vh).",
    "level": "The level of the product whose statistics are chosen: surface reflectance for Sentinel-2 L2A, "
    "Landsat Collection 2 Level 2, MODIS and PlanetScope, top of atmosphere for Landsat Level 1, none for the aerial "
    "images NAIP and LINZ (Clay's configs/metadata.yaml).",
    "time": "ISO week and hour as sines and cosines; zeros where unknown. v1.5 was trained with 20 % "
    "of the chips zeroed, v1 never, so that zeros are new to v1.",
    "location": "Latitude and longitude as sines and cosines; zeros where unknown (see time).",
    "radar_values": "What a scene's vv and vh hold where its sensor does not say; v1 reads linear power, v1.5 "
    "decibels.",
    "size": "Positions are computed for the grid at hand; sides may differ, though the training saw "
    "squares only.",
})  # fmt: skip


def _card(
    name: str, title: str, repo: str, file: str, dim: int, depth: int, heads: int, parameters: int,
    licence: str, licence_url: str, radar_unit: str,
) -> BackboneSpec:  # fmt: skip
    return BackboneSpec(
        name=name,
        title=title,
        family="clay",
        summary=(
            "A masked autoencoder for any optical or radar bands: patches of 8 px are embedded by "
            "wavelength, with the time, the location and the ground sampling distance of the chip."
        ),
        bands=SENTINEL2.bands,
        wavelengths_um=SENTINEL2.wavelengths_um,
        any_bands=True,
        unread_bands=WITHOUT_WAVELENGTH,
        normalisation=Normalisation(
            unit="surface reflectance x 10000 (Sentinel-2 L2A)", scale=1e4,
            mean=SENTINEL2.mean, std=SENTINEL2.std,
            source="Clay Foundation model repository, configs/metadata.yaml",
        ),
        level="surface",
        gsd_m=10.0,
        chip_px=256,
        patch_px=8,
        dim=dim,
        depth=depth,
        parameters=parameters,
        licence=licence,
        licence_url=licence_url,
        citation=_CITATION,
        weights=WeightsSource(
            kind="hub", repo=f"made-with-clay/{repo}", file=file,
            page=f"https://huggingface.co/made-with-clay/{repo}",
        ),
        pooling=("mean", "max", "cls"),
        uses=("time", "location", "gsd", "wavelengths"),
        settings=_SETTINGS,
        conventions=_CONVENTIONS,
        config=MappingProxyType({
            "patch_size": 8, "embed_dim": dim, "depth": depth, "num_heads": heads, "head_dim": 64,
            "mlp_ratio": 4.0, "norm_eps": 1e-5,
            "wave_dim": 128, "num_latent_tokens": 128, "wave_heads": 4,
            "wave_ff": 2048,
            "radar_unit": radar_unit,
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card("clay_v1_base", "Clay v1 base", "Clay-legacy", "v1/clay-v1-base.ckpt", 768, 12, 12, 92_102_144,
          "OpenRAIL-M", "https://github.com/Clay-foundation/model/blob/v1.0/LICENSE-MODEL.md", "linear"),
    _card("clay_v1_5_large", "Clay v1.5 large", "Clay", "v1.5/clay-v1.5.ckpt", 1024, 24, 16, 311_442_944,
          "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", "db"),
)  # fmt: skip
