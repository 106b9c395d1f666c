"""Every head by its name: built with fresh weights, fitted without gradient, or restored from a file."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from engine.errors import ConfigError
from engine.jobs.configuration.config import HeadConfig
from engine.learning.heads.averaging import by_patch
from engine.learning.heads.convolution import ConvHead
from engine.learning.heads.decoder import Decoder, Scale
from engine.learning.heads.forest import ARRAYS, Forest
from engine.learning.heads.fusion import FusionHead
from engine.learning.heads.interpolation import Interpolated
from engine.learning.heads.nearest_patches import NearestPatches
from engine.learning.heads.patch import PatchHead
from engine.learning.heads.sizes import Shape

Statistics = tuple[torch.Tensor, torch.Tensor]
"""Mean and standard deviation of the training tiles' embeddings, (D,) each."""


def check_head(config: HeadConfig, shape: Shape) -> None:
    """Check that a head can take what it is given, and nothing is cut to fit it.

    Raises:
        ConfigError: fusion of one layer, or pixels that its cells do not divide.
    """
    check_layers(config, len(shape.levels))
    if config.name != "fusion":
        return
    odd = [level.cells for level in shape.levels if shape.pixels % level.cells]
    if odd:
        raise ConfigError(
            f"The head fusion cannot take layers of {odd[0]} cells along a patch of {shape.pixels} px: they do not divide it. "
            f"Leave that layer out with layers, or use conv."
        )


def check_layers(config: HeadConfig, number: int) -> None:
    """Check that there are enough layers for a head: asked before an extraction begins.

    Raises:
        ConfigError: fusion of one layer.
    """
    if config.name == "fusion" and number < 2:
        raise ConfigError(
            "The head fusion joins two layers or more, and this training has one. Extract with several backbone.layers, "
            "or use conv."
        )


def build_decoder(
    config: HeadConfig,
    shape: Shape,
    statistics: Statistics,
    generator: torch.Generator,
    device: torch.device,
    label_scale: tuple[float, float] | None = None,
) -> Decoder:
    """A decoder with fresh weights on the device.

    Args:
        generator: on the CPU; weights come from it, so that they are the same on every device.
        label_scale: mean and standard deviation of labels that are numbers; None: classes.

    Raises:
        ConfigError: as `check_head`.
    """
    check_head(config, shape)
    chance = torch.Generator(device=device)
    chance.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    own = _head_shape(config, shape)
    match config.name:
        case "linear":
            head: nn.Module = PatchHead(own, (), 0.0, chance)
        case "mlp":
            head = PatchHead(own, config.hidden, config.dropout, chance)
        case "conv":
            head = ConvHead(own, config.hidden, config.dropout, chance)
        case "fusion":
            head = FusionHead(own, config.hidden, config.dropout, chance)
        case "knn" | "forest":
            raise AssertionError(f"{config.name} has no weights before it is fitted")
    for module in head.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            # He et al. 2015, for units that pass half of their input; biases start at zero.
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return _decoder(config, shape, head, statistics, chance, label_scale).to(device)


def fit_decoder(
    config: HeadConfig,
    shape: Shape,
    statistics: Statistics,
    features: torch.Tensor,
    expected: torch.Tensor,
    seed: int,
) -> Decoder:
    """A decoder without gradient, fitted at once to some training patches, on their device.

    Args:
        features: (N, D) embeddings.
        expected: (N, outputs) labels, NaN where missing; each row knows one or more.
    """
    mean, std = statistics
    own = _head_shape(config, shape)
    standardised = (features.float() - mean) / std
    labels = expected if own == shape else by_patch(expected, shape.values)
    if config.name == "knn":
        head: nn.Module = NearestPatches.fitted(standardised, labels, config.neighbours, shape.link)
    else:
        head = Forest.fitted(standardised.cpu().numpy(), labels.cpu().numpy(), config.trees, seed, shape.link)
    return _decoder(config, shape, head, statistics, torch.Generator(), None).to(features.device)


def restore_decoder(config: HeadConfig, shape: Shape, state: Mapping[str, torch.Tensor]) -> Decoder:
    """The decoder of a file, on the CPU.

    Raises:
        KeyError, RuntimeError: the file is not of this head and these sizes.
    """
    blank = torch.zeros(shape.dim)
    scale = (0.0, 1.0) if "scale.mean" in state else None
    if config.name == "knn":
        parts = [state[f"head.{name}"] for name in ("features", "expected", "prior")]
        head: nn.Module = NearestPatches(parts[0], parts[1], parts[2], config.neighbours, shape.link)
        decoder = _decoder(config, shape, head, (blank, blank + 1), torch.Generator(), scale)
    elif config.name == "forest":
        head = Forest({name: state[f"head.{name}"] for name in ARRAYS}, shape.link)
        decoder = _decoder(config, shape, head, (blank, blank + 1), torch.Generator(), scale)
    else:
        decoder = build_decoder(
            config, shape, (blank, blank + 1), torch.Generator(), torch.device("cpu"), scale
        )
    decoder.load_state_dict(dict(state))
    return decoder.eval()


def _decoder(
    config: HeadConfig,
    shape: Shape,
    head: nn.Module,
    statistics: Statistics,
    chance: torch.Generator,
    label_scale: tuple[float, float] | None,
) -> Decoder:
    own = _head_shape(config, shape)
    spread = None if config.pixels == "block" else Interpolated(own.pixels, shape.pixels)
    scale = None if label_scale is None else Scale(*label_scale)
    return Decoder(head, *statistics, config.sees_neighbours, chance, spread, scale)


def _head_shape(config: HeadConfig, shape: Shape) -> Shape:
    """What the head itself gives: an output for each pixel, or for each cell between which pixels are interpolated."""
    if config.pixels == "block":
        return shape
    return shape.with_pixels(shape.finest if config.name == "fusion" else 1)
