"""Cards of DOFA v1 (Technical University of Munich), in torchgeo's copies of the authors' weights."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.core.spec import WITHOUT_WAVELENGTH, BackboneSpec, Normalisation, WeightsSource

_CITATION = """\
@article{xiong2024dofa,
  author  = {Xiong, Zhitong and Wang, Yi and Zhang, Fahong and others},
  title   = {Neural Plasticity-Inspired Multimodal Foundation Model for Earth Observation},
  journal = {arXiv:2403.15356},
  year    = {2024}
}
"""
# The authors' nine Sentinel-2 bands in their order (B4 B3 B2 B5 B6 B7 B8 B11 B12) and wavelengths.
_BANDS = ("red", "green", "blue", "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad", "swir_1", "swir_2")
_UM = (0.665, 0.56, 0.49, 0.705, 0.74, 0.783, 0.842, 1.61, 2.19)
_NORMALISATION = Normalisation(
    unit="Sentinel-2 reflectance stretched to 0..255", scale=255.0 / 0.3,
    mean=(114.1099739, 114.81779093, 126.63977424, 84.33539309, 97.84789168, 103.94461911, 101.435633,
          72.32804172, 56.66528851),
    std=(77.84352553, 69.96844919, 67.42465279, 64.57022983, 61.72545487, 61.34187099, 60.29744676,
         47.88519516, 42.55886798),
    source="the authors' repository (zhu-xlab/DOFA), demo notebook, Sentinel-2 mean and std",
)  # fmt: skip
_SETTINGS = MappingProxyType({
    "reflectance_at_255": ("0.3", "0.2", "0.4", "0.5", "1.0", "none"),
    "position_resize": ("bicubic", "bilinear"),
    "radar_values": ("db", "linear"),
})  # fmt: skip
_CONVENTIONS = MappingProxyType({
    "reflectance_at_255": "The authors' statistics are of 8-bit images and their stretch is not published: "
    "this reflectance becomes 255, linearly and clipped. none: reflectance goes in as it is, as torchgeo "
    "and TerraTorch do where nothing is standardised.",
    "level": "The authors mixed sensors and do not state the level of their Sentinel-2 images (arXiv:2403.15356), so "
    "that either is taken.",
    "position_resize": "How the position table is carried to another grid than 14 x 14 (no antialiasing): "
    "bicubic, or bilinear as TerraTorch does at load time.",
    "radar_values": "What a scene's vv and vh hold where its sensor does not say. They are standardised in decibels with TerraMesh's "
    "Sentinel-1 statistics: the authors' 8-bit stretch of backscatter is not published, nor certain which "
    "of the two is which.",
    "wavelengths": "The scene's own centre wavelengths in micrometres; radar bands take the authors' label "
    "5.405.",
    "statistics": "By band name; bands that the authors did not use take those of the nearest wavelength.",
    "norm": "No layer passes through a final norm: torchgeo's file has none, and the original's is dropped "
    "by all.",
})  # fmt: skip


def _card(size: str, file: str, dim: int, depth: int, heads: int, parameters: int) -> BackboneSpec:
    return BackboneSpec(
        name=f"dofa_{size}",
        title=f"DOFA {size}",
        family="dofa",
        summary=(
            "A masked autoencoder whose patch embedding is written from the bands' wavelengths; trained on "
            "Sentinel-1, Sentinel-2, Gaofen, NAIP and EnMAP."
        ),
        bands=_BANDS,
        wavelengths_um=_UM,
        any_bands=True,
        unread_bands=WITHOUT_WAVELENGTH,
        normalisation=_NORMALISATION,
        level="either",
        gsd_m=10.0,
        chip_px=224,
        patch_px=16,
        dim=dim,
        depth=depth,
        parameters=parameters,
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        citation=_CITATION,
        weights=WeightsSource(
            kind="hub", repo="torchgeo/dofa", file=file, page="https://huggingface.co/torchgeo/dofa"
        ),
        pooling=("mean", "max", "cls"),
        uses=("wavelengths",),
        settings=_SETTINGS,
        conventions=_CONVENTIONS,
        config=MappingProxyType({
            "img_size": 224, "patch_size": 16, "embed_dim": dim, "depth": depth, "num_heads": heads,
            "mlp_ratio": 4.0, "norm_eps": 1e-6, "wave_dim": 128, "num_latent_tokens": 128, "wave_heads": 4,
            "wave_ff": 2048, "pos_interp_mode": "bicubic",
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card("base", "dofa_base_patch16_224-a0275954.pth", 768, 12, 12, 111_310_592),
    _card("large", "dofa_large_patch16_224-0ff904d3.pth", 1024, 24, 16, 337_103_360),
)
