"""Galileo as a backbone: a batch's bands in groups, and the tokens of a patch as one embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import pick_bands, require_multiple
from engine.backbones.core.pixels import layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.galileo.cards import group_names
from engine.backbones.galileo.encoder import GalileoEncoder, Seen
from engine.backbones.galileo.groups import (
    GROUPS,
    NDVI_FROM,
    REFLECTANCE_SCALE,
    is_reflectance,
    shift_and_spread,
)
from engine.backbones.parts.radar import in_radar_unit
from engine.errors import BackboneError

# The authors' input function: src/data/utils.py, DEFAULT_MONTH.
_UNKNOWN_MONTH = 5
# Of a standardised channel: the training mean.
_MEAN = 0.5


class GalileoBackbone:
    """Galileo as a `Backbone`; see `engine.backbones.core.batch`. It has no class token."""

    def __init__(
        self, spec: BackboneSpec, module: GalileoEncoder, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.settings = settle(spec, settings)
        self.module = module.eval().requires_grad_(False)

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, D), one for all dates, or (B, h, w, groups * D) where groups are concatenated.

        Raises:
            MissingBand: the batch lacks a band of a group.
            BackboneError: too many dates, sides that are no multiple of the patch, or a layer that does not exist.
        """
        numbers = layer_numbers(self.spec, layers)
        require_multiple(batch.image, self.spec.patch_px, self.spec.name)
        dates = batch.image.shape[1]
        if dates > self.spec.max_frames:
            raise BackboneError(
                f"{self.spec.name} takes up to {self.spec.max_frames} dates; the scene has {dates}. Choose fewer dates."
            )
        seen = self._seen(batch)
        outputs = self.module(seen, numbers)
        grid = self.module.grid(seen)
        is_concatenated = self.settings["merge"] == "concat"
        return Embedded([merged(outputs[n], seen, grid, is_concatenated).float() for n in numbers])

    def _seen(self, batch: Batch) -> Seen:
        """The groups of the card, standardised."""
        groups = [GROUPS[name] for name in group_names(self.spec)]
        months = [
            [_UNKNOWN_MONTH if when is None else when.month - 1 for when in dates]
            for dates in batch.datetimes
        ]
        return Seen(
            space_time={
                group.name: self._group(group.name, batch) for group in groups if group.kind == "space_time"
            },
            space={group.name: self._elevation(batch) for group in groups if group.kind == "space"},
            months=torch.tensor(months, device=batch.image.device),
            gsd_m=batch.gsd_m,
            location=self._location(batch),
        )

    def _group(self, name: str, batch: Batch) -> torch.Tensor:
        """(B, T, C, H, W) of a group with dates."""
        if name == "NDVI":
            return self._ndvi(batch)
        channels = GROUPS[name].channels
        pixels = pick_bands(batch, channels, self.spec.name)
        pixels = in_radar_unit(pixels, channels, batch, self.settings["radar_values"], "db")
        return in_training_range(pixels, channels, batch.valid)

    def _ndvi(self, batch: Batch) -> torch.Tensor:
        """(B, T, 1, H, W), 0 where both bands are dark or a pixel is missing."""
        red, infrared = pick_bands(batch, NDVI_FROM, self.spec.name).unbind(dim=2)
        return ndvi(red, infrared).masked_fill(~batch.valid, 0.0)[:, :, None]

    def _elevation(self, batch: Batch) -> torch.Tensor:
        """(B, 2, H, W): elevation of the first date, and its slope."""
        metres, valid = pick_bands(batch, ("elevation",), self.spec.name)[:, 0, 0], batch.valid[:, 0]
        mean = shift_and_spread("elevation")
        metres = torch.where(valid, metres, mean[0] + _MEAN * mean[1])
        pixels = torch.stack([metres, slope_deg(metres, batch.gsd_m)], dim=1)
        return in_training_range(pixels, GROUPS["SRTM"].channels, valid)

    def _location(self, batch: Batch) -> torch.Tensor | None:
        if self.settings["location"] == "ignore" or batch.lonlat is None:
            return None
        lon, lat = torch.deg2rad(batch.lonlat.float()).unbind(dim=1)
        return torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], dim=1)


def wrap(
    spec: BackboneSpec, module: GalileoEncoder, weights_sha256: str, settings: Mapping[str, str]
) -> GalileoBackbone:
    """The encoder as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
    """
    return GalileoBackbone(spec, module, weights_sha256, settings)


def in_training_range(pixels: torch.Tensor, channels: Sequence[str], valid: torch.Tensor) -> torch.Tensor:
    """Measured values (..., C, H, W) as the encoder takes them; missing ones are the training mean."""
    shift, spread = zip(*(shift_and_spread(channel) for channel in channels), strict=True)
    scale = [REFLECTANCE_SCALE if is_reflectance(channel) else 1.0 for channel in channels]
    return standardised(pixels, shift, spread, valid, scale, fill=_MEAN)


def ndvi(red: torch.Tensor, infrared: torch.Tensor) -> torch.Tensor:
    """(infrared - red) / (infrared + red), 0 where the sum is not positive."""
    total = infrared + red
    return torch.where(total > 0, (infrared - red) / total, 0.0)


def slope_deg(metres: torch.Tensor, gsd_m: float) -> torch.Tensor:
    """Slope in degrees of elevations (B, H, W), from differences of neighbouring pixels."""
    down, across = torch.gradient(metres, spacing=gsd_m, dim=(1, 2))
    return torch.rad2deg(torch.atan(torch.hypot(down, across)))


def groups_of(tokens: torch.Tensor, seen: Seen, grid: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Group -> (B, T, h, w, D) of its tokens, T = 1 for those without dates."""
    places, start, found = grid[0] * grid[1], 0, {}
    for name in (*seen.space_time, *seen.space):
        dates = seen.space_time[name].shape[1] if name in seen.space_time else 1
        part = tokens[:, start : start + dates * places]
        found[name] = part.unflatten(1, (dates, *grid))
        start += dates * places
    return found


def merged(tokens: torch.Tensor, seen: Seen, grid: tuple[int, int], is_concatenated: bool) -> torch.Tensor:
    """One embedding a patch: (B, h, w, D), or (B, h, w, groups * D) where groups are concatenated.

    Args:
        tokens: (B, N, D) of the encoder. The location's token counts in the mean of every patch, as in the reference.
    """
    groups = list(groups_of(tokens, seen, grid).values())
    if is_concatenated:
        return torch.cat([group.mean(dim=1) for group in groups], dim=-1)
    of_patches = torch.cat(groups, dim=1)  # (B, all tokens of a patch, h, w, D)
    if seen.location is None:
        return of_patches.mean(dim=1)
    everywhere = tokens[:, -1, None, None]  # (B, 1, 1, D)
    return (of_patches.sum(dim=1) + everywhere) / (of_patches.shape[1] + 1)
