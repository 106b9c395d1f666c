"""Everything a person or a page must know of a checkpoint, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

# How reflectance of the training scenes was processed; "either": both occurred, or the setting decides.
Level = Literal["surface", "top of atmosphere", "either"]
# Common names of synthetic aperture radar bands, by polarisation.
RADAR_BANDS = ("vv", "vh", "hh", "hv")
# Common names of bands that no wavelength describes: height, land cover classes, vegetation index.
WITHOUT_WAVELENGTH = ("elevation", "lulc", "ndvi")


@dataclass(frozen=True)
class WeightsSource:
    """Where a checkpoint comes from, and how to know that it is the right one.

    Attributes:
        kind: "package" (a file inside an installed Python distribution), "hub" (a file of a
            Hugging Face repository), "unpublished" (weights exist, and no place to fetch them from is known), "scenes"
            (drawn from the scenes of a run, and kept with its store), "none" (the backbone has no weights).
        repo: the distribution's import name or the hub repository.
        file: the file inside it, as a POSIX path.
        page: the publisher's page, for a person without network.
        size_mb: size of the file in 10^6 bytes, None where the publisher does not state it.
        sha256: of the file, or the first digits that the publisher gives; None where it gives none (recorded on first
            use then).
        revision: of the hub repository: a branch or a commit.
    """

    kind: Literal["package", "hub", "unpublished", "scenes", "none"]
    repo: str = ""
    file: str = ""
    page: str = ""
    size_mb: float | None = None
    sha256: str | None = None
    revision: str = "main"

    @property
    def is_published(self) -> bool:
        """Whether somebody has trained them: a file that must be on this machine before a run."""
        return self.kind not in ("scenes", "none")


@dataclass(frozen=True)
class Normalisation:
    """What the encoder saw in training: (unit value - mean) / std, band by band.

    Attributes:
        unit: in words, e.g. "surface reflectance x 10000" or "top-of-atmosphere reflectance".
        scale: unit value = reflectance * scale (1.0, 255.0, 10000.0).
        mean, std: in that unit, in the order of the spec's bands; for models that take any bands, the
            known bands' values by the same order (see `BackboneSpec.bands`).
        source: where the numbers come from (a page or a file in the publisher's package).
    """

    unit: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str


@dataclass(frozen=True)
class BackboneSpec:
    """One card: a checkpoint as a person sees it and as an adapter builds it.

    Attributes:
        name: the one string that selects it (`backbone.name`).
        family: the key in `engine.backbones.families.FAMILIES` of the family that builds it.
        bands: common band names in the model's order. A fixed-band model needs them all; a model with
            `any_bands` takes what the scene has and uses these names for its statistics.
        unread_bands: bands of a scene that a model with `any_bands` leaves out all the same.
        wavelengths_um: centre wavelengths of `bands`, where the model reads them.
        gsd_m: ground sampling distance of the training images, None for photographs.
        level: processing level of the training scenes, None where the model has none (photographs, radar alone, no
            network); `conventions["level"]` says where that is stated.
        chip_px, patch_px: training size and patch size in pixels; a CNN's patch is its stage's stride,
            see `layer_strides`.
        largest_window_px: side of the largest window that it should be shown; larger chips are cut into windows of
            `chip_px`. None: any size.
        dim: width of the last layer (`layer_dims` for the others); 0 where the bands of the scene decide it.
        depth: number of layers that can be asked for (blocks or stages).
        default_layers: what a config without `layers` gets; negative counts from the end.
        layer_strides, layer_dims: one per layer for CNNs and hierarchical models; empty means that
            every layer has `patch_px` and `dim`.
        pooling: which tile poolings it offers.
        max_frames: dates that one forward pass takes (1: each date runs alone, see temporal.py).
        joins_dates: an encoder of several dates gives one embedding for all of them (otherwise one for each).
        uses: which scene facts the encoder reads besides pixels: "time", "location", "gsd",
            "wavelengths".
        modalities: kinds of input that a run uses or ignores, by the publisher's names; each is a setting of the
            same name in lower case with the choices "use" and "ignore".
        settings: conventions that upstream leaves open: setting name -> (default, other choices...).
        conventions: one sentence with source for each of the settings and other choices made.
        config: constructor arguments for the adapter.
    """

    name: str
    title: str
    family: str
    summary: str
    bands: tuple[str, ...]
    normalisation: Normalisation
    chip_px: int
    patch_px: int
    dim: int
    depth: int
    parameters: int
    licence: str
    licence_url: str
    citation: str
    weights: WeightsSource
    default_layers: tuple[int, ...] = (-1,)
    any_bands: bool = False
    unread_bands: tuple[str, ...] = ()
    wavelengths_um: tuple[float, ...] = ()
    gsd_m: float | None = None
    level: Level | None = None
    layer_strides: tuple[int, ...] = ()
    layer_dims: tuple[int, ...] = ()
    pooling: tuple[str, ...] = ("mean", "max")
    largest_window_px: int | None = None
    max_frames: int = 1
    joins_dates: bool = False
    uses: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    conventions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    config: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def size_words(self) -> str:
        """Size of the checkpoint; where its publisher does not state it, what the encoder alone takes in float32."""
        if self.weights.size_mb is not None:
            return f"{self.weights.size_mb:,.0f} MB"
        return f"at least {self.parameters * 4 / 1e6:,.0f} MB"

    def bands_read(self, available: Sequence[str]) -> tuple[str, ...]:
        """The bands that are read of a scene, in the order in which the model takes them.

        Args:
            available: the scene's bands.
        """
        if not self.any_bands:
            return self.bands
        return tuple(band for band in available if band not in self.unread_bands)

    def layer_index(self, layer: int) -> int:
        """Layer counted from 0; negative counts from the end.

        Raises:
            IndexError: the backbone has no such layer.
        """
        index = layer + self.depth if layer < 0 else layer
        if not 0 <= index < self.depth:
            raise IndexError(layer)
        return index

    def stride_px(self, layer: int) -> int:
        """Pixels that one patch of this layer spans along a side."""
        return self.layer_strides[self.layer_index(layer)] if self.layer_strides else self.patch_px

    def layer_dim(self, layer: int) -> int:
        """Width of this layer's embedding."""
        return self.layer_dims[self.layer_index(layer)] if self.layer_dims else self.dim
