"""Prithvi-EO 1.0 and 2.0: an encoder that attends across dates and, as -TL, knows time and location.

Sources: Szwarcman et al. 2024 (arXiv:2412.02732); Jakubik et al. 2023 (arXiv:2310.18660); the released
prithvi_mae.py. Another image size than the training one interpolates the position table at run time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import torch
from torch import nn

from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import pick_bands
from engine.backbones.core.pixels import as_map, layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.blocks import layer_norm, through, trunk
from engine.backbones.parts.constructor import argument, band_indices
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.parts.positions import TableCache, resampled, sines_then_cosines, space_time_table
from engine.backbones.weights.checkpoint import require_same_tensors
from engine.errors import BackboneError

NO_DATA = 0.0001  # after standardisation; the publisher's inference.py, NO_DATA_FLOAT


class _PatchEmbed(nn.Module):
    """The official key is patch_embed.proj."""

    def __init__(self, channels: int, dim: int, patch_px: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch_px, stride=patch_px)


class _Scale(nn.Module):
    """A learned factor on the embedding of time or location; 0.1 is the value that training starts from."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 0.1))


class PrithviEncoder(nn.Module):
    """Prithvi's encoder; its state_dict has the official keys without their `encoder.` prefix.

    Args:
        bands: (C,) indices into the `in_chans` bands of the checkpoint that inputs bring, in order.
    """

    def __init__(
        self,
        img_size: int,
        patch_px: int,
        num_frames: int,
        in_chans: int,
        dim: int,
        depth: int,
        heads: int,
        mlp_ratio: float,
        norm_eps: float,
        coords: Collection[str],
        bands: Sequence[int],
    ) -> None:
        super().__init__()
        self.native_grid = (img_size // patch_px, img_size // patch_px)
        self.num_frames, self.dim = num_frames, dim
        self.bands = None if list(bands) == list(range(in_chans)) else list(bands)
        self.patch_px = patch_px
        self.patch_embed = _PatchEmbed(in_chans, dim, patch_px)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.temporal_embed_enc = _Scale() if "time" in coords else None
        self.location_embed_enc = _Scale() if "location" in coords else None
        norm = layer_norm(norm_eps)
        self.blocks = trunk(dim, depth, heads, mlp_ratio, norm)
        self.norm = norm(dim)
        self._tables = TableCache()

    def positions(self, frames: int, grid: tuple[int, int], device: torch.device) -> torch.Tensor:
        """(1, frames * h * w, D): fixed for the number of frames, interpolated to the grid frame by frame."""

        def make() -> torch.Tensor:
            table = space_time_table(self.dim, frames, *self.native_grid)
            if grid == self.native_grid:
                return table.reshape(1, -1, self.dim)
            each = [
                resampled(t.reshape(1, -1, self.dim), self.native_grid, grid, align_corners=True)
                for t in table
            ]
            return torch.cat(each, dim=1)

        return self._tables.get((frames, grid), device, make)

    def tokens_in(
        self, image: torch.Tensor, time: torch.Tensor | None = None, location: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Tokens that enter the first block.

        Args:
            image: (B, C, T, H, W) standardised; a remainder of H or W beyond whole patches is cut off.
            time: (B, T, 2) year and day of year; NaN where unknown; None: not used.
            location: (B, 2) in the order the checkpoint wants; NaN where unknown; None: not used.

        Returns:
            (B, 1 + T*h*w, D), class token first, then time-major and row-major patches.
        """
        batch, _, frames = image.shape[:3]
        conv = self.patch_embed.proj
        weight = conv.weight if self.bands is None else conv.weight[:, self.bands]
        flat = image.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W); a patch never spans two dates
        patches = nn.functional.conv2d(flat, weight, conv.bias, stride=conv.stride)  # (B*T, D, h, w)
        grid = (patches.shape[2], patches.shape[3])
        tokens = patches.flatten(2).transpose(1, 2).reshape(batch, -1, self.dim)  # (B, T*h*w, D)
        tokens = tokens + self.positions(frames, grid, tokens.device)
        if time is not None and self.temporal_embed_enc is not None:
            when = self._pair(time.reshape(-1, 2)) * self.temporal_embed_enc.scale
            tokens = tokens + when.reshape(batch, frames, -1).repeat_interleave(grid[0] * grid[1], dim=1)
        if location is not None and self.location_embed_enc is not None:
            tokens = tokens + (self._pair(location) * self.location_embed_enc.scale)[:, None]
        return torch.cat([self.cls_token.expand(batch, -1, -1), tokens], dim=1)

    def _pair(self, values: torch.Tensor) -> torch.Tensor:
        """(N, 2) numbers as (N, D): half the width each; a row with a NaN adds nothing."""
        half = self.dim // 2
        known = torch.isfinite(values).all(dim=1, keepdim=True)
        values = torch.where(known, values, 0.0).float()
        both = torch.cat([sines_then_cosines(values[:, i], half) for i in (0, 1)], dim=1)
        return both * known

    def forward(
        self,
        image: torch.Tensor,
        layers: Collection[int],
        time: torch.Tensor | None = None,
        location: torch.Tensor | None = None,
    ) -> dict[int, torch.Tensor]:
        """Layer -> (B, 1 + T*h*w, D); see `tokens_in`."""
        return through(self.blocks, self.norm, self.tokens_in(image, time, location), layers)


def encoder(spec: BackboneSpec) -> PrithviEncoder:
    """The encoder of a card, untrained; works on the meta device.

    A card narrowed to a band subset keeps the checkpoint's bands in its configuration.
    """
    config = spec.config
    known = tuple(str(name) for name in argument(config, "checkpoint_bands", list, spec.bands))
    return PrithviEncoder(
        img_size=argument(config, "img_size", int),
        patch_px=_patch_px(config["patch_size"]),
        num_frames=argument(config, "num_frames", int),
        in_chans=len(known),
        dim=argument(config, "embed_dim", int),
        depth=argument(config, "depth", int),
        heads=argument(config, "num_heads", int),
        mlp_ratio=float(argument(config, "mlp_ratio", float, 4.0)),
        norm_eps=float(argument(config, "norm_eps", float, 1e-5)),
        coords=tuple(argument(config, "coords_encoding", list, []) or ()),
        bands=band_indices(spec, known, spec.bands),
    )


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder's part of a released Prithvi checkpoint (with or without the `encoder.` prefixes).

    Position tables are dropped: their rows follow the frames of the pre-training; they are computed here.

    Raises:
        WeightsError: keys are missing, unknown or of another shape.
    """
    expected = meta_state(lambda: encoder(spec))

    def rename(key: str) -> str | None:
        name = key.removeprefix("_timm_module.").removeprefix("encoder.")
        if "decoder" in name or "_dec." in name or name in {"mask_token", "pos_embed"}:
            return None
        if name.startswith(("temporal_embed_enc.", "location_embed_enc.")) and name not in expected:
            return None
        return name

    found = renamed(state, rename)
    kernel = found.get("patch_embed.proj.weight")
    if kernel is not None and kernel.ndim == 5 and kernel.shape[2] == 1:
        found["patch_embed.proj.weight"] = kernel[:, :, 0].contiguous()  # (D, C, 1, p, p) -> (D, C, p, p)
    require_same_tensors(spec.name, expected, found)
    return found


class PrithviBackbone:
    """Prithvi as a `Backbone`; see `engine.backbones.core.batch`."""

    takes_stored = True  # integers as they are stored: one pass over the pixels does all

    def __init__(
        self, spec: BackboneSpec, module: PrithviEncoder, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.module = module.eval().requires_grad_(False)
        self.settings = settle(spec, settings)

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, T*D), time-major, and class tokens; h and w are whole patches of the chip.

        Raises:
            MissingBand: the batch lacks one of the six bands.
            BackboneError: too many dates, a chip smaller than a patch, or a layer that does not exist.
        """
        numbers = layer_numbers(self.spec, layers)
        frames, (height, width) = batch.image.shape[1], batch.image.shape[-2:]
        if frames > self.spec.max_frames:
            raise BackboneError(
                f"{self.spec.name} takes up to {self.spec.max_frames} dates; the scene has {frames}. "
                f"Choose fewer dates."
            )
        patch = self.spec.patch_px
        grid = (height // patch, width // patch)
        if not all(grid):
            raise BackboneError(
                f"{self.spec.name} needs chips of at least {patch} pixels a side; these have {height} x {width}. "
                f"Raise tiles.size_px."
            )
        norm = self.spec.normalisation
        pixels = pick_bands(batch, self.spec.bands, self.spec.name)
        scale, offset = batch.scale * norm.scale, batch.offset * norm.scale
        standard = standardised(pixels, norm.mean, norm.std, batch.valid, scale, offset, fill=NO_DATA)
        image = standard.transpose(1, 2)
        outputs = self.module(image, numbers, self._time(batch), self._location(batch))
        maps = [self._map(outputs[n], frames, grid) for n in numbers]
        return Embedded(maps=maps, cls=[outputs[n][:, 0].float() for n in numbers])

    @staticmethod
    def _map(tokens: torch.Tensor, frames: int, grid: tuple[int, int]) -> torch.Tensor:
        """(B, 1 + T*h*w, D) -> (B, h, w, T*D)."""
        by_frame = as_map(tokens, 1, (frames, grid[0] * grid[1]))  # (B, T, h*w, D)
        return by_frame.transpose(1, 2).reshape(len(tokens), *grid, -1)

    def _time(self, batch: Batch) -> torch.Tensor | None:
        if self.module.temporal_embed_enc is None or self.settings["time"] == "ignore":
            return None
        base = int(self.settings["day_base"])
        rows = [[_year_and_day(when, base) for when in dates] for dates in batch.datetimes]
        return torch.tensor(rows, dtype=torch.float32, device=batch.image.device)

    def _location(self, batch: Batch) -> torch.Tensor | None:
        if self.module.location_embed_enc is None or self.settings["location"] == "ignore":
            return None
        if batch.lonlat is None:
            return None
        lonlat = batch.lonlat.to(device=batch.image.device, dtype=torch.float32)
        return lonlat if self.settings["location_order"] == "lon_lat" else lonlat.flip(1)


def wrap(
    spec: BackboneSpec, module: PrithviEncoder, weights_sha256: str, settings: Mapping[str, str]
) -> PrithviBackbone:
    """The encoder as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
    """
    return PrithviBackbone(spec, module, weights_sha256, settings)


def _year_and_day(when: datetime | None, base: int) -> tuple[float, float]:
    if when is None:
        return math.nan, math.nan
    return float(when.year), float(when.timetuple().tm_yday - 1 + base)


def _patch_px(patch_size: object) -> int:
    """The side of a patch of (1, p, p) or p; patches of several dates or unequal sides are not Prithvi's."""
    sides = [patch_size] if isinstance(patch_size, int) else list(patch_size)  # type: ignore[call-overload]
    if sides[-1] != sides[0 if len(sides) == 1 else -2] or (len(sides) == 3 and sides[0] != 1):
        raise BackboneError(
            f"patch_size is {patch_size!r}; it must be p or (1, p, p). "
            f"Released Prithvi models do not merge dates."
        )
    return int(sides[-1])
