"""Cards of Prithvi-EO 1.0 and 2.0 (IBM and NASA)."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource

_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# config.yaml of Prithvi-EO-1.0-100M, data.mean and data.std; HLS v2 Sentinel-2 over the contiguous US.
_V1 = Normalisation(
    unit="surface reflectance x 10000 (HLS)", scale=1e4,
    mean=(775.2290211, 1080.9927804, 1228.5855250, 2497.2022621, 2204.2139148, 1610.8324823),
    std=(1281.5261399, 1270.0297975, 1399.4802505, 1368.3446144, 1291.6764009, 1154.5056835),
    source="Prithvi-EO-1.0-100M, config.yaml (data.mean, data.std)",
)  # fmt: skip
_V2 = Normalisation(
    unit="surface reflectance x 10000 (HLS)", scale=1e4,
    mean=(1087.0, 1342.0, 1433.0, 2734.0, 1958.0, 1363.0),
    std=(2248.0, 2179.0, 2178.0, 1850.0, 1242.0, 1049.0),
    source="Prithvi-EO-2.0, config.json (pretrained_cfg.mean, pretrained_cfg.std)",
)  # fmt: skip
_V1_CITATION = """\
@article{jakubik2023prithvi,
  author  = {Jakubik, Johannes and Roy, Sujit and Phillips, C. E. and Fraccaro, Paolo and others},
  title   = {Foundation Models for Generalist Geospatial Artificial Intelligence},
  journal = {arXiv:2310.18660},
  year    = {2023}
}
"""
_V2_CITATION = """\
@article{szwarcman2024prithvi,
  author  = {Szwarcman, Daniela and Roy, Sujit and Fraccaro, Paolo and others},
  title   = {{Prithvi-EO-2.0}: A Versatile Multi-Temporal Foundation Model for Earth Observation
             Applications},
  journal = {arXiv:2412.02732},
  year    = {2024}
}
"""
_SETTINGS = MappingProxyType({"bands": ("all", "available")})
_TL_SETTINGS = MappingProxyType({
    **_SETTINGS,
    "time": ("use", "ignore"),
    "location": ("use", "ignore"),
    "location_order": ("lat_lon", "lon_lat"),
    "day_base": ("0", "1"),
})  # fmt: skip
_CONVENTIONS = MappingProxyType({
    "bands": "all: a scene that lacks one of the six bands is refused; available: bands that the scene "
    "lacks drop from the patch projection by name, as TerraTorch's backbone_bands does.",
    "level": "Surface reflectance: HLS is atmospherically corrected (HLS v2.0 User Guide).",
    "size": "A chip of another size than 224 px interpolates the position table (bicubic, corners "
    "aligned); what lies beyond whole patches is cut off, as in TerraTorch.",
    "gaps": "Missing pixels are 0.0001 after standardisation (the publisher's inference.py).",
})  # fmt: skip
_TL_CONVENTIONS = MappingProxyType({
    **_CONVENTIONS,
    "location_order": "lat_lon as in the model class's documentation and TerraTorch's data sets; the "
    "publisher's inference.py passes lon_lat. The code does not tell which one the pre-training used.",
    "day_base": "0: 1 January is day 0, as in TerraTorch's data sets; 1: it is day 1, as in inference.py.",
    "time": "Year and day of year of each date; left out where a date is unknown.",
    "location": "Centre of the chip in degrees; left out where the location is not given.",
})  # fmt: skip


def _card(
    name: str, title: str, repo: str, file: str, dim: int, depth: int, heads: int, patch: int,
    parameters: int, max_frames: int,
) -> BackboneSpec:  # fmt: skip
    first, with_coordinates = "v1" in name, name.endswith("_tl")
    return BackboneSpec(
        name=name,
        title=title,
        family="prithvi",
        summary=(
            "A masked autoencoder of "
            + ("HLS Sentinel-2 chips over the contiguous US" if first else "global HLS Landsat and "
            "Sentinel-2 chips")
            + f" that attends across up to {max_frames} dates"
            + (", told the time and the location of each." if with_coordinates else ".")
        ),
        bands=_BANDS,
        normalisation=_V1 if first else _V2,
        level="surface",
        gsd_m=30.0,
        chip_px=224,
        patch_px=patch,
        dim=dim,
        depth=depth,
        parameters=parameters,
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        citation=_V1_CITATION if first else _V2_CITATION,
        weights=WeightsSource(
            kind="hub", repo=f"ibm-nasa-geospatial/{repo}", file=file,
            page=f"https://huggingface.co/ibm-nasa-geospatial/{repo}",
        ),
        pooling=("mean", "max", "cls"),
        max_frames=max_frames,
        uses=("time", "location") if with_coordinates else (),
        settings=_TL_SETTINGS if with_coordinates else _SETTINGS,
        conventions=_TL_CONVENTIONS if with_coordinates else _CONVENTIONS,
        config=MappingProxyType({
            "img_size": 224, "patch_size": (1, patch, patch), "num_frames": max_frames, "embed_dim": dim,
            "depth": depth, "num_heads": heads, "mlp_ratio": 4.0, "norm_eps": 1e-5,
            "coords_encoding": ("time", "location") if with_coordinates else (),
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card("prithvi_eo_v1_100", "Prithvi-EO 1.0 100M", "Prithvi-EO-1.0-100M", "Prithvi_EO_V1_100M.pt",
          768, 12, 12, 16, 86_237_184, 3),
    _card("prithvi_eo_v2_tiny_tl", "Prithvi-EO 2.0 tiny TL", "Prithvi-EO-2.0-tiny-TL",
          "Prithvi_EO_V2_tiny_TL.pt", 192, 12, 3, 16, 5_634_050, 4),
    _card("prithvi_eo_v2_100_tl", "Prithvi-EO 2.0 100M TL", "Prithvi-EO-2.0-100M-TL",
          "Prithvi_EO_V2_100M_TL.pt", 768, 12, 12, 16, 86_237_186, 4),
    _card("prithvi_eo_v2_300", "Prithvi-EO 2.0 300M", "Prithvi-EO-2.0-300M", "Prithvi_EO_V2_300M.pt",
          1024, 24, 16, 16, 303_886_336, 4),
    _card("prithvi_eo_v2_300_tl", "Prithvi-EO 2.0 300M TL", "Prithvi-EO-2.0-300M-TL",
          "Prithvi_EO_V2_300M_TL.pt", 1024, 24, 16, 16, 303_886_338, 4),
    _card("prithvi_eo_v2_600", "Prithvi-EO 2.0 600M", "Prithvi-EO-2.0-600M", "Prithvi_EO_V2_600M.pt",
          1280, 32, 16, 14, 631_188_480, 4),
    _card("prithvi_eo_v2_600_tl", "Prithvi-EO 2.0 600M TL", "Prithvi-EO-2.0-600M-TL",
          "Prithvi_EO_V2_600M_TL.pt", 1280, 32, 16, 14, 631_188_482, 4),
)  # fmt: skip
