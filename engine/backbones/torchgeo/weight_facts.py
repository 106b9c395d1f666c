"""What torchgeo knows of one of its weights, as JSON: `python -m engine.backbones.torchgeo.weight_facts NAME`."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable
from typing import Any

import torch

from engine.backbones.parts.facts_process import print_facts
from engine.backbones.torchgeo.known import INSTALL, require_known
from engine.errors import BackboneError
from engine.nearest import nearest

_SPATIAL = ("Resize", "CenterCrop", "Identity")


def facts(name: str) -> dict[str, Any]:
    """Bands, statistics, layers and address of a weight; its network is built without memory for weights.

    Args:
        name: as torchgeo writes it, such as ResNet50_Weights.SENTINEL2_ALL_DECUR.

    Raises:
        BackboneError: torchgeo is not installed, has no such weight, or the weight cannot be used.
    """
    model, weight = registered(name)
    meta = weight.meta
    layers = _layers(model, int(meta.get("in_chans") or 12), meta.get("img_size"))
    return {
        "name": name, "model": model, "url": weight.url, "chip_px": _chip_px(model, weight.transforms),
        "img_size": meta.get("img_size"), "method": str(meta.get("ssl_method", "")),
        "publication": str(meta.get("publication", "")), "page": str(meta.get("repo", "")), "licence": meta.get("license"),
        **numbers(name, model, weight), **layers,
    }  # fmt: skip


def numbers(name: str, model: str, weight: Any) -> dict[str, Any]:
    """Band codes, what it was trained on, and means and deviations as its transforms have them; none of CROMA's.

    Raises:
        BackboneError: a transform that is not repeated here.
    """
    bands = int(weight.meta.get("in_chans") or 3)
    mean, std = ([], []) if model.startswith("croma") else _statistics(name, weight.transforms, bands)
    codes = [str(code) for code in weight.meta.get("bands") or ()]
    return {"codes": codes, "dataset": str(weight.meta.get("dataset", "")), "mean": mean, "std": std}


def registered(name: str) -> tuple[str, Any]:
    """The model of a weight, as torchgeo calls it, and the weight.

    Raises:
        BackboneError: torchgeo is not installed, has no such weight, or a network that is not run here.
    """
    if importlib.util.find_spec("torchgeo") is None:
        raise BackboneError(
            f"torchgeo/{name} needs torchgeo, which is not installed here. Run `{INSTALL}`, then try again."
        )
    from torchgeo import models

    every: dict[str, tuple[str, Any]] = {}
    for model in models.list_models():
        try:
            weights: Iterable[Any] = models.get_model_weights(model)
        except KeyError:  # a network without weights
            continue
        every |= {str(weight): (model, weight) for weight in weights}
    if name not in every:
        raise BackboneError(
            f"{name!r} is not a weight of torchgeo{nearest(name, every)}. Write torchgeo/<weight> as torchgeo does, such as "
            f"torchgeo/ResNet50_Weights.SENTINEL2_ALL_DECUR."
        )
    require_known(every[name][0])
    return every[name]


@functools.lru_cache(maxsize=64)
def _layers(model: str, in_chans: int, img_size: int | None) -> dict[str, Any]:
    from engine.backbones.timm.model_facts import layers_of
    from engine.backbones.torchgeo.networks import network

    with torch.device("meta"):
        return layers_of(network(model, in_chans, img_size, ("optical",)))


def _statistics(name: str, transforms: Any, bands: int) -> tuple[list[float], list[float]]:
    """Mean and deviation of each band of all steps together: x becomes (x - mean) / std.

    Raises:
        BackboneError: a step that is no such standardisation, and changes values.
    """
    mean, std = torch.zeros(bands, dtype=torch.double), torch.ones(bands, dtype=torch.double)
    for step in _steps(transforms):
        kind = type(step).__name__
        if kind in _SPATIAL:
            continue
        if kind != "Normalize":
            raise BackboneError(
                f"The transforms of {name} hold {kind}, which is not repeated here. Choose another weight."
            )
        own, spread = (torch.as_tensor(values, dtype=torch.double) for values in (step.mean, step.std))
        mean, std = mean + std * own, std * spread
    return mean.tolist(), std.tolist()


def _steps(transforms: Any) -> list[Any]:
    return list(transforms) if isinstance(transforms, torch.nn.Sequential) else [transforms]


def _chip_px(model: str, transforms: Any) -> int:
    """The side that the last cut or resizing leaves."""
    sides = [
        int(step.size[0]) for step in _steps(transforms) if type(step).__name__ in ("Resize", "CenterCrop")
    ]
    return sides[-1] if sides else 120 if model.startswith("croma") else 224


if __name__ == "__main__":
    print_facts(facts)
