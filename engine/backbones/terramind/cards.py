"""Cards of TerraMind v1 (IBM and ESA) and of its tokenizers for land cover and vegetation index."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.terramind.modalities import IMAGE_MODALITIES, MODALITIES

_CITATION = """\
@article{jakubik2025terramind,
  author  = {Jakubik, Johannes and Yang, Felix and Blumenstiel, Benedikt and others},
  title   = {{TerraMind}: Large-Scale Generative Multimodality for Earth Observation},
  journal = {arXiv:2504.11171},
  year    = {2025}
}
"""
_S2 = MODALITIES["S2L2A"]
_NORMALISATION = Normalisation(
    unit="surface reflectance x 10000 (Sentinel-2 L2A)", scale=1e4, mean=_S2.mean, std=_S2.std,
    source="terratorch, terramind_register.py (v1_pretraining_mean, v1_pretraining_std)",
)  # fmt: skip
_SETTINGS = MappingProxyType({
    "s2l2a": ("use", "ignore"),
    "s2l1c": ("ignore", "use"),
    "s1grd": ("ignore", "use"),
    "s1rtc": ("ignore", "use"),
    "rgb": ("ignore", "use"),
    "dem": ("ignore", "use"),
    "ndvi": ("ignore", "use"),
    "lulc": ("ignore", "use"),
    "merge": ("mean", "max", "concat"),
    "bands": ("all", "available"),
    "sentinel2_offset": ("0", "1000"),
    "rgb_white": ("0.3", "0.2", "0.3558", "1.0"),
    "radar_values": ("db", "linear"),
})  # fmt: skip
_CONVENTIONS = MappingProxyType({
    "merge": "How the tokens that several modalities give for one patch become one: mean (the reference's "
    "default), max, or side by side.",
    "bands": "all: a scene that lacks a band of a modality is refused; available: bands that the scene "
    "lacks drop from the patch projection by name, without rescaling, as TerraTorch does when "
    "backbone_bands are given.",
    "sentinel2_offset": "Added to reflectance x 10000. Products of baseline 04.00 and later carry 1000; the "
    "TerraMesh paper says that it was harmonised (0), and the published statistics do not settle it.",
    "rgb_white": "The reflectance that becomes 255 in RGB; the authors do not state theirs. ESA's "
    "true-colour images use 0.3558 (L1C) and 0.2 (L2A).",
    "radar_values": "What a scene's vv and vh hold where its sensor does not say; the model reads decibels.",
    "ndvi": "The band ndvi where the scene has it, otherwise (nir_broad - red) / (nir_broad + red); read "
    "through its own tokenizer's weights.",
    "lulc": "Class ids 0 to 9: no data, water, trees, flooded vegetation, crops, built, bare, snow or ice, "
    "clouds, rangeland (terratorch); read through its own tokenizer's weights.",
    "level": "By modality: S2L2A, and NDVI which is computed from it, are surface reflectance, S2L1C is top of "
    "atmosphere; RGB is stretched by quantiles, so that it has no level, nor have radar, elevation and land cover "
    "(TerraMesh, arXiv:2504.11172).",
    "size": "A chip of another size than 224 px interpolates the stored position table (bicubic, no "
    "antialiasing).",
    "gaps": "Missing pixels are 0 after standardisation; missing land cover is class 0.",
})  # fmt: skip


def _card(size: str, dim: int, depth: int, heads: int, parameters: int, gated: bool) -> BackboneSpec:
    return BackboneSpec(
        name=f"terramind_v1_{size}",
        title=f"TerraMind 1.0 {size}",
        family="terramind",
        summary=(
            "A multimodal encoder of Sentinel-2, Sentinel-1, elevation, colour, vegetation index and land "
            "cover, alone or together, trained on TerraMesh."
        ),
        bands=_S2.bands,
        normalisation=_NORMALISATION,
        level="surface",
        gsd_m=10.0,
        chip_px=224,
        patch_px=16,
        dim=dim,
        depth=depth,
        parameters=parameters,
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        citation=_CITATION,
        weights=_source(f"TerraMind-1.0-{size}", f"TerraMind_v1_{size}.pt"),
        modalities=IMAGE_MODALITIES,
        settings=_SETTINGS,
        conventions=_CONVENTIONS,
        config=MappingProxyType({
            "img_size": 224, "patch_size": 16, "modalities": ("S2L2A",), "embed_dim": dim, "depth": depth,
            "num_heads": heads, "mlp_ratio": 4.0, "norm_eps": 1e-6, "qkv_bias": not gated,
            "proj_bias": not gated, "gated_mlp": gated,
        }),
    )  # fmt: skip


def _source(repo: str, file: str) -> WeightsSource:
    page = f"https://huggingface.co/ibm-esa-geospatial/{repo}"
    return WeightsSource(kind="hub", repo=f"ibm-esa-geospatial/{repo}", file=file, page=page)


def _tokenizer(modality: str, channels: int, levels: tuple[int, ...]) -> BackboneSpec:
    facts = MODALITIES[modality]
    return BackboneSpec(
        name=f"terramind_v1_tokenizer_{modality.lower()}",
        title=f"TerraMind 1.0 tokenizer, {modality}",
        family="terramind_tokenizer",
        summary=f"Turns {modality} into the token ids that TerraMind reads.",
        bands=facts.bands,
        normalisation=Normalisation("index or class id", 1.0, facts.mean, facts.std, _NORMALISATION.source),
        chip_px=256,
        patch_px=16,
        dim=768,
        depth=12,
        parameters=0,
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        citation=_CITATION,
        weights=_source(f"TerraMind-1.0-Tokenizer-{modality}", f"TerraMind_Tokenizer_{modality}.pt"),
        config=MappingProxyType({
            "img_size": 256, "patch_size": 16, "in_chans": channels, "embed_dim": 768, "depth": 12,
            "num_heads": 12, "mlp_ratio": 4.0, "norm_eps": 1e-6, "fsq_levels": levels,
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card("tiny", 192, 12, 3, 6_022_464, gated=False),
    _card("small", 384, 12, 6, 22_661_760, gated=False),
    _card("base", 768, 12, 12, 87_707_904, gated=True),
    _card("large", 1024, 24, 16, 305_662_976, gated=True),
)
TOKENIZERS: Mapping[str, BackboneSpec] = MappingProxyType({
    "LULC": _tokenizer("LULC", 10, (7, 5, 5, 5, 5)),
    "NDVI": _tokenizer("NDVI", 1, (8, 8, 8, 6, 5)),
})  # fmt: skip
